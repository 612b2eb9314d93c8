// Operators that move data: hand-written cases and refusals.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/one_node.hpp"

namespace boundflow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Squeeze, DropsDimensionsOfOne) {
  EXPECT_EQ(OneNode("Squeeze", {counting({1, 2, 1, 3})}).value().shape(), (Shape{2, 3}));
  EXPECT_EQ(OneNode("Squeeze", {counting({1, 2, 1, 3}), ints({-2})}).value().shape(), (Shape{1, 2, 3}));
  EXPECT_THAT(error_of([] {
                OneNode("Squeeze", {counting({1, 2}), ints({1})});
              }),
              HasSubstr("axis 1 of float32[1, 2]"));
  EXPECT_THAT(error_of([] {
                OneNode("Squeeze", {counting({1, 2}), ints({0, -2})});
              }),
              HasSubstr("axis 0 is named twice"));
  EXPECT_THAT(error_of([] { OneNode("Squeeze", {counting({1, 2}), ints({})}); }), HasSubstr("ambiguous"));
}

TEST(Unsqueeze, AddsDimensionsOfOne) {
  EXPECT_EQ(OneNode("Unsqueeze", {counting({2, 3}), ints({0, -1})}).value().shape(), (Shape{1, 2, 3, 1}));
  EXPECT_EQ(OneNode("Unsqueeze", {counting({}), ints({0})}).value().shape(), (Shape{1}));
  EXPECT_THAT(error_of([] { OneNode("Unsqueeze", {counting({2}), ints({2})}); }), HasSubstr("axis 2 is out of range"));
}

TEST(Gather, PicksAlongAnAxis) {
  const auto gather = [](const Tensor& indices, std::int64_t axis) {
    return OneNode("Gather", {counting({2, 3}), indices}, {{"axis", axis}}).value();
  };
  EXPECT_THAT(gather(Tensor({}, Ints{-1}), 1).to_doubles(), ElementsAre(2, 5));
  EXPECT_EQ(gather(Tensor({}, Ints{-1}), 1).shape(), (Shape{2}));
  EXPECT_THAT(gather(ints({1, 0}), 0).to_doubles(), ElementsAre(3, 4, 5, 0, 1, 2));
  EXPECT_EQ(gather(Tensor({2, 1}, Ints{0, 2}), -1).shape(), (Shape{2, 2, 1}));
  EXPECT_THAT(gather(Tensor({2, 1}, Ints{0, 2}), -1).to_doubles(), ElementsAre(0, 2, 3, 5));
  EXPECT_THAT(error_of([&] { gather(ints({3}), 1); }), HasSubstr("index 3 is out of range"));
  EXPECT_THAT(error_of([&] { gather(counting({1}), 1); }), HasSubstr("expected int64"));
  EXPECT_THAT(error_of([] {
                OneNode("Gather", {counting({2, 3}), ints({0})}, {}, 1);
              }),
              HasSubstr("the indices (input 1) must be a constant"));
}

TEST(Expand, StretchesBothWays) {
  const Tensor y = OneNode("Expand", {counting({2, 1}), ints({3, 1, 2})}).value();
  EXPECT_EQ(y.shape(), (Shape{3, 2, 2}));
  EXPECT_THAT(y.to_doubles(), ElementsAre(0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1));
  EXPECT_THAT(error_of([] { OneNode("Expand", {counting({2}), ints({3})}); }), HasSubstr("do not broadcast"));
  EXPECT_THAT(error_of([] { OneNode("Expand", {counting({1}), ints({1 << 29})}); }), HasSubstr("too large"));
}

struct Padding {
  Ints pads;
  std::string mode = "constant";
  std::optional<float> value;
  std::optional<Ints> axes;
};

OneNode pad(const Shape& shape, const Padding& padding) {
  std::vector<Tensor> operands{counting(shape), ints(padding.pads)};
  if (padding.value || padding.axes) operands.push_back(floats({}, {padding.value.value_or(0)}));
  if (padding.axes) operands.push_back(ints(*padding.axes));
  return OneNode("Pad", std::move(operands), {{"mode", padding.mode}});
}

TEST(Pad, EveryMode) {
  const auto values = [](const Padding& padding) { return pad({4}, padding).value().to_doubles(); };
  EXPECT_THAT(values({{1, 2}, "constant", 7}), ElementsAre(7, 0, 1, 2, 3, 7, 7));
  EXPECT_THAT(values({{-1, 1}}), ElementsAre(1, 2, 3, 0));
  EXPECT_THAT(values({{-3, 0}}), ElementsAre(3));
  EXPECT_THAT(values({{2, 1}, "edge"}), ElementsAre(0, 0, 0, 1, 2, 3, 3));
  EXPECT_THAT(values({{3, 2}, "reflect"}), ElementsAre(3, 2, 1, 0, 1, 2, 3, 2, 1));
  EXPECT_THAT(values({{2, 1}, "wrap"}), ElementsAre(2, 3, 0, 1, 2, 3, 0));
  const Tensor y = pad({2, 2}, {{0, 1}, "constant", 9, Ints{-1}}).value();
  EXPECT_THAT(y.to_doubles(), ElementsAre(0, 1, 9, 2, 3, 9));
}

