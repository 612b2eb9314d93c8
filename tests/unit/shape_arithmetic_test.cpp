// Shapes computed inside a graph disappear at import; and the older forms of operators over the opsets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "ops/operator.hpp"
#include "support/one_node.hpp"
#include "support/onnx_model.hpp"

namespace boundflow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// What a node of constants folds to.
Tensor folded(std::string op, const std::vector<Tensor>& operands, Attributes attributes = {}) {
  Network network;
  Node node{std::move(op), "node", {}, {}, std::move(attributes)};
  for (const Tensor& operand : operands) node.inputs.push_back(network.add_constant("c", operand));
  infer_node(network, operator_table(), node);
  return fold_node(network, operator_table(), node)->at(0);
}

Tensor scalar(std::int64_t value) {
  return Tensor({}, Ints{value});
}

TEST(ShapeArithmetic, ShapeAndSizeReadNoData) {
  const Tensor x = counting({2, 3, 4});
  EXPECT_THAT(folded("Shape", {x}).int64s(), ElementsAre(2, 3, 4));
  EXPECT_THAT(folded("Shape", {x}, {{"start", std::int64_t{-2}}}).int64s(), ElementsAre(3, 4));
  EXPECT_THAT(folded("Shape", {x}, {{"start", std::int64_t{1}}, {"end", std::int64_t{-1}}}).int64s(), ElementsAre(3));
  EXPECT_THAT(folded("Shape", {x}, {{"start", std::int64_t{2}}, {"end", std::int64_t{1}}}).int64s(), ElementsAre());
  EXPECT_THAT(folded("Shape", {scalar(1)}).int64s(), ElementsAre());
  EXPECT_EQ(folded("Size", {x}).int64s()[0], 24);
}

TEST(ShapeArithmetic, Int64SumsAreExactOrRefused) {
  constexpr std::int64_t max = std::numeric_limits<std::int64_t>::max(), min = std::numeric_limits<std::int64_t>::min();
  EXPECT_THAT(folded("Add", {ints({1, max}), scalar(-1)}).int64s(), ElementsAre(0, max - 1));
  EXPECT_THAT(folded("Sub", {ints({1, min + 1}), ints({1})}).int64s(), ElementsAre(0, min));
  EXPECT_THAT(folded("Sub", {ints({-1}), scalar(min)}).int64s(), ElementsAre(max));
  for (const auto& [op, a, b] : {std::tuple{"Add", max, std::int64_t{1}},
                                 {"Add", min, std::int64_t{-1}},
                                 {"Sub", min, std::int64_t{1}},
                                 {"Sub", std::int64_t{0}, min}}) {
    EXPECT_THAT(error_of([&, op = op, a = a, b = b] {
                  folded(op, {scalar(a), scalar(b)});
                }),
                HasSubstr("have no result in int64"));
  }
  EXPECT_THAT(error_of([] { folded("Add", {scalar(1), counting({1})}); }), HasSubstr("but input 0 is int64"));
}

TEST(ShapeArithmetic, ConstantsOfShapes) {
  EXPECT_THAT(folded("ConstantOfShape", {ints({2})}).to_doubles(), ElementsAre(0, 0));
  const Tensor value = ints({7});
  const Tensor sevens = folded("ConstantOfShape", {ints({1, 2})}, {{"value", value}});
  EXPECT_EQ(sevens.type(), (TensorType{DType::Int64, {1, 2}}));
  EXPECT_THAT(sevens.int64s(), ElementsAre(7, 7));
  EXPECT_EQ(folded("ConstantOfShape", {ints({})}).shape(), (Shape{}));
  EXPECT_THAT(error_of([] { folded("ConstantOfShape", {ints({-1})}); }), HasSubstr("negative dimension"));
  EXPECT_THAT(error_of([] { folded("ConstantOfShape", {ints({1 << 20, 1 << 20})}); }), HasSubstr("too large"));
}

TEST(ShapeArithmetic, Ranges) {
  constexpr std::int64_t max = std::numeric_limits<std::int64_t>::max(), min = std::numeric_limits<std::int64_t>::min();
  const auto range = [](std::int64_t start, std::int64_t limit, std::int64_t delta) {
    return folded("Range", {scalar(start), scalar(limit), scalar(delta)}).int64s();
  };
  EXPECT_THAT(range(0, 5, 2), ElementsAre(0, 2, 4));
  EXPECT_THAT(range(0, 4, 2), ElementsAre(0, 2));
  EXPECT_THAT(range(3, 0, -1), ElementsAre(3, 2, 1));
  EXPECT_THAT(range(3, 0, 1), ElementsAre());
  EXPECT_THAT(range(min, max, max), ElementsAre(min, -1, max - 1));
  EXPECT_THAT(range(max, min, min), ElementsAre(max, -1));
  EXPECT_THAT(error_of([&] { range(0, 1, 0); }), HasSubstr("delta is 0"));
  EXPECT_THAT(error_of([&] { range(min, max, 1); }), HasSubstr("too large"));
  EXPECT_THAT(error_of([&] { range(0, std::int64_t{1} << 30, 1); }), HasSubstr("too large"));
}

