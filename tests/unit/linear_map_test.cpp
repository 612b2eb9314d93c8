#include "ir/linear_map.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/error.hpp"
#include "base/random.hpp"

namespace boundflow {
namespace {

using testing::ElementsAre;

std::vector<double> applied(const LinearMap& map, const std::vector<double>& x, bool absolute = false) {
  std::vector<double> y(static_cast<std::size_t>(map.out_size()), 0.0);
  map.apply(x, y, absolute);
  return y;
}

std::vector<double> transposed(const LinearMap& map, const std::vector<double>& v, bool absolute = false) {
  std::vector<double> x(static_cast<std::size_t>(map.in_size()), 0.0);
  map.apply_transpose(v, x, absolute);
  return x;
}

TEST(LinearMap, DenseMatrix) {
  const LinearMap map(DenseMap{1, 2, 3, 1, {1, 2, 3, 0, -5, 0}});
  EXPECT_EQ(map.out_size(), 2);
  EXPECT_EQ(map.in_size(), 3);
  EXPECT_THAT(applied(map, {1, 10, 100}), ElementsAre(321, -50));
  EXPECT_THAT(applied(map, {1, 10, 100}, true), ElementsAre(321, 50));
  EXPECT_THAT(transposed(map, {1, 10}), ElementsAre(1, -48, 3));
  EXPECT_THAT(transposed(map, {1, 10}, true), ElementsAre(1, 52, 3));
}

// Its tables grow with the kernel and not with the stride.
TEST(LinearMap, ConvolutionOfAHugeStride) {
  ConvMap conv;
  conv.in_channels = conv.out_channels = 1;
  conv.image_in = {1, 8};
  conv.image_out = {1, 1};
  conv.kernel = {1, 3};
  conv.stride = {1, std::int64_t{1} << 40};
  conv.dilation = {1, 2};
  conv.weights = {1, 10, 100};
  const LinearMap map(conv);
  EXPECT_EQ(map.transpose_terms(), 1);
  EXPECT_THAT(applied(map, {1, 2, 3, 4, 5, 6, 7, 8}), ElementsAre(531));
  conv.stride = {1, 4};
  EXPECT_EQ(LinearMap(conv).transpose_terms(), 2);  // taps 0 and 2 reach the same coordinates
}

TEST(LinearMap, ResultsAreAdded) {
  const LinearMap map(DenseMap{1, 1, 1, 1, {2}});
  std::vector<double> y{5};
  map.apply(std::vector<double>{3}, y);
  EXPECT_THAT(y, ElementsAre(11));
}

TEST(LinearMap, DenseOnTheMiddleAxis) {
  // y[a, o, c] = sum_i W[o, i] x[a, i, c] with two outer and two inner indices.
  const LinearMap map(DenseMap{2, 1, 2, 2, {1, 10}});
  EXPECT_THAT(applied(map, {1, 2, 3, 4, 5, 6, 7, 8}), ElementsAre(31, 42, 75, 86));
  EXPECT_THAT(transposed(map, {1, 2, 3, 4}), ElementsAre(1, 2, 10, 20, 3, 4, 30, 40));
}

TEST(LinearMap, TermsCountNonZerosOnly) {
  const LinearMap map(DenseMap{1, 2, 3, 1, {1, 0, 3, 0, -5, 0}});
  EXPECT_EQ(map.terms(), 2);
  EXPECT_EQ(map.transpose_terms(), 1);
  EXPECT_EQ(map.max_abs_weight(), 5);
  EXPECT_TRUE(map.rounds());
  const LinearMap zero(DenseMap{1, 1, 2, 1, {0, -0.0}});
  EXPECT_EQ(zero.terms(), 0);
  EXPECT_EQ(zero.max_abs_weight(), 0);
}

TEST(LinearMap, IndexMapPicksNegatesAndLeavesOut) {
  const LinearMap map(IndexMap{4, 3, {2, -1, 0, 2}, -1});
  EXPECT_THAT(applied(map, {1, 2, 3}), ElementsAre(-3, 0, -1, -3));
  EXPECT_THAT(applied(map, {1, 2, 3}, true), ElementsAre(3, 0, 1, 3));
  EXPECT_THAT(transposed(map, {1, 10, 100, 1000}), ElementsAre(-100, 0, -1001));
  EXPECT_EQ(map.terms(), 1);
  EXPECT_EQ(map.transpose_terms(), 2);
  EXPECT_FALSE(map.rounds());
  EXPECT_TRUE(map.transpose_rounds());
}

TEST(LinearMap, Identity) {
  const LinearMap map = LinearMap::identity(3);
  EXPECT_TRUE(map.is_identity());
  EXPECT_THAT(applied(map, {1, 2, 3}), ElementsAre(1, 2, 3));
  EXPECT_FALSE(map.transpose_rounds());
  EXPECT_FALSE(LinearMap::identity(3, -1).is_identity());
  EXPECT_THAT(transposed(LinearMap::identity(2, -1), {1, 2}), ElementsAre(-1, -2));
}

TEST(LinearMap, ExactInFloat32) {
  EXPECT_TRUE(LinearMap(DenseMap{1, 1, 2, 1, {0.5, static_cast<double>(0.1F)}}).exact_in_float32());
  EXPECT_FALSE(LinearMap(DenseMap{1, 1, 2, 1, {0.5, 0.1}}).exact_in_float32());
  EXPECT_FALSE(LinearMap(DenseMap{1, 1, 1, 1, {1e300}}).exact_in_float32());
  EXPECT_TRUE(LinearMap::identity(2).exact_in_float32());
}

TEST(LinearMap, RefusesWhatDoesNotFit) {
  EXPECT_THROW(LinearMap(DenseMap{1, 2, 2, 1, {1, 2, 3}}), InternalError);
  EXPECT_THROW(LinearMap(DenseMap{1, 1, 1, 1, {std::numeric_limits<double>::quiet_NaN()}}), InternalError);
  EXPECT_THROW(LinearMap(DenseMap{1, 1, 1, 1, {std::numeric_limits<double>::infinity()}}), InternalError);
  EXPECT_THROW(LinearMap(IndexMap{2, 3, {}, 1}), InternalError);
  EXPECT_THROW(LinearMap(IndexMap{1, 3, {3}, 1}), InternalError);
  EXPECT_THROW(LinearMap(IndexMap{2, 3, {0}, 1}), InternalError);
  EXPECT_THROW(LinearMap(IndexMap{1, 1, {0}, 2}), InternalError);
  const LinearMap map = LinearMap::identity(2);
  std::vector<double> three(3);
  EXPECT_THROW(map.apply(three, three), InternalError);
}

TEST(LinearMap, NanAndInfinityAreNotHiddenByZeroWeights) {
  const LinearMap map(DenseMap{1, 1, 2, 1, {0, 1}});
  EXPECT_TRUE(std::isnan(applied(map, {std::numeric_limits<double>::infinity(), 1})[0]));
}

TEST(LinearMap, Prints) {
  EXPECT_EQ(LinearMap(DenseMap{1, 2, 1, 3, {1, 2}}).print(), "dense 1x2x1x3");
  EXPECT_EQ(LinearMap(IndexMap{2, 5, {0, 1}, 1}).print(), "index 2 <- 5");
  EXPECT_EQ(LinearMap::identity(5).print(), "identity 5");
}

// v . (M x) = (M^T v) . x, exactly for small integers.
TEST(LinearMap, TransposeIsTheAdjoint) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    const auto integers = [&](std::int64_t count) {
      std::vector<double> values;
      for (std::int64_t i = 0; i < count; ++i) values.push_back(static_cast<double>(random.integer(-4, 4)));
      return values;
    };
    const std::int64_t outer = random.integer(1, 3), rows = random.integer(1, 4), columns = random.integer(1, 4),
                       inner = random.integer(1, 3);
    std::vector<std::int64_t> source;
    for (std::int64_t i = 0; i < rows; ++i) source.push_back(random.integer(-1, columns - 1));
    const LinearMap map = random.coin() ? LinearMap(DenseMap{outer, rows, columns, inner, integers(rows * columns)})
                                        : LinearMap(IndexMap{rows, columns, source, random.coin() ? 1.0 : -1.0});
    const std::vector<double> x = integers(map.in_size()), v = integers(map.out_size());
    for (const bool absolute : {false, true}) {
      const std::vector<double> y = applied(map, x, absolute), back = transposed(map, v, absolute);
      double left = 0, right = 0;
      for (std::size_t i = 0; i < y.size(); ++i) left += v[i] * y[i];
      for (std::size_t i = 0; i < x.size(); ++i) right += back[i] * x[i];
      EXPECT_EQ(left, right) << map.print() << " seed " << seed;
    }
  }
}

}  // namespace
}  // namespace boundflow
