// AveragePool, GlobalAveragePool, ReduceMean, ReduceSum and BatchNormalization: hand-written cases, the maps' forms and
// what executions of them are allowed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "support/one_node.hpp"

namespace boundflow {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<double> pooled(Attributes attributes) {
  return OneNode("AveragePool", {floats({1, 1, 6}, {1, 2, 4, 8, 16, 32})}, std::move(attributes)).value().to_doubles();
}

// Values that onnxruntime gives.
TEST(AveragePool, CountsPaddingOrNot) {
  const Ints three{3}, two{2};
  EXPECT_THAT(pooled({{"kernel_shape", three}, {"strides", two}, {"pads", Ints{1, 1}}}),
              ElementsAre(1.5, DoubleNear(14 / 3.F, 1e-5), DoubleNear(56 / 3.F, 1e-5)));
  EXPECT_THAT(
      pooled({{"kernel_shape", three}, {"strides", two}, {"pads", Ints{1, 1}}, {"count_include_pad", std::int64_t{1}}}),
      ElementsAre(1, DoubleNear(14 / 3.F, 1e-5), DoubleNear(56 / 3.F, 1e-5)));
  // The window that ceil_mode adds reaches beyond the padding, which never counts.
  for (const std::int64_t include : {0, 1}) {
    EXPECT_THAT(pooled({{"kernel_shape", three},
                        {"strides", two},
                        {"ceil_mode", std::int64_t{1}},
                        {"count_include_pad", include}}),
                ElementsAre(DoubleNear(7 / 3.F, 1e-5), DoubleNear(28 / 3.F, 1e-5), 24));
  }
  EXPECT_THAT(pooled({{"kernel_shape", three},
                      {"strides", three},
                      {"ceil_mode", std::int64_t{1}},
                      {"count_include_pad", std::int64_t{1}},
                      {"pads", Ints{1, 1}}}),
              ElementsAre(1, DoubleNear(28 / 3.F, 1e-5), 16));
  EXPECT_THAT(pooled({{"kernel_shape", three}, {"strides", two}, {"auto_pad", std::string("SAME_UPPER")}}),
              ElementsAre(DoubleNear(7 / 3.F, 1e-5), DoubleNear(28 / 3.F, 1e-5), 24));
  EXPECT_THAT(error_of([&] {
                pooled({{"kernel_shape", Ints{1}}, {"pads", Ints{1, 0}}});
              }),
              HasSubstr("lies in the padding only"));
  EXPECT_THAT(error_of([&] { pooled({}); }), HasSubstr("kernel_shape [] must have 1 elements"));
}

Affine affine_of(const char* op, std::vector<Tensor> operands, Attributes attributes) {
  return std::get<Affine>(OneNode(op, std::move(operands), std::move(attributes)).facet());
}

TEST(AveragePool, IsDepthwiseWhereCountsAgree) {
  const Affine even = affine_of("AveragePool", {counting({1, 3, 4, 4})}, {{"kernel_shape", Ints{2, 2}}});
  ASSERT_NE(even.terms.at(0).map->conv(), nullptr);
  EXPECT_EQ(even.terms[0].map->conv()->groups, 3);
  EXPECT_EQ(even.terms[0].map->max_abs_weight(), 0.25);
  EXPECT_EQ(even.terms[0].map->weight_error(), 0);
  EXPECT_EQ(even.deployed_products, 0);
  EXPECT_EQ(even.deployed_roundings, 3);
  EXPECT_EQ(even.deployed_growth, 4);
  const Affine padded =
      affine_of("AveragePool", {counting({1, 3, 4, 4})}, {{"kernel_shape", Ints{3, 3}}, {"pads", Ints{1, 1, 1, 1}}});
  ASSERT_NE(padded.terms.at(0).map->sparse(), nullptr);
  EXPECT_GT(padded.terms[0].map->weight_error(), 0);
  EXPECT_EQ(padded.deployed_products, 2);
  EXPECT_EQ(padded.deployed_roundings, 10);
}

TEST(GlobalAveragePool, IsTheMeanOverPixels) {
  const OneNode node("GlobalAveragePool", {floats({1, 2, 1, 3}, {1, 2, 3, 4, 6, 8})});
  EXPECT_EQ(node.value().shape(), (Shape{1, 2, 1, 1}));
  EXPECT_THAT(node.value().to_doubles(), ElementsAre(2, 6));
}

TEST(Reduction, KeepsOrDropsAxes) {
  const auto reduce = [](const char* op, Ints axes, std::int64_t keep) {
    return OneNode(op, {counting({2, 3, 2}), ints(std::move(axes))}, {{"keepdims", keep}}).value();
  };
  EXPECT_EQ(reduce("ReduceSum", {1}, 1).shape(), (Shape{2, 1, 2}));
  EXPECT_EQ(reduce("ReduceSum", {-2}, 0).shape(), (Shape{2, 2}));
  EXPECT_THAT(reduce("ReduceSum", {1}, 0).to_doubles(), ElementsAre(6, 9, 24, 27));
  EXPECT_THAT(reduce("ReduceMean", {0, 2}, 0).to_doubles(), ElementsAre(3.5, 5.5, 7.5));
  EXPECT_THAT(reduce("ReduceMean", {}, 0).to_doubles(), ElementsAre(5.5));
  EXPECT_THAT(error_of([&] { reduce("ReduceSum", {1, -2}, 0); }), HasSubstr("axis 1 is named twice"));
  EXPECT_THAT(error_of([&] { reduce("ReduceSum", {3}, 0); }), HasSubstr("axis 3 is out of range"));
  const OneNode noop("ReduceSum", {counting({2}), ints({})}, {{"noop_with_empty_axes", std::int64_t{1}}});
  EXPECT_TRUE(std::holds_alternative<DataMovement>(noop.facet()));
}

TEST(Reduction, OneBlockOfAxesIsAMatrixOfOneRow) {
  const auto map = [](Ints axes) {
    return affine_of("ReduceSum", {counting({2, 3, 1, 4, 5}), ints(std::move(axes))}, {}).terms.at(0).map;
  };
  EXPECT_EQ(map({1, 3})->print(), "dense 2x1x12x5");  // the axis of 1 in between does not matter
  EXPECT_EQ(map({0, 1, 2, 3, 4})->print(), "dense 1x1x120x1");
  EXPECT_NE(map({0, 3})->sparse(), nullptr);
}

TEST(Reduction, ExecutionsOfMeansDivide) {
  const Affine sum = affine_of("ReduceSum", {counting({3}), ints({0})}, {});
  EXPECT_EQ(sum.deployed_products, 0);
  EXPECT_EQ(sum.deployed_roundings, 2);
  const Affine mean = affine_of("ReduceMean", {counting({3}), ints({0})}, {});
  EXPECT_EQ(mean.deployed_products, 2);
  EXPECT_EQ(mean.deployed_roundings, 4);
  EXPECT_EQ(mean.deployed_growth, 3);
  EXPECT_GT(mean.terms.at(0).map->weight_error(), 0);
}

Tensor vector(std::vector<float> values) {
  const auto count = static_cast<std::int64_t>(values.size());
  return floats({count}, std::move(values));
}

TEST(BatchNormalization, ScalesAndShiftsPerChannel) {
  const OneNode node(
      "BatchNormalization",
      {floats({1, 2, 2}, {1, 2, 3, 4}), vector({2, -1}), vector({10, 0}), vector({1, 2}), vector({3, 0})},
      {{"epsilon", 1.0}});
  EXPECT_THAT(node.value().to_doubles(), ElementsAre(10, 11, -1, -2));
  const Affine affine = std::get<Affine>(node.facet());
  EXPECT_THAT(affine.terms.at(0).map->scale()->factors, ElementsAre(1, 1, -1, -1));
  EXPECT_THAT(affine.bias, ElementsAre(9, 9, 2, 2));
  EXPECT_THAT(affine.bias_magnitude, ElementsAre(11, 11, 2, 2));
  EXPECT_GE(affine.terms[0].map->weight_error(), 0x1p-51);
  EXPECT_EQ(affine.deployed_roundings, affine.deployed_products + 2);
}

// The factor and the shift against extended precision.
TEST(BatchNormalization, ConstantsAreAsCloseAsStated) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Random random(seed);
    std::array<float, 4> c{};
    for (float& value : c)
      value = static_cast<float>(std::ldexp(random.uniform(-2, 2), static_cast<int>(random.integer(-20, 20))));
    c[3] = std::fabs(c[3]);
    const Affine affine = affine_of(
        "BatchNormalization", {counting({1, 1}), vector({c[0]}), vector({c[1]}), vector({c[2]}), vector({c[3]})}, {});
    const long double factor = c[0] / std::sqrt(static_cast<long double>(c[3]) + 1e-5F);
    const long double shift = c[1] - c[2] * factor;
    EXPECT_LE(std::fabs(affine.terms.at(0).map->scale()->factors[0] - factor), 0x1p-49L * std::fabs(factor));
    EXPECT_LE(std::fabs(affine.bias[0] - shift), 8 * 0x1p-53L * affine.bias_magnitude[0]);
  }
}

TEST(BatchNormalization, RefusesByName) {
  const auto error = [](float variance, Attributes attributes = {}, std::size_t variable = 0) {
    return error_of([&] {
      OneNode("BatchNormalization", {counting({1, 1}), vector({1}), vector({1}), vector({1}), vector({variance})},
              std::move(attributes), variable)
          .facet();
    });
  };
  EXPECT_THAT(error(-1), HasSubstr("is not positive"));
  EXPECT_THAT(error(0, {{"epsilon", 0.0}}), HasSubstr("is not positive"));
  EXPECT_THAT(error(1, {{"training_mode", std::int64_t{1}}}), HasSubstr("training mode"));
  EXPECT_THAT(error(1, {{"spatial", std::int64_t{0}}}), HasSubstr("'spatial' is not supported"));
  EXPECT_THAT(error(1, {}, 3), HasSubstr("the mean (input 3) must be a constant"));
  EXPECT_THAT(
      error_of([] {
        OneNode("BatchNormalization", {counting({1, 2}), vector({1, 1}), vector({1, 1}), vector({1}), vector({1, 1})});
      }),
      HasSubstr("the mean (input 3) is float32[1], but X [1, 2] has 2 channels"));
}

}  // namespace
}  // namespace boundflow
