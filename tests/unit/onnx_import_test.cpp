// What import makes of well-formed models: encodings of constants, opset forms, order, names, batch.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ops/operator.hpp"
#include "support/onnx_model.hpp"

namespace boundflow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<double> outputs(const OnnxModel& model, const std::vector<float>& x) {
  const Network network = model.import();
  const Tensor input(network.value(network.input()).type.shape, x);
  return evaluate_network(network, input)[static_cast<std::size_t>(network.output())].to_doubles();
}

std::vector<std::string> node_names(const Network& network) {
  std::vector<std::string> names;
  for (const Node& node : network.nodes()) names.push_back(node.name);
  return names;
}

std::string little_endian(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

// x [2] plus a constant under test, on the right.
OnnxModel add_model(std::int64_t opset = 13) {
  OnnxModel model(opset);
  model.input("x", {2});
  model.node("Add", "add", {"x", "c"}, {"y"});
  model.output("y", {2});
  return model;
}

TEST(OnnxImport, EvaluatesAGemmAndRelu) {
  EXPECT_THAT(outputs(gemm_relu_model(), {1, 10}), ElementsAre(41.5, 0, 63));
}

TEST(OnnxImport, KeepsNamesAndTypes) {
  const Network network = gemm_relu_model().import();
  EXPECT_THAT(node_names(network), ElementsAre("gemm", "relu"));
  EXPECT_EQ(network.value(network.input()).name, "x");
  EXPECT_EQ(to_string(network.value(network.output()).type), "float32[1, 3]");
}

TEST(OnnxImport, ReadsRawData) {
  OnnxModel model = add_model();
  auto* tensor = model.floats("c", {2}, {});
  tensor->set_raw_data(little_endian({0.5F, -1}));
  EXPECT_THAT(outputs(model, {1, 2}), ElementsAre(1.5, 1));
}

TEST(OnnxImport, ReadsScalarsAndDoubles) {
  OnnxModel scalar = add_model();
  scalar.floats("c", {}, {3});
  EXPECT_THAT(outputs(scalar, {1, 2}), ElementsAre(4, 5));

  OnnxModel model;
  model.input("x", {1}, OnnxModel::kDouble);
  auto* tensor = model.graph()->add_initializer();
  tensor->set_name("c");
  tensor->set_data_type(OnnxModel::kDouble);
  tensor->add_dims(1);
  tensor->add_double_data(0.1);
  model.node("Add", "add", {"x", "c"}, {"y"});
  model.output("y", {1}, OnnxModel::kDouble);
  const Network network = model.import();
  EXPECT_EQ(network.value(network.output()).type.dtype, DType::Float64);
  EXPECT_EQ(network.value(1).constant->at(0), 0.1);
}

TEST(OnnxImport, InitializersListedAsInputsAreConstants) {
  OnnxModel model = add_model();
  model.floats("c", {2}, {1, 1});
  model.input("c", {2});
  EXPECT_EQ(model.import().inputs().size(), 1U);
}

TEST(OnnxImport, ConstantNodesBecomeConstants) {
  OnnxModel model = add_model();
  auto* node = model.node("Constant", "constant", {}, {"c"});
  OnnxModel::set_floats(OnnxModel::attribute(node, "value", 4)->mutable_t(), {2}, {10, 20});
  EXPECT_THAT(node_names(model.import()), ElementsAre("add"));
  EXPECT_THAT(outputs(model, {1, 2}), ElementsAre(11, 22));
}

TEST(OnnxImport, FoldsLayoutAndExactArithmetic) {
  OnnxModel model = add_model();
  model.floats("a", {2, 1}, {1, 2});
  model.ints("flat", {-1});
  model.node("Reshape", "reshape", {"a", "flat"}, {"b"});
  model.node("Add", "sum", {"b", "b"}, {"c"});
  EXPECT_THAT(node_names(model.import()), ElementsAre("add"));
  EXPECT_THAT(outputs(model, {0, 0}), ElementsAre(2, 4));
  EXPECT_THAT(print(model.import()), HasSubstr("constant %1 \"c\" : float32[2] = {2.0, 4.0}"));
}

TEST(OnnxImport, RefusesArithmeticOnConstantsThatRounds) {
  OnnxModel model = add_model();
  model.floats("a", {2}, {1, 1});
  model.floats("b", {1}, {0x1p-30F});
  model.node("Add", "sum", {"a", "b"}, {"c"});
  try {
    model.import();
    FAIL();
  } catch (const UnsupportedError& error) {
    EXPECT_EQ(error.node(), "sum");
    EXPECT_THAT(error.what(), HasSubstr("depends on rounding"));
  }
}

TEST(OnnxImport, BoundsOfAnOldClipBecomeInputs) {
  const auto clipped = [](int dtype, bool lower, float upper) {
    OnnxModel model(6);
    model.input("x", {2}, dtype);
    auto* clip = model.node("Clip", "clip", {"x"}, {"y"});
    if (lower) OnnxModel::float_attribute(clip, "min", -0.25F);
    OnnxModel::float_attribute(clip, "max", upper);
    model.output("y", {2}, dtype);
    return model.import();
  };
  const Network both = clipped(OnnxModel::kFloat, true, 0.5F);
  EXPECT_EQ(both.nodes()[0].inputs.size(), 3U);
  EXPECT_THAT(evaluate_network(both, Tensor({2}, std::vector<float>{-1, 2})).back().to_doubles(),
              ElementsAre(-0.25, 0.5));
  const Network one = clipped(OnnxModel::kDouble, false, 0.5F);
  EXPECT_EQ(one.nodes()[0].inputs[1], kNoValue);
  EXPECT_THAT(evaluate_network(one, Tensor({2}, std::vector<double>{-1, 2})).back().to_doubles(), ElementsAre(-1, 0.5));
  EXPECT_EQ(clipped(OnnxModel::kFloat, true, std::numeric_limits<float>::infinity()).nodes()[0].inputs[2], kNoValue);
}

TEST(OnnxImport, UnreadIndicesOfMaxPoolAreLeftOut) {
  OnnxModel model(12);
  model.input("x", {1, 1, 3});
  auto* pool = model.node("MaxPool", "pool", {"x"}, {"y", "indices"});
  OnnxModel::ints_attribute(pool, "kernel_shape", {2});
  OnnxModel::attribute(pool, "auto_pad", 3)->set_s("SAME_UPPER");
  model.output("y", {1, 1, 3});
  EXPECT_EQ(model.import().nodes()[0].outputs.size(), 1U);
  EXPECT_THAT(outputs(model, {3, 1, 2}), ElementsAre(3, 2, 2));
}

TEST(OnnxImport, SymbolicBatchIsOne) {
  OnnxModel model = gemm_relu_model();
  model.graph()->clear_input();
  model.graph()->clear_output();
  model.input("x", {-1, 2});
  model.output("y", {-1, 3});
  EXPECT_EQ(to_string(model.import().value(0).type), "float32[1, 2]");
}

TEST(OnnxImport, DimensionWithoutValueIsABatchToo) {
  OnnxModel model = gemm_relu_model();
  model.graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim(0)->Clear();
  EXPECT_EQ(to_string(model.import().value(0).type), "float32[1, 2]");
}

TEST(OnnxImport, StaticShapesStay) {
  OnnxModel model;
  model.input("x", {2, 3});
  model.node("Flatten", "flat", {"x"}, {"y"});
  model.output("y", {2, 3});
  EXPECT_EQ(to_string(model.import().value(0).type), "float32[2, 3]");
}

TEST(OnnxImport, SortsNodes) {
  OnnxModel model = gemm_relu_model();
  model.graph()->mutable_node()->SwapElements(0, 1);
  EXPECT_THAT(node_names(model.import()), ElementsAre("gemm", "relu"));
}

TEST(OnnxImport, DropsWhatDoesNotReachTheOutput) {
  OnnxModel model = gemm_relu_model();
  model.node("Frobnicate", "dead", {"h"}, {"d"});
  auto* unused = model.graph()->add_initializer();
  unused->set_name("unused");
  unused->set_data_type(10);  // float16, which would be refused if anyone read it
  const Network network = model.import();
  EXPECT_THAT(node_names(network), ElementsAre("gemm", "relu"));
  EXPECT_EQ(network.values().size(), 5U);
}

TEST(OnnxImport, MakesNodeNamesUnique) {
  OnnxModel model;
  model.input("x", {2});
  model.node("Relu", "", {"x"}, {"a"});
  model.node("Relu", "a", {"a"}, {"b"});
  model.node("Relu", "a", {"b"}, {"y"});
  model.output("y", {2});
  EXPECT_THAT(node_names(model.import()), ElementsAre("a", "a#2", "a#3"));
}

TEST(OnnxImport, ForeignDomainsMayBeImportedButNotUsed) {
  OnnxModel model = gemm_relu_model();
  auto* import = model.proto.add_opset_import();
  import->set_domain("ai.onnx.ml");
  import->set_version(2);
  EXPECT_NO_THROW(model.import());
}

TEST(OnnxImport, OutputShapeMayBeUndeclared) {
  OnnxModel model = gemm_relu_model();
  model.graph()->mutable_output(0)->mutable_type()->mutable_tensor_type()->clear_shape();
  EXPECT_NO_THROW(model.import());
}

TEST(OnnxImport, DropoutLosesItsUnusedMask) {
  OnnxModel model;
  model.input("x", {2});
  model.node("Dropout", "drop", {"x"}, {"y", "mask"});
  model.output("y", {2});
  EXPECT_THAT(outputs(model, {1, 2}), ElementsAre(1, 2));
}

TEST(OnnxImport, Opset6DropoutNeedsIsTest) {
  OnnxModel model(6);
  model.input("x", {2});
  auto* node = model.node("Dropout", "drop", {"x"}, {"y"});
  model.output("y", {2});
  EXPECT_THROW(model.import(), UnsupportedError);
  OnnxModel::int_attribute(node, "is_test", 1);
  EXPECT_THAT(outputs(model, {1, 2}), ElementsAre(1, 2));
}

TEST(OnnxImport, Opset6BroadcastsAtAnAxis) {
  OnnxModel model(6);
  model.input("x", {2, 2});
  model.floats("c", {2}, {10, 20});
  auto* node = model.node("Add", "add", {"x", "c"}, {"y"});
  model.output("y", {2, 2});
  EXPECT_THROW(model.import(), InputError);  // broadcast is not set
  OnnxModel::int_attribute(node, "broadcast", 1);
  EXPECT_THAT(outputs(model, {1, 2, 3, 4}), ElementsAre(11, 22, 13, 24));
  OnnxModel::int_attribute(node, "axis", 0);
  EXPECT_THAT(outputs(model, {1, 2, 3, 4}), ElementsAre(11, 12, 23, 24));
}

TEST(OnnxImport, Opset6AttributesAreUnknownLater) {
  OnnxModel model = add_model();
  model.floats("c", {2}, {1, 1});
  OnnxModel::int_attribute(model.graph()->mutable_node(0), "broadcast", 1);
  EXPECT_THROW(model.import(), UnsupportedError);
}

TEST(OnnxImport, SliceAttributesBecomeInputs) {
  OnnxModel model(9);
  model.input("x", {5});
  auto* node = model.node("Slice", "slice", {"x"}, {"y"});
  OnnxModel::ints_attribute(node, "starts", {1});
  OnnxModel::ints_attribute(node, "ends", {-1});
  OnnxModel::ints_attribute(node, "axes", {0});
  model.output("y", {3});
  EXPECT_THAT(outputs(model, {0, 1, 2, 3, 4}), ElementsAre(1, 2, 3));
}

TEST(OnnxImport, SliceInputsMayBeAbsent) {
  OnnxModel model;
  model.input("x", {5});
  model.ints("starts", {4});
  model.ints("ends", {-6});
  model.ints("steps", {-2});
  model.node("Slice", "slice", {"x", "starts", "ends", "", "steps"}, {"y"});
  model.output("y", {3});
  EXPECT_THAT(outputs(model, {0, 1, 2, 3, 4}), ElementsAre(4, 2, 0));
}

TEST(OnnxImport, AttributesWithoutATypeAreRead) {
  OnnxModel model;
  model.input("x", {2, 3, 4});
  auto* attribute = model.node("Flatten", "flat", {"x"}, {"y"})->add_attribute();
  attribute->set_name("axis");
  attribute->set_i(2);
  model.output("y", {6, 4});
  EXPECT_NO_THROW(model.import());
}

}  // namespace
}  // namespace boundflow
