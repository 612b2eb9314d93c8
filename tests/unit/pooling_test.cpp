// MaxPool and the geometry of its windows, Max and Min: hand-worked outputs, facets and refusals.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "ops/window_geometry.hpp"
#include "support/one_node.hpp"

namespace boundflow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// 0, 1, ..., width - 1 on one spatial axis.
std::vector<double> pooled(std::int64_t width, Attributes attributes) {
  return OneNode("MaxPool", {counting({1, 1, width})}, std::move(attributes)).value().to_doubles();
}

// Hand-worked, and what ONNX Runtime computes.
TEST(MaxPool, OneSpatialAxis) {
  EXPECT_THAT(pooled(5, {{"kernel_shape", Ints{2}}}), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(pooled(5, {{"kernel_shape", Ints{2}}, {"strides", Ints{2}}}), ElementsAre(1, 3));
  EXPECT_THAT(pooled(5, {{"kernel_shape", Ints{2}}, {"dilations", Ints{3}}}), ElementsAre(3, 4));
  EXPECT_THAT(pooled(5, {{"kernel_shape", Ints{2}}, {"strides", Ints{2}}, {"pads", Ints{1, 1}}}), ElementsAre(0, 2, 4));
}

TEST(MaxPool, CeilModeLeavesOutWindowsThatBeginInThePadding) {
  const auto ceil = [](std::int64_t width, Ints pads) {
    return pooled(width,
                  {{"kernel_shape", Ints{2}}, {"strides", Ints{2}}, {"pads", pads}, {"ceil_mode", std::int64_t{1}}});
  };
  EXPECT_THAT(ceil(5, {0, 0}), ElementsAre(1, 3, 4));
  EXPECT_THAT(ceil(6, {0, 1}), ElementsAre(1, 3, 5));
  EXPECT_THAT(ceil(6, {1, 1}), ElementsAre(0, 2, 4, 5));
  EXPECT_THAT(pooled(6, {{"kernel_shape", Ints{1}}, {"strides", Ints{4}}, {"ceil_mode", std::int64_t{1}}}),
              ElementsAre(0, 4));
}

TEST(MaxPool, AutoPad) {
  const auto automatic = [](std::int64_t width, const char* mode) {
    return pooled(width, {{"kernel_shape", Ints{2}}, {"strides", Ints{2}}, {"auto_pad", std::string(mode)}});
  };
  EXPECT_THAT(automatic(5, "VALID"), ElementsAre(1, 3));
  EXPECT_THAT(automatic(5, "SAME_UPPER"), ElementsAre(1, 3, 4));
  EXPECT_THAT(automatic(5, "SAME_LOWER"), ElementsAre(0, 2, 4));
  EXPECT_THAT(automatic(6, "SAME_LOWER"), ElementsAre(1, 3, 5));
}

TEST(MaxPool, TwoSpatialAxes) {
  const OneNode node("MaxPool", {counting({1, 2, 2, 3})}, {{"kernel_shape", Ints{2, 2}}});
  EXPECT_EQ(node.value().shape(), (Shape{1, 2, 1, 2}));
  EXPECT_THAT(node.value().to_doubles(), ElementsAre(4, 5, 10, 11));
  const Facet facet = node.facet();
  const auto& joint = std::get<Joint>(facet);
  EXPECT_THAT(joint.starts, ElementsAre(0, 4, 8, 12, 16));
  EXPECT_EQ(joint.terms[4].index, 1);
  EXPECT_EQ(joint.terms[15].index, 11);
}

// All values negative: a padding of zeros would win.
TEST(MaxPool, PaddingNeverWins) {
  const OneNode node("MaxPool", {floats({1, 1, 2}, {-3, -2})}, {{"kernel_shape", Ints{3}}, {"pads", Ints{1, 1}}});
  EXPECT_THAT(node.value().to_doubles(), ElementsAre(-2, -2));
  const Facet facet = node.facet();
  for (const Joint::Term& term : std::get<Joint>(facet).terms) EXPECT_EQ(term.operand, 0);
}

TEST(MaxPool, NanStaysNan) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const auto& x : {std::vector<float>{nan, 1}, std::vector<float>{1, nan}}) {
    EXPECT_TRUE(std::isnan(OneNode("MaxPool", {floats({1, 1, 2}, x)}, {{"kernel_shape", Ints{2}}}).value().at(0)));
    EXPECT_TRUE(std::isnan(OneNode("Max", {floats({1}, {x[0]}), floats({1}, {x[1]})}).value().at(0)));
    EXPECT_TRUE(std::isnan(OneNode("Min", {floats({1}, {x[0]}), floats({1}, {x[1]})}).value().at(0)));
  }
}

