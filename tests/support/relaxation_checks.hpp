#pragma once
// Are the lines and images of a scalar function valid at sampled points? Points, lines and bounds are doubles, and all
// is compared in exact rational arithmetic; only a transcendental function's own value is known up to 2^-58 of itself.

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "base/random.hpp"
#include "base/rational.hpp"
#include "ir/scalar_function.hpp"

namespace boundflow {

// Where the exact value of f(x) lies.
struct ExactValue {
  Rational lower;
  Rational upper;
};
using ExactFunction = std::function<ExactValue(double)>;

inline ExactFunction exact_function(std::function<Rational(const Rational&)> f) {
  return [f = std::move(f)](double x) {
    const Rational y = f(Rational(x));
    return ExactValue{y, y};
  };
}

// From a function in long double that is within 2^-58 of itself.
inline ExactFunction nearly_exact_function(std::function<long double(long double)> f) {
  return [f = std::move(f)](double x) {
    const long double y = f(x);
    const auto high = static_cast<double>(y);
    const Rational near = Rational(high) + Rational(static_cast<double>(y - high));
    const Rational margin = abs(near) * Rational(0x1p-58) + Rational(std::numeric_limits<double>::denorm_min());
    return ExactValue{near - margin, near + margin};
  };
}

struct Interval {
  double l = 0;
  double u = 0;
};

// Random intervals of ordinary, tiny and huge ends.
inline std::vector<Interval> random_intervals(int count) {
  std::vector<Interval> intervals;
  for (int seed = 0; seed < count; ++seed) {
    Random random(static_cast<std::uint64_t>(seed));
    const auto end = [&] {
      return std::ldexp(random.uniform(-1, 1),
                        static_cast<int>(random.coin() ? random.integer(-6, 6) : random.integer(-1080, 996)));
    };
    double a = end(), b = end();
    if (random.integer(0, 5) == 0) b = a + std::ldexp(random.uniform(-1, 1), static_cast<int>(random.integer(-60, -3)));
    intervals.push_back({std::min(a, b), std::max(a, b)});
  }
  return intervals;
}

// Intervals with ends at 0, at the smallest numbers of both formats, at 1 and far out, and single points.
inline std::vector<Interval> special_intervals() {
  constexpr double tiny = std::numeric_limits<double>::denorm_min();
  const std::vector<double> ends{-1e300,     -1e5,  -710.0, -20.0, -1.0,      -0x1p-126, -0x1p-149,
                                 -0x1p-1022, -tiny, 0.0,    tiny,  0x1p-1022, 0x1p-149,  0x1p-126,
                                 1.0,        20.0,  710.0,  1e5,   1e300};
  std::vector<Interval> intervals;
  for (const double l : ends) {
    for (const double u : ends) {
      if (l <= u) intervals.push_back({l, u});
    }
  }
  return intervals;
}

inline std::vector<double> sampled_points(const Interval& in) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  std::vector<double> points;
  const auto add = [&](double x) {
    if (x >= in.l && x <= in.u) points.push_back(x);
  };
  for (const double x : {in.l, in.u, std::nextafter(in.l, inf), std::nextafter(in.u, -inf), in.l / 2, in.u / 2}) add(x);
  for (int i = 1; i < 24; ++i) add(in.l + (in.u / 24 - in.l / 24) * i);
  for (const double x : {-2.0, -1.0, -0.25, -1e-9, 0.0, 1e-9, 0.25, 1.0, 2.0}) add(x);
  return points;
}

inline Rational line_at(double slope, double intercept, double x) {
  return Rational(slope) * Rational(x) + Rational(intercept);
}

// The lines and the image hold at every sampled point. An intercept may be infinite in the harmless direction, where
// the numbers of the line itself overflow.
inline void expect_sound(const ScalarFunction& f, const ExactFunction& exact, const Interval& in) {
  SCOPED_TRACE(std::string(f.name()) + " on " + std::to_string(in.l) + ", " + std::to_string(in.u));
  constexpr double inf = std::numeric_limits<double>::infinity();
  double image_l = 0, image_u = 0;
  f.image(in.l, in.u, image_l, image_u);
  const std::vector<double> points = sampled_points(in);
  for (const bool float32_slopes : {false, true}) {
    const Relaxation lines = f.relax(in.l, in.u, float32_slopes);
    for (const double slope : {lines.lower_slope, lines.upper_slope}) {
      ASSERT_TRUE(std::isfinite(slope));
      EXPECT_TRUE(!float32_slopes || slope == static_cast<double>(static_cast<float>(slope))) << slope;
    }
    ASSERT_FALSE(std::isnan(lines.lower_intercept) || lines.lower_intercept == inf);
    ASSERT_FALSE(std::isnan(lines.upper_intercept) || lines.upper_intercept == -inf);
    for (const double x : points) {
      const ExactValue y = exact(x);
      if (std::isfinite(lines.lower_intercept)) {
        EXPECT_LE(line_at(lines.lower_slope, lines.lower_intercept, x), y.upper) << "lower line at " << x;
      }
      if (std::isfinite(lines.upper_intercept)) {
        EXPECT_GE(line_at(lines.upper_slope, lines.upper_intercept, x), y.lower) << "upper line at " << x;
      }
      EXPECT_TRUE(image_l == -inf || Rational(image_l) <= y.upper) << "image at " << x;
      EXPECT_TRUE(image_u == inf || Rational(image_u) >= y.lower) << "image at " << x;
    }
  }
}