// The sign is the divisor's, as in Python.
TEST(ShapeArithmetic, Remainders) {
  constexpr std::int64_t min = std::numeric_limits<std::int64_t>::min();
  const auto remainder = [](std::int64_t a, std::int64_t b) {
    return folded("Mod", {scalar(a), scalar(b)}).int64s()[0];
  };
  EXPECT_EQ(remainder(7, 3), 1);
  EXPECT_EQ(remainder(-7, 3), 2);
  EXPECT_EQ(remainder(7, -3), -2);
  EXPECT_EQ(remainder(-7, -3), -1);
  EXPECT_EQ(remainder(-6, 3), 0);
  EXPECT_EQ(remainder(min, 1), 0);
  EXPECT_THAT(folded("Mod", {ints({4, 5, 6}), scalar(4)}).int64s(), ElementsAre(0, 1, 2));
  for (const auto& [a, b] : {std::pair{std::int64_t{1}, std::int64_t{0}}, {min, std::int64_t{-1}}}) {
    EXPECT_THAT(error_of([&, a = a, b = b] { remainder(a, b); }), HasSubstr("have no result in int64"));
  }
  EXPECT_THAT(error_of([] {
                folded("Mod", {scalar(1), scalar(1)}, {{"fmod", std::int64_t{1}}});
              }),
              HasSubstr("fmod is not supported"));
  EXPECT_THAT(error_of([] { folded("Mod", {counting({1}), counting({1})}); }), HasSubstr("other numbers than int64"));
}

TEST(ShapeArithmetic, EqualAndWhereAndCast) {
  const Tensor equal = folded("Equal", {ints({1, -1, 3}), scalar(-1)});
  EXPECT_THAT(equal.to_doubles(), ElementsAre(0, 1, 0));
  EXPECT_THAT(folded("Where", {equal, ints({5}), ints({1, 2, 3})}).int64s(), ElementsAre(1, 5, 3));
  EXPECT_THAT(folded("Cast", {floats({3}, {-1.5F, 2.75F, 0})}, {{"to", std::int64_t{7}}}).int64s(),
              ElementsAre(-1, 2, 0));
  EXPECT_EQ(folded("Cast", {doubles({1}, {0.1})}, {{"to", std::int64_t{1}}}).at(0), static_cast<double>(0.1F));
  EXPECT_EQ(folded("Cast", {ints({3, 0})}, {{"to", std::int64_t{9}}}).type(), (TensorType{DType::Bool, {2}}));
  EXPECT_THAT(error_of([] {
                folded("Cast", {floats({1}, {1e30F})}, {{"to", std::int64_t{7}}});
              }),
              HasSubstr("is no int64"));
  EXPECT_THAT(error_of([] {
                folded("Cast", {doubles({1}, {1e300})}, {{"to", std::int64_t{1}}});
              }),
              HasSubstr("is no float32"));
}

// The usual export of x.view(x.size(0), -1), and of expanding a class token to the batch.
TEST(ShapeArithmetic, DisappearsAtImport) {
  OnnxModel model(9);
  model.input("x", {-1, 2, 3});
  model.node("Shape", "shape", {"x"}, {"s"});
  auto* first = model.node("Constant", "zero", {}, {"zero"});
  auto* tensor = OnnxModel::attribute(first, "value", 4)->mutable_t();
  tensor->set_data_type(OnnxModel::kInt64);
  tensor->add_int64_data(0);
  model.node("Gather", "gather", {"s", "zero"}, {"n"});
  OnnxModel::ints_attribute(model.node("Unsqueeze", "unsqueeze", {"n"}, {"batch"}), "axes", {0});
  model.ints("rest", {-1});
  OnnxModel::int_attribute(model.node("Concat", "concat", {"batch", "rest"}, {"target"}), "axis", 0);
  model.node("Reshape", "reshape", {"x", "target"}, {"y"});
  model.output("y", {-1, 6});
  const Network network = model.import();
  ASSERT_EQ(network.nodes().size(), 1U);
  EXPECT_EQ(network.nodes()[0].name, "reshape");
  EXPECT_EQ(network.value(network.output()).type.shape, (Shape{1, 6}));
}

TEST(ShapeArithmetic, ComparingVariablesIsRefused) {
  const OneNode node("Equal", {counting({2}), counting({2})});
  EXPECT_THAT(error_of([&] { node.facet(); }), HasSubstr("(Equal): the operator is supported on constants only"));
}

std::vector<double> outputs(const OnnxModel& model, const std::vector<float>& x) {
  const Network network = model.import();
  const Tensor input(network.value(network.input()).type.shape, x);
  return evaluate_network(network, input)[static_cast<std::size_t>(network.output())].to_doubles();
}

