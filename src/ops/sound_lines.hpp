#pragma once
// What the relaxations of the operators have in common: a slope is rounded first, to a number that the kernels can
// hold; then the intercept is computed for that very slope, and rounded outward. Rounding a slope costs width, never
// soundness.

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/rounding.hpp"
#include "ir/scalar_function.hpp"

namespace boundflow {

inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
// For bounds that are not finite no pair of lines is known to hold; NaN reaches the answer and proves nothing there.
inline constexpr Relaxation kNoLines{kNan, kNan, kNan, kNan};

// The slope as the kernels hold it.
inline double kernel_slope(double slope, bool float32_slopes) {
  if (!float32_slopes) return slope;
  return static_cast<double>(static_cast<float>(std::clamp(slope, -kLargest32, kLargest32)));
}

// Near (y_b - y_a) / (x_b - x_a), but within [least, most] also where that overflows or has lost all digits. Halved,
// since the differences may overflow.
inline double chord_slope(double x_a, double y_a, double x_b, double y_b, double least, double most) {
  const double slope = (y_b / 2 - y_a / 2) / (x_b / 2 - x_a / 2);
  return std::isnan(slope) ? least : std::clamp(slope, least, most);
}

// Of smooth functions: how many tangents there are to choose from, and where the i-th touches between l and u. Lines
// between neighbours lie below the function's own tangents by little.
inline constexpr int kTangents = 7;
inline double tangent_at(double l, double u, int i) {
  const double share = static_cast<double>(i) / (kTangents - 1);
  return i == 0 ? l : i == kTangents - 1 ? u : (1 - share) * l + share * u;
}

// The middle of [l, u] as a float32 number, where halves are still worth having.
inline bool split_in_the_middle(double l, double u, double& point) {
  constexpr double kLeastWidth = 1e-4;  // absolute and relative
  point = static_cast<double>(static_cast<float>(l / 2 + u / 2));
  const double least = kLeastWidth * std::max(1.0, std::fabs(point));
  return l < point && point < u && u - l > least && std::isfinite(u - l);
}

// Minimum and maximum that keep NaN, which std::min, std::max and fmin may drop.
template <class T>
T min_or_nan(T a, T b) {
  return std::isnan(a) || a <= b ? a : b;
}
template <class T>
T max_or_nan(T a, T b) {
  return std::isnan(a) || a >= b ? a : b;
}

}  // namespace boundflow
