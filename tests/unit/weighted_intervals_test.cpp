// The loops of constraint propagation against plain ones: sums of intervals, consecutive or gathered, and what moves
// them.
#include "exec/weighted_intervals.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "base/random.hpp"
#include "base/rounding.hpp"

namespace boundflow {
namespace {

struct Sum {
  std::vector<double> weights, lower, upper;
  std::vector<std::int32_t> columns;

  std::int64_t terms() const { return std::ssize(weights); }
  double l(std::size_t e) const { return lower[static_cast<std::size_t>(columns[e])]; }
  double u(std::size_t e) const { return upper[static_cast<std::size_t>(columns[e])]; }
};

Sum random_sum(Random& random, std::int64_t terms, bool consecutive) {
  Sum sum;
  const std::int64_t variables = consecutive ? terms : 3 * terms + 1;
  for (std::int64_t i = 0; i < variables; ++i) {
    sum.lower.push_back(random.uniform(-2, 2));
    sum.upper.push_back(sum.lower.back() + (random.coin() ? random.uniform(0, 2) : 0));
  }
  for (std::int64_t e = 0; e < terms; ++e) {
    sum.weights.push_back(random.uniform(-1, 1));
    sum.columns.push_back(static_cast<std::int32_t>(consecutive ? e : 3 * e + random.integer(0, 2)));
  }
  return sum;
}

WeightedInterval plain(const Sum& sum) {
  WeightedInterval result;
  for (std::size_t e = 0; e < sum.weights.size(); ++e) {
    const double w = sum.weights[e], a = w * sum.l(e), b = w * sum.u(e);
    result.low += std::min(a, b);
    result.high += std::max(a, b);
    result.magnitude += std::max(std::fabs(a), std::fabs(b));
    result.widest = std::max(result.widest, std::fabs(b - a));
  }
  return result;
}

TEST(WeightedIntervals, AreThoseOfPlainLoops) {
  Random random(1);
  for (std::int64_t terms = 0; terms < 70; ++terms) {
    for (const bool consecutive : {false, true}) {
      const Sum sum = random_sum(random, terms, consecutive);
      const WeightedInterval expected = plain(sum);
      const double error = gamma_up(terms + 2, kUnitRoundoff64) * expected.magnitude;
      for (const bool gathered : {false, true}) {
        if (!gathered && !consecutive) continue;
        const WeightedInterval got = weighted_interval(sum.weights.data(), gathered ? sum.columns.data() : nullptr,
                                                       terms, sum.lower.data(), sum.upper.data());
        EXPECT_NEAR(got.low, expected.low, error);
        EXPECT_NEAR(got.high, expected.high, error);
        EXPECT_NEAR(got.magnitude, expected.magnitude, error);
        EXPECT_NEAR(got.widest, expected.widest, 4 * kUnitRoundoff64 * expected.widest);
      }
    }
  }
}

// In each place: of whole vectors, and behind them.
TEST(WeightedIntervals, NanIsNotLost) {
  Random random(2);
  for (std::size_t at = 0; at < 19; ++at) {
    for (const bool of_lower : {false, true}) {
      Sum sum = random_sum(random, 19, true);
      (of_lower ? sum.lower : sum.upper)[at] = std::numeric_limits<double>::quiet_NaN();
      const WeightedInterval got =
          weighted_interval(sum.weights.data(), nullptr, sum.terms(), sum.lower.data(), sum.upper.data());
      EXPECT_TRUE(std::isnan(got.low) || std::isnan(got.high)) << at;
      (of_lower ? sum.lower : sum.upper)[at] = of_lower ? -kInfinity : kInfinity;
      const WeightedInterval open =
          weighted_interval(sum.weights.data(), nullptr, sum.terms(), sum.lower.data(), sum.upper.data());
      EXPECT_TRUE(open.low == -kInfinity || open.high == kInfinity) << at;
      EXPECT_EQ(open.widest, kInfinity);
    }
  }
}

TEST(WeightedIntervals, MoveWithTheEndsOfAVariable) {
  Random random(3);
  for (std::int64_t rows = 0; rows < 40; ++rows) {
    std::vector<double> weights, low, high;
    for (std::int64_t r = 0; r < rows; ++r) {
      weights.push_back(random.integer(0, 5) == 0 ? 0.0 : random.uniform(-1, 1));
      low.push_back(random.uniform(-1, 1));
      high.push_back(random.uniform(1, 2));
    }
    for (const double change : {0.75, -0.5}) {
      std::vector<double> moved_low = low, moved_high = high;
      change > 0 ? move_lower_end(weights.data(), rows, change, moved_low.data(), moved_high.data())
                 : move_lower_end(weights.data(), rows, change, moved_high.data(), moved_low.data());
      for (std::size_t r = 0; r < weights.size(); ++r) {
        // A lower end that moves up raises the least sum where its weight is positive; an upper one lowers the largest.
        const double up = std::max(weights[r] * change, 0.0), down = std::min(weights[r] * change, 0.0);
        EXPECT_NEAR(moved_low[r], low[r] + up, 1e-15);
        EXPECT_NEAR(moved_high[r], high[r] + down, 1e-15);
      }
    }
  }
}

}  // namespace
}  // namespace boundflow