TEST(Pad, ConstantsBecomeTheBias) {
  EXPECT_TRUE(std::holds_alternative<DataMovement>(pad({2}, {{1, 0}}).facet()));
  const Affine affine = std::get<Affine>(pad({2}, {{1, 0}, "constant", 5}).facet());
  EXPECT_THAT(affine.bias, ElementsAre(5, 0, 0));
  EXPECT_EQ(affine.deployed_roundings, 0);
  EXPECT_THAT(affine.terms.at(0).map->index()->source, ElementsAre(-1, 0, 1));
}

TEST(Pad, RefusesNonsense) {
  EXPECT_THAT(error_of([] { pad({4}, {{-3, -2}}); }), HasSubstr("removes more than 4 elements"));
  EXPECT_THAT(error_of([] { pad({4}, {{4, 0}, "reflect"}); }), HasSubstr("exceeds what 4 elements fill"));
  EXPECT_THAT(error_of([] { pad({4}, {{-1, 0}, "edge"}); }), HasSubstr("negative padding"));
  EXPECT_THAT(error_of([] { pad({4}, {{1, 0}, "mirror"}); }), HasSubstr("mode 'mirror' is unknown"));
  EXPECT_THAT(error_of([] { pad({4}, {{std::int64_t{1} << 40, 0}}); }), HasSubstr("too large"));
  EXPECT_THAT(error_of([] { pad({4}, {{1}}); }), HasSubstr("1 pads for 1 axes"));
}

TEST(Cast, VariablesKeepTheirDtype) {
  const OneNode same("Cast", {counting({2})}, {{"to", std::int64_t{1}}});
  EXPECT_TRUE(std::get<DataMovement>(same.facet()).terms.at(0).map->is_identity());
  const OneNode wider("Cast", {counting({2})}, {{"to", std::int64_t{11}}});
  EXPECT_THAT(error_of([&] { wider.facet(); }), HasSubstr("a cast of a variable from float32 to float64"));
  EXPECT_THAT(error_of([] {
                OneNode("Cast", {counting({2})}, {{"to", std::int64_t{10}}});
              }),
              HasSubstr("element type number 10"));
}

// Outputs of a split, each from its own facet.
TEST(Split, EachOutputHasItsFacet) {
  Network network;
  const ValueId x = network.add_input("x", {DType::Float32, {2, 3}});
  const ValueId extents = network.add_constant("split", ints({1, 2}));
  append_node(network, operator_table(), "Split", "node", {x, extents}, {"a", "b"}, {{"axis", std::int64_t{1}}});
  network.set_outputs({network.node(0).outputs[1]});
  const std::vector<Tensor> values = evaluate_network(network, counting({2, 3}));
  EXPECT_THAT(values[2].to_doubles(), ElementsAre(0, 3));
  EXPECT_THAT(values[3].to_doubles(), ElementsAre(1, 2, 4, 5));
  const auto source = [&](std::size_t output) {
    const Facet facet = operator_table().find("Split")->lower(NodeView(network, network.node(0), output));
    return std::get<DataMovement>(facet).terms.at(0).map->index()->source;
  };
  EXPECT_THAT(source(0), ElementsAre(0, 3));
  EXPECT_THAT(source(1), ElementsAre(1, 2, 4, 5));
  for (const Ints& wrong : {Ints{1, 1}, Ints{2, 2}, Ints{-1, 4}}) {
    EXPECT_THAT(error_of([&] { OneNode("Split", {counting({3}), ints(wrong)}); }), HasSubstr("do not make up axis 0"));
  }
}

TEST(Where, SelectsByAConstantCondition) {
  const Tensor condition({2}, std::vector<bool>{true, false});
  const OneNode node("Where", {condition, floats({2, 1}, {1, 2}), floats({2}, {10, 20})}, {}, 1);
  EXPECT_THAT(node.value().to_doubles(), ElementsAre(1, 20, 2, 20));
  const Affine affine = std::get<Affine>(node.facet());
  EXPECT_THAT(affine.bias, ElementsAre(0, 20, 0, 20));
  EXPECT_THAT(affine.terms.at(0).map->index()->source, ElementsAre(0, -1, 1, -1));
  EXPECT_THAT(error_of([&] {
                OneNode("Where", {condition, counting({2}), counting({2})}).facet();
              }),
              HasSubstr("a condition that is no constant"));
}

}  // namespace
}  // namespace boundflow
