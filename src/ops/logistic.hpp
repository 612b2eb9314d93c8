#pragma once
// The logistic function 1 / (1 + exp(-x)), which sigmoid is and tanh's derivative is made of.

#include <cmath>

#include "ops/elementary_function.hpp"

namespace boundflow {

// In the form that neither overflows nor cancels.
template <class T>
T logistic(T x) {
  if (x > 0) return 1 / (1 + std::exp(-x));
  const T power = std::exp(x);
  return power / (1 + power);
}

inline double logistic_derivative(double x) {
  const double small = logistic(-std::fabs(x));
  return small * (1 - small);
}

// exp is within 4 ulp, the addition and the division round once each.
inline ScalarEnclosure enclose_logistic(double x) {
  const ScalarEnclosure near = within_ulps(logistic(x), 8);
  return {std::max(near.lower, 0.0), std::min(near.upper, 1.0)};
}

// For x <= 0, where y (1 - y) grows with y = logistic(x) <= 1/2.
inline ScalarEnclosure enclose_logistic_derivative(double x) {
  const ScalarEnclosure y = enclose_logistic(x);
  const double upper = std::min(y.upper, 0.5);
  return {mul_down(y.lower, sub_down(1, y.lower)), mul_up(upper, sub_up(1, upper))};
}

}  // namespace boundflow