TEST(MaxPool, RefusesByName) {
  const auto error = [](const Shape& shape, Attributes attributes) {
    return error_of([&] { OneNode("MaxPool", {counting(shape)}, attributes).facet(); });
  };
  EXPECT_EQ(error({1, 1, 3}, {}), "node 'node' (MaxPool): attribute 'kernel_shape' is required");
  EXPECT_THAT(error({1, 3}, {{"kernel_shape", Ints{1}}}), HasSubstr("one or two spatial axes"));
  EXPECT_THAT(error({1, 1, 1, 1, 3}, {{"kernel_shape", Ints{1, 1, 1}}}), HasSubstr("one or two spatial axes"));
  EXPECT_THAT(error({1, 1, 3}, {{"kernel_shape", Ints{4}}}), HasSubstr("reaches over 4 elements"));
  EXPECT_THAT(error({1, 1, 3}, {{"kernel_shape", Ints{2, 2}}}), HasSubstr("must have 1 elements"));
  EXPECT_THAT(error({1, 1, 3}, {{"kernel_shape", Ints{2}}, {"strides", Ints{0}}}), HasSubstr("must be positive"));
  EXPECT_THAT(error({1, 1, 3}, {{"kernel_shape", Ints{2}}, {"pads", Ints{-1, 0}}}), HasSubstr("must not be negative"));
  EXPECT_THAT(error({1, 1, 3}, {{"kernel_shape", Ints{2}}, {"pads", Ints{1}}}), HasSubstr("two per spatial axis"));
  EXPECT_THAT(error({1, 1, 3}, {{"kernel_shape", Ints{2}}, {"pads", Ints{2, 0}}}), HasSubstr("nothing but padding"));
  EXPECT_THAT(error({1, 1, 3}, {{"kernel_shape", Ints{2}}, {"storage_order", std::int64_t{1}}}),
              HasSubstr("storage_order 1 is not supported"));
  EXPECT_THAT(error({1, 1, 3}, {{"kernel_shape", Ints{2}}, {"auto_pad", std::string("SOME")}}),
              HasSubstr("is unknown"));
  EXPECT_THAT(
      error({1, 1, 3},
            {{"kernel_shape", Ints{2}}, {"auto_pad", std::string("SAME_UPPER")}, {"ceil_mode", std::int64_t{1}}}),
      HasSubstr("ceil_mode together with auto_pad"));
  EXPECT_THAT(
      error({1, 1, 3}, {{"kernel_shape", Ints{2}}, {"auto_pad", std::string("SAME_UPPER")}, {"dilations", Ints{2}}}),
      HasSubstr("auto_pad SAME_UPPER with dilations"));
}

TEST(WindowGeometry, TapsInTheImage) {
  WindowGeometry geometry;
  geometry.image = {1, 5};
  geometry.kernel = {1, 3};
  geometry.dilation = {1, 2};
  geometry.stride = {1, 3};
  geometry.pad_before = {0, 3};
  // Window 0 reads -3, -1, 1; window 1 reads 0, 2, 4; window 2 reads 3, 5, 7.
  const auto taps = [&](std::int64_t window) {
    const WindowGeometry::Taps range = geometry.taps_in_image(1, window);
    return std::pair(range.first, range.end);
  };
  EXPECT_EQ(taps(0), std::pair(std::int64_t{2}, std::int64_t{3}));
  EXPECT_EQ(taps(1), std::pair(std::int64_t{0}, std::int64_t{3}));
  EXPECT_EQ(taps(2), std::pair(std::int64_t{0}, std::int64_t{1}));
}

TEST(Max, BroadcastsAnyNumberOfOperands) {
  const OneNode node("Max", {floats({2, 1}, {1, 5}), floats({3}, {0, 2, 9}), floats({}, {1.5F})});
  EXPECT_THAT(node.value().to_doubles(), ElementsAre(1.5, 2, 9, 5, 5, 9));
  const Facet facet = node.facet();
  const auto& joint = std::get<Joint>(facet);
  EXPECT_THAT(joint.inputs, ElementsAre(0));
  ASSERT_EQ(joint.terms.size(), 18U);
  EXPECT_EQ(joint.terms[15].operand, 0);
  EXPECT_EQ(joint.terms[15].index, 1);
  EXPECT_EQ(joint.terms[16].operand, -1);
  EXPECT_EQ(joint.terms[16].constant, 9);
  EXPECT_EQ(joint.terms[17].constant, 1.5);
}

TEST(Min, OfVariableAndScalarsIsAClip) {
  const OneNode node("Min", {floats({2}, {1, 5}), floats({}, {4}), floats({1}, {3})});
  EXPECT_THAT(node.value().to_doubles(), ElementsAre(1, 3));
  const Facet facet = node.facet();
  EXPECT_EQ(std::get<Elementwise>(facet).function->value(7), 3);
}

TEST(Max, OfOneVariableTwiceHasOneTerm) {
  Network network;
  const ValueId x = network.add_input("x", {DType::Float32, {1}});
  const NodeId negative = append_node(network, operator_table(), "Neg", "neg", {x}, {"z"});
  append_node(network, operator_table(), "Max", "node", {x, network.node(negative).outputs[0], x}, {"y"});
  const Facet facet = operator_table().find("Max")->lower(NodeView(network, network.node(1)));
  EXPECT_THAT(std::get<Joint>(facet).inputs, ElementsAre(0, 1));
  EXPECT_EQ(std::get<Joint>(facet).terms.size(), 2U);
}

}  // namespace
}  // namespace boundflow
