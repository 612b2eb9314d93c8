#pragma once
// Outward rounding without touching the process-wide rounding mode: compute in round-to-nearest, then step to the
// neighbouring float. One step covers the half ulp of the operation (Rump 2010, "Verification methods", section 2).
// Also the constants of the error analysis of docs/soundness.md. All of these need IEEE arithmetic: no -ffast-math.

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace boundflow {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kUnitRoundoff32 = 0x1p-24;
inline constexpr double kUnitRoundoff64 = 0x1p-53;
// Smallest positive normal float: covers both gradual underflow and flush-to-zero in the models of rounding.
inline constexpr double kSmallestNormal32 = 0x1p-126;
inline constexpr double kSmallestNormal64 = 0x1p-1022;
inline constexpr double kLargest32 = std::numeric_limits<float>::max();
inline constexpr double kLargest64 = std::numeric_limits<double>::max();

template <class T>
inline constexpr double kUnitRoundoff = sizeof(T) == 4 ? kUnitRoundoff32 : kUnitRoundoff64;
template <class T>
inline constexpr double kSmallestNormal = sizeof(T) == 4 ? kSmallestNormal32 : kSmallestNormal64;

// The next double (float) above (below) x: std::nextafter without its call and without a branch, so that loops of it
// become vector code. +infinity and NaN stay as they are (mirrored below). -0 and +0 both step to the smallest
// subnormal.
inline double round_up(double x) {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const std::uint64_t away = x > 0 ? bits + 1 : bits - 1;  // unsigned: those of zero are not used, but computed
  const std::uint64_t next = x == 0 ? 1 : away;
  return x < kInfinity ? std::bit_cast<double>(next) : x;
}
inline float round_up(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t away = x > 0 ? bits + 1 : bits - 1;
  const std::uint32_t next = x == 0 ? 1 : away;
  return x < std::numeric_limits<float>::infinity() ? std::bit_cast<float>(next) : x;
}
inline double round_down(double x) {
  return -round_up(-x);
}

// Sums and products rounded outward. NaN stays NaN.
inline double add_up(double a, double b) {
  return round_up(a + b);
}
inline double add_down(double a, double b) {
  return round_down(a + b);
}
inline double sub_up(double a, double b) {
  return round_up(a - b);
}
inline double sub_down(double a, double b) {
  return round_down(a - b);
}
inline double mul_up(double a, double b) {
  return a == 0 || b == 0 ? a * b : round_up(a * b);
}
inline double mul_down(double a, double b) {
  return a == 0 || b == 0 ? a * b : round_down(a * b);
}
inline double div_up(double a, double b) {
  return a == 0 ? a / b : round_up(a / b);
}

// True if this thread keeps subnormal numbers, as the error analysis assumes of our own kernels. A host program that
// was linked with -ffast-math may have switched the processor to flushing them.
inline bool keeps_subnormals() {
  volatile float smallest = std::numeric_limits<float>::min();
  volatile float half = smallest / 2;
  return half > 0 && half * 2 == smallest;
}

// The nearest float that is not below (above) x. Beyond the range of float the result is an infinity, which later
// stages refuse to use as a proof.
template <class T>
inline T cast_up(double x) {
  const T nearest = static_cast<T>(x);
  return static_cast<double>(nearest) < x ? round_up(nearest) : nearest;
}
template <class T>
inline T cast_down(double x) {
  return -cast_up<T>(-x);
}

// An upper bound of gamma_n = n u / (1 - n u), Higham, "Accuracy and stability of numerical algorithms", section 3.1.
// Infinite where n u >= 1, so that a bound computed with it fails closed.
inline double gamma_up(std::int64_t n, double unit_roundoff) {
  const double nu = static_cast<double>(n) * unit_roundoff;
  if (!(nu < 0.5)) return kInfinity;
  return nu == 0 ? 0.0 : round_up(round_up(nu) / round_down(1.0 - round_up(nu)));
}

// A factor that covers the rounding of a sum of n non-negative terms, each already rounded a few times, accumulated
// with the given unit roundoff.
inline double sum_inflation(std::int64_t n, double unit_roundoff) {
  return round_up(1.0 + 2.0 * gamma_up(n + 4, unit_roundoff));
}

}  // namespace boundflow