// x [4] into two pieces, the second of which is the output.
OnnxModel split_model(std::int64_t opset, std::int64_t extent, std::int64_t second) {
  OnnxModel model(opset);
  model.input("x", {extent});
  model.node("Split", "split", {"x"}, {"a", "b"});
  model.output("b", {second});
  return model;
}

TEST(OpsetForms, Split) {
  EXPECT_THAT(outputs(split_model(2 + 9, 4, 2), {1, 2, 3, 4}), ElementsAre(3, 4));
  OnnxModel attribute = split_model(11, 4, 1);
  OnnxModel::ints_attribute(attribute.graph()->mutable_node(0), "split", {3, 1});
  EXPECT_THAT(outputs(attribute, {1, 2, 3, 4}), ElementsAre(4));
  OnnxModel input = split_model(13, 4, 3);
  input.ints("extents", {1, 3});
  input.graph()->mutable_node(0)->add_input("extents");
  EXPECT_THAT(outputs(input, {1, 2, 3, 4}), ElementsAre(2, 3, 4));
  OnnxModel uneven = split_model(18, 5, 2);
  EXPECT_THAT(error_of([&] { uneven.import(); }), HasSubstr("5 does not split into 2"));
  OnnxModel::int_attribute(uneven.graph()->mutable_node(0), "num_outputs", 2);
  EXPECT_THAT(outputs(uneven, {1, 2, 3, 4, 5}), ElementsAre(4, 5));
  OnnxModel unnamed = split_model(11, 4, 2);
  unnamed.graph()->mutable_node(0)->add_output("");
  EXPECT_THAT(error_of([&] { unnamed.import(); }), HasSubstr("an output without a name"));
}

TEST(OpsetForms, PadAttributesBecomeInputs) {
  OnnxModel model(10);
  model.input("x", {2});
  auto* node = model.node("Pad", "pad", {"x"}, {"y"});
  OnnxModel::ints_attribute(node, "pads", {1, 0});
  OnnxModel::float_attribute(node, "value", 5);
  model.output("y", {3});
  EXPECT_THAT(outputs(model, {1, 2}), ElementsAre(5, 1, 2));
}

TEST(OpsetForms, ReductionAxes) {
  OnnxModel model(11);
  model.input("x", {2, 2});
  auto* node = model.node("ReduceMean", "mean", {"x"}, {"y"});
  OnnxModel::ints_attribute(node, "axes", {1});
  OnnxModel::int_attribute(node, "keepdims", 0);
  model.output("y", {2});
  EXPECT_THAT(outputs(model, {1, 3, 5, 7}), ElementsAre(2, 6));
}

// x [1, 2, 2, 2] and its maxima per channel; `axes` are an attribute up to opset 17, then an input.
OnnxModel maxima_model(std::int64_t opset, const std::vector<std::int64_t>& axes) {
  OnnxModel model(opset);
  model.input("x", {1, 2, 2, 2});
  auto* node = model.node("ReduceMax", "max", {"x"}, {"y"});
  if (opset < 18) {
    OnnxModel::ints_attribute(node, "axes", axes);
  } else {
    model.ints("axes", axes);
    node->add_input("axes");
  }
  model.output("y", {1, 2, 1, 1});
  return model;
}

TEST(OpsetForms, MaximaOverImagesAreAPooling) {
  const std::vector<float> x = {1, 7, 3, 2, -4, -1, -2, -3};
  for (const std::int64_t opset : {11, 13, 18}) {
    const OnnxModel model = maxima_model(opset, {2, -1});
    EXPECT_EQ(model.import().nodes().at(0).op, "MaxPool");
    EXPECT_THAT(outputs(model, x), ElementsAre(7, -1)) << opset;
    EXPECT_THAT(error_of([&] { maxima_model(opset, {1, 2}).import(); }), HasSubstr("over all axes of images"));
  }
  OnnxModel flat = maxima_model(11, {2, 3});
  OnnxModel::int_attribute(flat.graph()->mutable_node(0), "keepdims", 0);
  EXPECT_THAT(error_of([&] { flat.import(); }), HasSubstr("with keepdims"));
}

TEST(OpsetForms, BatchNormalizationForInference) {
  OnnxModel model(7);
  model.input("x", {1, 1});
  for (const char* name : {"scale", "b", "mean", "var"}) model.floats(name, {1}, {1});
  auto* node = model.node("BatchNormalization", "bn", {"x", "scale", "b", "mean", "var"}, {"y", "m", "v", "sm", "sv"});
  OnnxModel::float_attribute(node, "epsilon", 0);
  model.output("y", {1, 1});
  EXPECT_THAT(outputs(model, {3}), ElementsAre(3));
  OnnxModel::int_attribute(node, "spatial", 0);
  EXPECT_THAT(error_of([&] { model.import(); }), HasSubstr("spatial is 0"));
}

}  // namespace
}  // namespace boundflow
