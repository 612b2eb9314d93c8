// The constants of the error analysis against numbers worked out by hand from docs/soundness.md.
#include "exec/error_model.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "support/random_linear_map.hpp"

namespace boundflow {
namespace {

constexpr double u32 = 0x1p-24;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

AffineData dense(std::int64_t rows, std::int64_t columns, std::vector<double> weights, std::vector<double> bias = {}) {
  AffineData data;
  data.maps = {std::make_shared<const LinearMap>(DenseMap{1, rows, columns, 1, std::move(weights)})};
  data.deployed_products = 1;
  data.deployed_roundings = columns + (bias.empty() ? 0 : 1);
  data.bias = std::move(bias);
  data.deployed_unit_roundoff = kUnitRoundoff32;
  data.deployed_smallest_normal = kSmallestNormal32;
  data.deployed_largest = kLargest32;
  return data;
}

TEST(AffineErrorModel, CountsTermsOfBothDirections) {
  // 2 x 3, one zero: rows of 3 and 2 terms, columns of 2, 1 and 2.
  const AffineErrorModel model(dense(2, 3, {0.5, 3, 5, 7, 0, 9}), 2, true);
  EXPECT_EQ(model.backward_gamma, gamma_up(2, u32));
  EXPECT_EQ(model.forward_gamma, gamma_up(3 + 2, u32));
  EXPECT_EQ(model.terms, 3);
  EXPECT_EQ(model.products, 1);
  EXPECT_EQ(model.additions, 2);
  EXPECT_EQ(model.bias_gamma, 0);
}

TEST(AffineErrorModel, ChargesWeightsThatFloat32Rounds) {
  const AffineData data = dense(1, 2, {0.1, 0.5}, {1});
  EXPECT_EQ(AffineErrorModel(data, 1, true).backward_gamma, gamma_up(1 + 1, u32));
  EXPECT_EQ(AffineErrorModel(data, 1, true).forward_gamma, gamma_up(2 + 1 + 2, u32));
  EXPECT_EQ(AffineErrorModel(data, 1, false).backward_gamma, gamma_up(1, kUnitRoundoff64));
  EXPECT_EQ(AffineErrorModel(data, 1, false).bias_gamma, gamma_up(1 + 4, kUnitRoundoff64));
}

TEST(AffineErrorModel, WeightsBelowFloat32ProveNothing) {
  const AffineData data = dense(1, 1, {0x1.8p-149});
  EXPECT_EQ(AffineErrorModel(data, 1, true).forward_gamma, kInfinity);
  EXPECT_LT(AffineErrorModel(data, 1, false).forward_gamma, 1e-14);
}

TEST(AffineErrorModel, DataMovementCostsNothing) {
  AffineData data;
  data.maps = {std::make_shared<const LinearMap>(IndexMap{2, 3, {2, 0}, 1})};
  const AffineErrorModel model(data, 2, true);
  EXPECT_EQ(model.backward_gamma, 0);
  EXPECT_EQ(model.deployed_tiny, 0);
  EXPECT_EQ(model.additions, 0);
}

TEST(AffineErrorModel, BroadcastsAddUpOnTheWayBack) {
  AffineData data;
  data.maps = {std::make_shared<const LinearMap>(IndexMap{4, 2, {0, 0, 0, 1}, -1})};
  EXPECT_EQ(AffineErrorModel(data, 4, true).backward_gamma, gamma_up(3, u32));
}

TEST(AffineErrorModel, DeadCoordinatesTakeNoAdditions) {
  const AffineErrorModel model(dense(1, 4, {1.5, 2.5, 3.5, 4.5}, {1}), 1, true);
  EXPECT_EQ(model.additions, 4);
  EXPECT_EQ(model.live_additions(9), 4);
  EXPECT_EQ(model.live_additions(4), 4);
  EXPECT_EQ(model.live_additions(1), 1);  // one product and the bias
  EXPECT_EQ(model.live_additions(0), 0);
}

// y = w0 x0 + w1 x1 + b: products off by u each, then two additions: u (|partial sum| + |y|).
TEST(AffineErrorModel, ExecutionErrorIsThatOfPartialSums) {
  const AffineErrorModel model(dense(1, 2, {3, -3}, {1}), 1, true);
  const double sum_abs = 601, abs_y = 1;
  const double expected = u32 * sum_abs + u32 * ((sum_abs + abs_y) / 2 + abs_y);
  const double error = model.executions(100, 2).error(sum_abs, abs_y);
  EXPECT_GE(error, expected);
  EXPECT_LE(error, expected * (1 + 1e-5));
  // One product alone.
  EXPECT_NEAR(model.executions(100, 0).error(sum_abs, abs_y), u32 * sum_abs, 1e-5 * u32 * sum_abs);
}

TEST(AffineErrorModel, ExecutionsThatMayOverflowHaveNoError) {
  const AffineErrorModel model(dense(1, 2, {3, -3}), 1, true);
  EXPECT_TRUE(std::isfinite(model.executions(1, 1).error(1e38, 0)));
  EXPECT_EQ(model.executions(1, 1).error(2e38, 0), kInfinity);  // half of the range is spared
  EXPECT_EQ(model.executions(1, 1).error(kInfinity, 0), kInfinity);
  EXPECT_EQ(model.executions(1, 1).error(kNan, 0), kInfinity);
  AffineData scaled = dense(1, 2, {3, -3});
  scaled.deployed_growth = 1024;  // an execution multiplies by 1 / 1024 at the end
  EXPECT_EQ(AffineErrorModel(scaled, 1, true).executions(1, 1).error(1e36, 0), kInfinity);
  EXPECT_EQ(AffineErrorModel(scaled, 1, true).deployed_tiny, 1024 * model.deployed_tiny);
}

TEST(AffineErrorModel, DeadOperandsShortenSumsUnlessTheyAreShiftedFirst) {
  AffineData data = dense(1, 4, {3, 5, 7, 9});
  const AffineErrorModel model(data, 1, true);
  EXPECT_EQ(model.additions, 3);
  EXPECT_EQ(model.live_additions(2), 1);
  data.deployed_shifts_terms = true;
  const AffineErrorModel shifted(data, 1, true);
  EXPECT_EQ(shifted.live_additions(2), 3);
  EXPECT_EQ(shifted.live_additions(0), 3);
}

TEST(AffineErrorModel, OperandsThatOverflowOnTheirOwnHaveNoError) {
  AffineData data = dense(1, 2, {0x1p-100, 0});
  data.deployed_operand_range = 1000;
  const AffineErrorModel model(data, 1, true);
  EXPECT_TRUE(std::isfinite(model.executions(999, 1).error(1, 1)));
  EXPECT_EQ(model.executions(1000, 1).error(1, 1), kInfinity);
  EXPECT_EQ(model.executions(kNan, 1).error(1, 1), kInfinity);
}

AffineCoordinate real_bound(const AffineErrorModel& model, const AffineSums& sums) {
  return bound_affine_coordinate<false>(model, sums, ExecutionModel());
}

// Where no coordinate of x exceeds 5.
AffineCoordinate executed_bound(const AffineErrorModel& model, const AffineSums& sums, std::int64_t additions) {
  return bound_affine_coordinate<true>(model, sums, model.executions(5, additions));
}

TEST(BoundAffineCoordinate, WidensByRadiusAndRounding) {
  const AffineErrorModel model(dense(1, 2, {1, 2}), 1, true);
  const AffineSums sums{.centre = 10, .radius = 3, .magnitude = 13, .bias = 0.5};
  const AffineCoordinate real = real_bound(model, sums);
  const double rounding = gamma_up(4, u32) * 13;
  EXPECT_LE(real.lower, 10.5 - 3 - rounding);
  EXPECT_GE(real.upper, 10.5 + 3 + rounding);
  EXPECT_NEAR(real.lower, 10.5 - 3 - rounding, 1e-5);
  EXPECT_NEAR(real.upper, 10.5 + 3 + rounding, 1e-5);
  EXPECT_GE(real.weight, model.backward_gamma * 13);
  EXPECT_LE(real.weight, model.backward_gamma * 13 * 1.0001);

  const AffineCoordinate executed = executed_bound(model, sums, 1);
  const double execution = model.executions(5, 1).error(13.5, 13.5);
  EXPECT_NEAR(executed.upper - real.upper, execution, 0.01 * execution);
  EXPECT_NEAR(real.lower - executed.lower, execution, 0.01 * execution);
  EXPECT_NEAR(executed.weight - real.weight, execution, 0.01 * execution);
}

TEST(BoundAffineCoordinate, ChargesTheDotWithTheBias) {
  const AffineErrorModel model(dense(1, 1, {1}, {1e9}), 1, false);
  const AffineCoordinate y = real_bound(model, {.magnitude = 0, .bias = 1e9});
  EXPECT_GE(y.weight, gamma_up(5, kUnitRoundoff64) * 1e9);
  EXPECT_LT(y.lower, 1e9);
  EXPECT_GT(y.upper, 1e9);
}

TEST(BoundAffineCoordinate, NanAndInfinityGiveNoFiniteBound) {
  const AffineErrorModel model(dense(1, 2, {1, 2}), 1, true);
  for (const double bad : {kNan, kInfinity}) {
    for (const AffineSums& sums :
         {AffineSums{.centre = bad, .radius = bad, .magnitude = bad}, AffineSums{.radius = bad, .magnitude = bad},
          AffineSums{.magnitude = bad}, AffineSums{.centre = -bad, .radius = 1, .magnitude = bad}}) {
      for (const AffineCoordinate& y : {real_bound(model, sums), executed_bound(model, sums, 1)}) {
        EXPECT_FALSE(std::isfinite(y.lower));
        EXPECT_FALSE(std::isfinite(y.upper));
        EXPECT_FALSE(std::isfinite(y.weight));
      }
    }
  }
}

TEST(RowErrorModel, SumsItsParts) {
  const double error = RowErrorModel(10, u32).finish(1e-3, 0, 0, 0);
  EXPECT_GE(error, 1e-3 * (1 + 2 * gamma_up(10, u32)));
  EXPECT_LE(error, 1e-3 * 1.0001);
  EXPECT_GE(RowErrorModel(10, u32).finish(0, 1e6, 0, 0), gamma_up(10, kUnitRoundoff64) * 1e6);
  EXPECT_GE(RowErrorModel(10, u32).finish(0, 0, 1e6, -1e6), 2 * kUnitRoundoff64 * 2e6);
  EXPECT_LT(RowErrorModel(10, u32).finish(0, 0, 1e6, -1e6), 1e-8);
  EXPECT_GT(RowErrorModel(10, u32).finish(0, 0, 0, 0), 0);
}

TEST(RowErrorModel, NanAndInfinityStay) {
  for (const double bad : {kNan, kInfinity}) {
    EXPECT_FALSE(std::isfinite(RowErrorModel(10, u32).finish(bad, 0, 0, 0)));
    EXPECT_FALSE(std::isfinite(RowErrorModel(10, u32).finish(0, bad, 0, 0)));
    EXPECT_FALSE(std::isfinite(RowErrorModel(10, u32).finish(0, 0, bad, 0)));
    EXPECT_FALSE(std::isfinite(RowErrorModel(10, u32).finish(0, 0, 0, bad)));
  }
  // As many terms as make gamma meaningless.
  EXPECT_EQ(RowErrorModel(std::int64_t{1} << 24, u32).finish(1, 0, 0, 0), kInfinity);
}

// The weights of a map stand for numbers at either end of what the stated error allows: bounds of both directions hold
// for those.
TEST(AffineErrorModel, CoversWhatWeightsStandFor) {
  constexpr double e = 0x1p-6;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const std::int64_t n = random.integer(1, 5);
    const std::vector<double> stored = random_numbers(random, n);
    AffineData data = dense(1, n, stored);
    data.maps = {std::make_shared<const LinearMap>(DenseMap{1, 1, n, 1, stored}, e)};
    const AffineErrorModel model(data, 1, false);
    AffineSums sums;
    double real = 0, difference = 0;
    // At x = +-1, with errors that all pull the same way.
    const double pull = random.coin() ? 1 : -1;
    for (const double weight : stored) {
      const double x = random.coin() ? 1 : -1;
      const double exact = weight / (1 - (weight * x > 0 ? pull : -pull) * e);
      sums.centre += weight * x;
      sums.magnitude += std::fabs(weight);
      real += exact * x;
      difference += (exact - weight) * x;
    }
    const AffineCoordinate bound = real_bound(model, sums);
    EXPECT_LE(bound.lower, real);
    EXPECT_GE(bound.upper, real);
    EXPECT_GE(bound.weight, std::fabs(difference));
    // Rows that walk back through the exact weights, with what is lost in the transpose.
    EXPECT_GE(model.backward_gamma * (1 + 2 * e), e / (1 - e));
  }
}

// An execution may add the parts of a bias one by one, and rounds them although they cancel.
TEST(AffineErrorModel, ChargesThePartsOfABias) {
  AffineData data = dense(1, 1, {1}, {0});
  data.bias_magnitude = {2000};
  const AffineErrorModel model(data, 1, false);
  const AffineSums sums{.centre = 0.1, .magnitude = 0.1, .bias_magnitude = 2000};
  const AffineCoordinate real = real_bound(model, sums);
  const AffineCoordinate executed = executed_bound(model, sums, model.additions);
  // What is computed of the bias in double is within 64 units of its parts.
  EXPECT_GE(real.upper - 0.1, 64 * kUnitRoundoff64 * 2000);
  EXPECT_LE(real.upper - 0.1, 65 * kUnitRoundoff64 * 2000);
  EXPECT_GE(real.weight, 64 * kUnitRoundoff64 * 2000);
  EXPECT_GE(executed.upper - 0.1, u32 * 1000);
  EXPECT_GE(executed.weight, u32 * 1000);
}

}  // namespace
}  // namespace boundflow
