// The vector loops agree with their definitions in plain double, coordinate by coordinate, at every length and with
// every kind of number.
#include "exec/interval_loops.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/random.hpp"

namespace boundflow {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct Intervals {
  std::vector<double> lower, upper;
};

Intervals random_intervals(Random& random, std::int64_t n, bool finite) {
  Intervals x;
  for (std::int64_t i = 0; i < n; ++i) {
    const double scale = std::ldexp(1.0, static_cast<int>(random.integer(-140, 120)));
    double l = scale * random.uniform(-1, 1);
    double u = l + scale * random.uniform(0, 1);
    switch (random.integer(0, finite ? 3 : 6)) {
      case 0:
        l = u = 0;
        break;
      case 1:
        u = l;
        break;
      case 4:
        u = kInfinity;
        break;
      case 5:
        l = -kInfinity;
        break;
      case 6:
        (random.coin() ? l : u) = kNan;
        break;
      default:
        break;
    }
    x.lower.push_back(l);
    x.upper.push_back(u);
  }
  return x;
}

template <class T>
class IntervalLoops : public testing::Test {};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(IntervalLoops, Elements);

TYPED_TEST(IntervalLoops, SplitsCoverTheirIntervals) {
  using T = TypeParam;
  for (std::int64_t n = 0; n < 70; ++n) {
    Random random(static_cast<std::uint64_t>(n));
    const Intervals x = random_intervals(random, n, n % 2 == 0);
    std::vector<T> c(x.lower.size()), r(c), m(c);
    const IntervalExtent extent = split_intervals(x.lower.data(), x.upper.data(), n, c.data(), r.data(), m.data());
    double largest = 0;
    std::int64_t live = 0;
    bool nan = false;
    for (std::size_t i = 0; i < c.size(); ++i) {
      const double l = x.lower[i], u = x.upper[i];
      nan = nan || std::isnan(l) || std::isnan(u);
      largest = std::max({largest, std::fabs(l), std::fabs(u)});
      live += l == 0 && u == 0 ? 0 : 1;
      const double centre = static_cast<double>(c[i]), radius = static_cast<double>(r[i]);
      if (!std::isfinite(l) || !std::isfinite(u)) {
        EXPECT_FALSE(std::isfinite(radius)) << l << " " << u;
        continue;
      }
      // Both sums are of numbers near each other in magnitude; long double holds them exactly enough.
      EXPECT_LE(static_cast<long double>(centre) - static_cast<long double>(radius), static_cast<long double>(l));
      EXPECT_GE(static_cast<long double>(centre) + static_cast<long double>(radius), static_cast<long double>(u));
      EXPECT_GE(static_cast<double>(m[i]), std::max({std::fabs(l), std::fabs(u), std::fabs(centre)}));
      EXPECT_LE(static_cast<double>(m[i]), (std::fabs(centre) + radius) * (1 + 1e-6) + 1e-44);
      EXPECT_LE(radius, 0.5 * (u - l) * (1 + 1e-6) + std::max(std::fabs(l), std::fabs(u)) * 1e-7 + 1e-44);
    }
    EXPECT_EQ(extent.live, live);
    EXPECT_EQ(interval_extent(x.lower.data(), x.upper.data(), n).live, live);
    if (nan) {
      EXPECT_TRUE(std::isnan(extent.max_abs));
    } else {
      EXPECT_EQ(extent.max_abs, largest);
      EXPECT_EQ(interval_extent(x.lower.data(), x.upper.data(), n).max_abs, largest);
    }
  }
}

void expect_same(double a, double b) {
  if (std::isnan(b)) {
    EXPECT_TRUE(std::isnan(a)) << a;
  } else {
    EXPECT_EQ(a, b);
  }
}

TYPED_TEST(IntervalLoops, BoundsAreThoseOfEachCoordinate) {
  using T = TypeParam;
  AffineData data;
  data.maps.push_back(std::make_shared<const LinearMap>(DenseMap{1, 2, 3, 1, {1, -2, 3, 0.1, 5, -6}}));
  data.deployed_roundings = 3;
  data.deployed_unit_roundoff = kUnitRoundoff32;
  data.deployed_smallest_normal = kSmallestNormal32;
  data.deployed_largest = kLargest32;
  const AffineErrorModel model(data, 2, sizeof(T) == 4);
  const ExecutionModel executions = model.executions(7, 2);
  for (std::int64_t n = 0; n < 70; ++n) {
    Random random(static_cast<std::uint64_t>(n));
    std::vector<T> centre, radius, magnitude;
    std::vector<double> bias, bias_magnitude, ball;
    for (std::int64_t i = 0; i < n; ++i) {
      const bool odd = n % 2 == 1 && random.integer(0, 4) == 0;
      const double wild = random.coin() ? kNan : kInfinity;
      centre.push_back(static_cast<T>(odd ? wild : random.uniform(-9, 9)));
      radius.push_back(static_cast<T>(odd && random.coin() ? wild : random.uniform(0, 2)));
      magnitude.push_back(static_cast<T>(odd ? wild : random.uniform(9, 20)));
      bias.push_back(random.coin() ? 0.0 : random.uniform(-1, 1));
      bias_magnitude.push_back(random.coin() ? 0.0 : 2.0);
      ball.push_back(random.uniform());
    }
    AffineSumRows<T> rows{centre.data(), radius.data(), magnitude.data(), nullptr, bias.data(), bias_magnitude.data()};
    for (const bool in_ball : {false, true}) {
      rows.ball_radius = in_ball ? ball.data() : nullptr;
      for (const ExecutionModel* executed : {static_cast<const ExecutionModel*>(nullptr), &executions}) {
        std::vector<double> lower(bias.size()), upper(bias.size());
        std::vector<float> weight(bias.size());
        bound_affine(model, rows, n, executed, lower.data(), upper.data(), weight.data());
        for (std::size_t i = 0; i < bias.size(); ++i) {
          const AffineSums sums{.centre = static_cast<double>(centre[i]),
                                .radius = static_cast<double>(radius[i]) + (in_ball ? ball[i] : 0.0),
                                .magnitude = static_cast<double>(magnitude[i]),
                                .bias = bias[i],
                                .bias_magnitude = bias_magnitude[i]};
          const AffineCoordinate expected = executed != nullptr
                                                ? bound_affine_coordinate<true>(model, sums, executions)
                                                : bound_affine_coordinate<false>(model, sums, executions);
          expect_same(lower[i], expected.lower);
          expect_same(upper[i], expected.upper);
          expect_same(static_cast<double>(weight[i]), static_cast<double>(cast_up<float>(expected.weight)));
        }
      }
    }
  }
}

TYPED_TEST(IntervalLoops, LinesAreRoundedOutwardAndPaidFor) {
  using T = TypeParam;
  for (std::int64_t n = 0; n < 70; ++n) {
    Random random(static_cast<std::uint64_t>(n));
    const Intervals x = random_intervals(random, n, true);
    std::vector<double> a, low, b, high;
    for (std::int64_t i = 0; i < n; ++i) {
      a.push_back(random.coin() ? 0.0 : static_cast<double>(static_cast<float>(random.uniform(-2, 2))));
      b.push_back(random.coin() ? 1.0 : static_cast<double>(static_cast<float>(random.uniform(-2, 2))));
      low.push_back(random.integer(0, 5) == 0 ? kNan : random.uniform(-3, 3));
      high.push_back(random.integer(0, 5) == 0 ? kInfinity : random.uniform(-3, 3));
    }
    std::vector<T> la(a.size()), ll(a.size()), ua(a.size()), ul(a.size());
    std::vector<float> weight(a.size());
    store_lines(x.lower.data(), x.upper.data(), {a.data(), low.data(), b.data(), high.data()}, n, kUnitRoundoff<T>,
                1e-15, la.data(), ll.data(), ua.data(), ul.data(), weight.data());
    for (std::size_t i = 0; i < a.size(); ++i) {
      EXPECT_EQ(static_cast<double>(la[i]), a[i]);
      EXPECT_EQ(static_cast<double>(ua[i]), b[i]);
      expect_same(static_cast<double>(ll[i]), static_cast<double>(cast_down<T>(low[i])));
      expect_same(static_cast<double>(ul[i]), static_cast<double>(cast_up<T>(high[i])));
      if (std::isnan(low[i]) || std::isinf(high[i])) {
        EXPECT_FALSE(std::isfinite(weight[i]));
        continue;
      }
      const double abs_x = std::max(std::fabs(x.lower[i]), std::fabs(x.upper[i]));
      const double inexact =
          std::max(a[i] == 0 || a[i] == 1 ? 0 : std::fabs(a[i]), b[i] == 0 || b[i] == 1 ? 0 : std::fabs(b[i]));
      const double intercept = std::max(std::fabs(static_cast<double>(ll[i])), std::fabs(static_cast<double>(ul[i])));
      const double paid = kUnitRoundoff<T> * inexact * abs_x + 1e-15 * intercept;
      EXPECT_GE(static_cast<double>(weight[i]), paid);
      EXPECT_LE(static_cast<double>(weight[i]), paid * 1.000001 + 1e-44);
    }
  }
}

TYPED_TEST(IntervalLoops, MagnitudesCoverTheirIntervals) {
  using T = TypeParam;
  for (std::int64_t n = 0; n < 70; ++n) {
    Random random(static_cast<std::uint64_t>(n));
    const Intervals x = random_intervals(random, n, n % 2 == 0);
    std::vector<T> magnitude(x.lower.size());
    upper_magnitudes(x.lower.data(), x.upper.data(), n, magnitude.data());
    for (std::size_t i = 0; i < magnitude.size(); ++i) {
      const double l = x.lower[i], u = x.upper[i];
      expect_same(static_cast<double>(magnitude[i]),
                  std::isnan(l) || std::isnan(u)
                      ? kNan
                      : static_cast<double>(cast_up<T>(std::max(std::fabs(l), std::fabs(u)))));
    }
  }
}

TYPED_TEST(IntervalLoops, SumsAreThoseOfEachEntry) {
  using T = TypeParam;
  for (std::int64_t n = 0; n < 150; ++n) {
    Random random(static_cast<std::uint64_t>(n));
    std::vector<T> a, b, magnitudes, expected;
    double magnitude = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      a.push_back(random.integer(0, 3) == 0 ? T(0) : static_cast<T>(random.uniform(-2, 2)));
      b.push_back(random.integer(0, 3) == 0 ? T(0) : static_cast<T>(random.uniform(-2, 2)));
      magnitudes.push_back(static_cast<T>(std::ldexp(random.uniform(0, 1), static_cast<int>(random.integer(-20, 20)))));
      expected.push_back(a.back() + b.back());
      if (a.back() == 0 || b.back() == 0) continue;
      magnitude += std::fabs(static_cast<double>(expected.back())) * static_cast<double>(magnitudes.back());
    }
    const double tolerance = gamma_up(n + 1, kUnitRoundoff<T>) * magnitude;
    std::vector<T> sums(a.size());
    EXPECT_NEAR(static_cast<double>(add_entries_counted(a.data(), b.data(), magnitudes.data(), n, sums.data())),
                magnitude, tolerance);
    EXPECT_EQ(sums, expected);
    double absolute = 0;
    for (const T entry : a) absolute += std::fabs(static_cast<double>(entry));
    EXPECT_NEAR(static_cast<double>(sum_of_magnitudes(a.data(), n)), absolute,
                gamma_up(n + 1, kUnitRoundoff<T>) * absolute);
    std::vector<T> over = a;
    add_entries(over.data(), b.data(), n, over.data());
    EXPECT_EQ(over, expected);
    over = b;
    add_entries_counted(a.data(), over.data(), magnitudes.data(), n, over.data());
    EXPECT_EQ(over, expected);
    if (n == 0) continue;
    a.assign(a.size(), T(1));
    b.assign(b.size(), T(1));
    b.back() = std::numeric_limits<T>::quiet_NaN();
    EXPECT_TRUE(std::isnan(add_entries_counted(a.data(), b.data(), magnitudes.data(), n, sums.data())));
  }
}

}  // namespace
}  // namespace boundflow
