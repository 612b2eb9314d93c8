#pragma once
// What is assumed of elementary functions (exp, tanh, ...): of our own mathematical library, and of executions.

#include <algorithm>
#include <cmath>

#include "base/rounding.hpp"

namespace boundflow {

struct ScalarEnclosure {
  double lower = 0;
  double upper = 0;
};

// Holds the exact value of which `computed` is an approximation within `ulps` units in the last place, subnormal ones
// included. The mathematical library's exp, expm1 and tanh in double are assumed to be within 4; current ones (glibc,
// musl, Apple, Microsoft) stay below 2, none promises correct rounding.
inline ScalarEnclosure within_ulps(double computed, int ulps) {
  const double margin = ulps * (0x1p-52 * std::fabs(computed) + 0x1p-1074);
  return {sub_down(computed, margin), add_up(computed, margin)};
}

// The deployed model's accuracy of an elementary function whose magnitude is at most `largest`: 8 ulp, plus 2^-22 in
// float32 (2^-51 in float64).
inline double elementary_deployed_error(double largest, double unit_roundoff) {
  return add_up(mul_up(16 * unit_roundoff, largest), 4 * unit_roundoff);
}

}  // namespace boundflow