// The lines to choose from hold at every sampled point, and so does what lies between them; a point to split
// at lies inside.
inline void expect_sound_choices(const ScalarFunction& f, const ExactFunction& exact, const Interval& in) {
  SCOPED_TRACE(std::string(f.name()) + " on " + std::to_string(in.l) + ", " + std::to_string(in.u));
  double point = 0;
  const bool can_split = f.split_point(in.l, in.u, point);
  if (can_split) {
    EXPECT_TRUE(in.l < point && point < in.u && point == static_cast<double>(static_cast<float>(point))) << point;
    EXPECT_FALSE(f.is_stable(in.l, in.u));
  }
  const std::vector<double> points = sampled_points(in);
  for (const bool float32_slopes : {false, true}) {
    LineChoices found;
    if (!f.choices(in.l, in.u, float32_slopes, found)) {
      EXPECT_TRUE(f.is_stable(in.l, in.u) || !can_split);
      continue;
    }
    for (const bool above : {false, true}) {
      const LineChoice& choice = above ? found.above : found.below;
      EXPECT_TRUE(choice.start >= 0 && choice.start <= 1);
      for (const double share : {0.0, 1.0, 0.5, 1.0 / 3, 0.123, 0.25, 0.75, 0.9999, 1e-9, choice.start}) {
        if (choice.count() == 0) continue;
        const double extent = std::max(-in.l, in.u);
        const Line line = !choice.is_free() ? choice.at(share)
                          : above           ? choice.sound_above(share, extent, float32_slopes)
                                            : choice.sound_below(share, extent, float32_slopes);
        EXPECT_TRUE(std::isfinite(line.slope));
        EXPECT_TRUE(!float32_slopes || line.slope == static_cast<double>(static_cast<float>(line.slope)));
        if (!std::isfinite(line.intercept)) continue;  // one that overflows
        for (const double x : points) {
          const ExactValue y = exact(x);
          if (above) {
            EXPECT_GE(line_at(line.slope, line.intercept, x), y.lower) << "share " << share << " at " << x;
          } else {
            EXPECT_LE(line_at(line.slope, line.intercept, x), y.upper) << "share " << share << " at " << x;
          }
        }
      }
      EXPECT_TRUE(!choice.is_free() || std::isnan(choice.sound_below(std::nan(""), 1, float32_slopes).intercept));
    }
  }
}

// The lines at the interval's midpoint are no further apart than the function's convex and concave envelopes there, up
// to `slack`: no two lines enclose less area. The envelopes are found by brute force over chords.
inline void expect_least_area(const ScalarFunction& f, const Interval& in, double slack) {
  constexpr int kSteps = 400;
  const double middle = in.l / 2 + in.u / 2;
  const auto x = [&](int i) { return in.l + (in.u - in.l) * i / (2 * kSteps); };
  double concave = f.value(middle), convex = concave;
  for (int i = 0; i < kSteps; ++i) {
    for (int k = kSteps + 1; k <= 2 * kSteps; ++k) {
      const double weight = (middle - x(i)) / (x(k) - x(i));
      const double height = f.value(x(i)) * (1 - weight) + f.value(x(k)) * weight;
      concave = std::max(concave, height);
      convex = std::min(convex, height);
    }
  }
  const Relaxation lines = f.relax(in.l, in.u, true);
  EXPECT_LE(lines.upper_slope * middle + lines.upper_intercept, concave + slack) << f.name() << in.l << " " << in.u;
  EXPECT_GE(lines.lower_slope * middle + lines.lower_intercept, convex - slack) << f.name() << in.l << " " << in.u;
}

// NaN must reach the answer, where it proves nothing; and bounds that are not finite have no lines.
inline void expect_fails_closed(const ScalarFunction& f) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  constexpr double inf = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(std::isnan(f.value(nan)) && std::isnan(f.derivative(nan)));
  EXPECT_FALSE(f.is_stable(nan, nan));
  for (const Interval& in : {Interval{nan, 1}, Interval{-1, nan}, Interval{nan, nan}}) {
    double l = 0, u = 0;
    f.image(in.l, in.u, l, u);
    EXPECT_TRUE(std::isnan(l) && std::isnan(u)) << f.name();
  }
  for (const Interval& in : {Interval{nan, 1}, Interval{-1, nan}, Interval{-inf, 1}, Interval{-1, inf},
                             Interval{0, inf}, Interval{-inf, 0}, Interval{-inf, inf}}) {
    LineChoices found;
    double point = 0;
    EXPECT_FALSE(f.choices(in.l, in.u, true, found)) << f.name();
    EXPECT_TRUE(!std::isnan(in.l + in.u) || !f.split_point(in.l, in.u, point)) << f.name();
    const Relaxation lines = f.relax(in.l, in.u, true);
    EXPECT_TRUE(std::isnan(lines.lower_slope) && std::isnan(lines.lower_intercept)) << f.name();
    EXPECT_TRUE(std::isnan(lines.upper_slope) && std::isnan(lines.upper_intercept)) << f.name();
  }
}

}  // namespace boundflow
