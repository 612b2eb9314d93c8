#include "exec/interval_loops.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/rounding.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "exec/interval_loops.cpp"
#include "hwy/foreach_target.h"  // must come before highway.h
// clang-format off
#include "hwy/highway.h"
// clang-format on

// Plain loops, which the compiler makes vector code for each of Highway's targets, but for one.
HWY_BEFORE_NAMESPACE();
namespace boundflow {
namespace HWY_NAMESPACE {

// Magnitudes order as their bit patterns do, NaN above infinity: integer maxima keep NaN, and may be taken in any
// order.
HWY_INLINE std::int64_t magnitude_bits(double x) {
  return std::bit_cast<std::int64_t>(x) & std::numeric_limits<std::int64_t>::max();
}

template <class T>
HWY_INLINE IntervalExtent split_target(const double* HWY_RESTRICT lower, const double* HWY_RESTRICT upper,
                                       std::int64_t n, T* HWY_RESTRICT centre, T* HWY_RESTRICT radius,
                                       T* HWY_RESTRICT magnitude) {
  std::int64_t largest = 0;
  std::int64_t live = 0;
  for (std::int64_t j = 0; j < n; ++j) {
    const double l = lower[j];
    const double u = upper[j];
    largest = std::max(largest, std::max(magnitude_bits(l), magnitude_bits(u)));
    live += (l == 0) & (u == 0) ? 0 : 1;
    const T c = static_cast<T>(0.5 * l + 0.5 * u);
    const double x = static_cast<double>(c);
    const double above = sub_up(u, x);
    const double below = sub_up(x, l);
    // NaN bounds must reach the products, whichever operand the maximum keeps.
    const double whole = (above >= below ? above : below) + (l - l) * 0 + (u - u) * 0;
    centre[j] = c;
    radius[j] = cast_up<T>(whole);
    magnitude[j] = cast_up<T>(add_up(std::fabs(x), whole));
  }
  return {std::bit_cast<double>(largest), live};
}

HWY_INLINE IntervalExtent extent_target(const double* HWY_RESTRICT lower, const double* HWY_RESTRICT upper,
                                        std::int64_t n) {
  std::int64_t largest = 0;
  std::int64_t live = 0;
  for (std::int64_t j = 0; j < n; ++j) {
    largest = std::max(largest, std::max(magnitude_bits(lower[j]), magnitude_bits(upper[j])));
    live += (lower[j] == 0) & (upper[j] == 0) ? 0 : 1;
  }
  return {std::bit_cast<double>(largest), live};
}

template <bool kDeployed, bool kBall, class T>
HWY_INLINE void bound_target(const AffineErrorModel& shared_model, const AffineSumRows<T>& sums, std::int64_t n,
                             const ExecutionModel& shared_executions, double* HWY_RESTRICT lower,
                             double* HWY_RESTRICT upper, float* HWY_RESTRICT weight) {
  const AffineErrorModel model = shared_model;  // of this function's own, so that no store can change them
  const ExecutionModel executions = shared_executions;
  const T* HWY_RESTRICT centre = sums.centre;
  const T* HWY_RESTRICT radius = sums.radius;
  const T* HWY_RESTRICT magnitude = sums.magnitude;
  const double* HWY_RESTRICT ball = sums.ball_radius;
  const double* HWY_RESTRICT bias = sums.bias;
  const double* HWY_RESTRICT bias_magnitude = sums.bias_magnitude;
  for (std::int64_t i = 0; i < n; ++i) {
    const double own_radius = static_cast<double>(radius[i]) + (kBall ? ball[i] : 0.0);
    const AffineCoordinate bound = bound_affine_coordinate<kDeployed>(model,
                                                                      {.centre = static_cast<double>(centre[i]),
                                                                       .radius = own_radius,
                                                                       .magnitude = static_cast<double>(magnitude[i]),
                                                                       .bias = bias[i],
                                                                       .bias_magnitude = bias_magnitude[i]},
                                                                      executions);
    lower[i] = bound.lower;
    upper[i] = bound.upper;
    weight[i] = cast_up<float>(bound.weight);
  }
}

template <class T>
void bound_any(const AffineErrorModel& model, const AffineSumRows<T>& sums, std::int64_t n,
               const ExecutionModel* executions, double* lower, double* upper, float* weight) {
  const ExecutionModel none;
  if (executions != nullptr) {
    sums.ball_radius != nullptr ? bound_target<true, true>(model, sums, n, *executions, lower, upper, weight)
                                : bound_target<true, false>(model, sums, n, *executions, lower, upper, weight);
  } else {
    sums.ball_radius != nullptr ? bound_target<false, true>(model, sums, n, none, lower, upper, weight)
                                : bound_target<false, false>(model, sums, n, none, lower, upper, weight);
  }
}

template <class T>
void nominal_any(const AffineSumRows<T>& sums, std::int64_t n, double* HWY_RESTRICT lower, double* HWY_RESTRICT upper) {
  for (std::int64_t i = 0; i < n; ++i) {
    const double middle = static_cast<double>(sums.centre[i]) + sums.bias[i];
    const double radius =
        static_cast<double>(sums.radius[i]) + (sums.ball_radius != nullptr ? sums.ball_radius[i] : 0.0);
    lower[i] = middle - radius;
    upper[i] = middle + radius;
  }
}

template <class T>
HWY_INLINE void lines_target(const double* HWY_RESTRICT lower, const double* HWY_RESTRICT upper, const LineRows& lines,
                             std::int64_t n, double unit_roundoff, double dot_gamma, T* HWY_RESTRICT lower_slope,
                             T* HWY_RESTRICT lower_intercept, T* HWY_RESTRICT upper_slope,
                             T* HWY_RESTRICT upper_intercept, float* HWY_RESTRICT weight) {
  const double* HWY_RESTRICT from_lower_slope = lines.lower_slope;
  const double* HWY_RESTRICT from_lower_intercept = lines.lower_intercept;
  const double* HWY_RESTRICT from_upper_slope = lines.upper_slope;
  const double* HWY_RESTRICT from_upper_intercept = lines.upper_intercept;
  for (std::int64_t i = 0; i < n; ++i) {
    const double a = from_lower_slope[i];
    const double b = from_upper_slope[i];
    const T low = cast_down<T>(from_lower_intercept[i]);
    const T high = cast_up<T>(from_upper_intercept[i]);
    lower_slope[i] = static_cast<T>(a);
    upper_slope[i] = static_cast<T>(b);
    lower_intercept[i] = low;
    upper_intercept[i] = high;
    const double inexact_a = (a == 0) | (a == 1) ? 0.0 : std::fabs(a);
    const double inexact_b = (b == 0) | (b == 1) ? 0.0 : std::fabs(b);
    const double slope = std::max(inexact_a, inexact_b);
    const double abs_x = std::max(std::fabs(lower[i]), std::fabs(upper[i]));
    const double intercept = std::max(std::fabs(static_cast<double>(low)), std::fabs(static_cast<double>(high)));
    weight[i] = cast_up<float>((unit_roundoff * slope * abs_x + dot_gamma * intercept) * (1 + 0x1p-40));
  }
}

// Blocks of fixed size go through memory of their own: out may be an operand, and the partial sums have a fixed order.
inline constexpr std::int64_t kBlock = 16;

template <class T>
HWY_INLINE void add_target(const T* a, const T* b, std::int64_t n, T* out) {
  std::int64_t j = 0;
  for (; j + kBlock <= n; j += kBlock) {
    T sums[kBlock];
    for (std::int64_t k = 0; k < kBlock; ++k) sums[k] = a[j + k] + b[j + k];
    for (std::int64_t k = 0; k < kBlock; ++k) out[j + k] = sums[k];
  }
  for (; j < n; ++j) out[j] = a[j] + b[j];
}

template <class T>
HWY_INLINE void magnitudes_target(const double* HWY_RESTRICT lower, const double* HWY_RESTRICT upper, std::int64_t n,
                                  T* HWY_RESTRICT magnitude) {
  for (std::int64_t j = 0; j < n; ++j) {
    const double l = std::fabs(lower[j]);
    const double u = std::fabs(upper[j]);
    const double largest = l >= u ? l : u;  // u where it is NaN
    magnitude[j] = cast_up<T>(l == l ? largest : l);
  }
}

// Written with vectors: the compiler does not keep a sum of blocks in a register, and this loop is all arithmetic.
template <class T>
HWY_INLINE T add_counted_target(const T* a, const T* b, const T* HWY_RESTRICT magnitude, std::int64_t n, T* out) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto zero = hn::Zero(d);
  auto sum = zero;
  const auto counted = [&](auto x, auto y, auto bound) {
    const auto total = hn::Add(x, y);
    // Equal to zero, not unequal: NaN is neither on some targets, and has to reach the sum.
    const auto exact = hn::Or(hn::Eq(x, zero), hn::Eq(y, zero));
    sum = hn::Add(sum, hn::IfThenZeroElse(exact, hn::Mul(hn::Abs(total), bound)));
    return total;
  };
  std::int64_t j = 0;
  for (; j + lanes <= n; j += lanes) {
    hn::StoreU(counted(hn::LoadU(d, a + j), hn::LoadU(d, b + j), hn::LoadU(d, magnitude + j)), d, out + j);
  }
  T rest = 0;
  for (; j < n; ++j) {
    const T x = a[j];
    const T y = b[j];
    const T total = x + y;
    if (x != 0 && y != 0) rest += std::fabs(total) * magnitude[j];
    out[j] = total;
  }
  return hn::GetLane(hn::SumOfLanes(d, sum)) + rest;
}

template <class T>
HWY_INLINE T sum_magnitudes_target(const T* x, std::int64_t n) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto sum = hn::Zero(d);
  std::int64_t j = 0;
  for (; j + lanes <= n; j += lanes) sum = hn::Add(sum, hn::Abs(hn::LoadU(d, x + j)));
  T rest = 0;
  for (; j < n; ++j) rest += std::fabs(x[j]);
  return hn::GetLane(hn::SumOfLanes(d, sum)) + rest;
}

#define BOUNDFLOW_INTERVAL_LOOPS(T)                                                                           \
  T sum_magnitudes_##T(const T* x, std::int64_t n) {                                                          \
    return sum_magnitudes_target(x, n);                                                                       \
  }                                                                                                           \
  IntervalExtent split_##T(const double* lower, const double* upper, std::int64_t n, T* centre, T* radius,    \
                           T* magnitude) {                                                                    \
    return split_target(lower, upper, n, centre, radius, magnitude);                                          \
  }                                                                                                           \
  void bound_##T(const AffineErrorModel& model, const AffineSumRows<T>& sums, std::int64_t n,                 \
                 const ExecutionModel* executions, double* lower, double* upper, float* weight) {             \
    bound_any(model, sums, n, executions, lower, upper, weight);                                              \
  }                                                                                                           \
  void add_##T(const T* a, const T* b, std::int64_t n, T* out) {                                              \
    add_target(a, b, n, out);                                                                                 \
  }                                                                                                           \
  void magnitudes_##T(const double* lower, const double* upper, std::int64_t n, T* magnitude) {               \
    magnitudes_target(lower, upper, n, magnitude);                                                            \
  }                                                                                                           \
  T counted_##T(const T* a, const T* b, const T* magnitude, std::int64_t n, T* out) {                         \
    return add_counted_target(a, b, magnitude, n, out);                                                       \
  }                                                                                                           \
  void nominal_##T(const AffineSumRows<T>& sums, std::int64_t n, double* lower, double* upper) {              \
    nominal_any(sums, n, lower, upper);                                                                       \
  }                                                                                                           \
  void lines_##T(const double* lower, const double* upper, const LineRows& lines, std::int64_t n,             \
                 double unit_roundoff, double dot_gamma, T* lower_slope, T* lower_intercept, T* upper_slope,  \
                 T* upper_intercept, float* weight) {                                                         \
    lines_target(lower, upper, lines, n, unit_roundoff, dot_gamma, lower_slope, lower_intercept, upper_slope, \
                 upper_intercept, weight);                                                                    \
  }
BOUNDFLOW_INTERVAL_LOOPS(float)
BOUNDFLOW_INTERVAL_LOOPS(double)
#undef BOUNDFLOW_INTERVAL_LOOPS

IntervalExtent extent(const double* lower, const double* upper, std::int64_t n) {
  return extent_target(lower, upper, n);
}

}  // namespace HWY_NAMESPACE
}  // namespace boundflow
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace boundflow {

HWY_EXPORT(extent);
IntervalExtent interval_extent(const double* lower, const double* upper, std::int64_t n) {
  return HWY_DYNAMIC_DISPATCH(extent)(lower, upper, n);
}

#define BOUNDFLOW_INTERVAL_LOOPS(T)                                                                                 \
  HWY_EXPORT(split_##T);                                                                                            \
  HWY_EXPORT(bound_##T);                                                                                            \
  HWY_EXPORT(nominal_##T);                                                                                          \
  HWY_EXPORT(add_##T);                                                                                              \
  HWY_EXPORT(magnitudes_##T);                                                                                       \
  HWY_EXPORT(counted_##T);                                                                                          \
  template <>                                                                                                       \
  void add_entries<T>(const T* a, const T* b, std::int64_t n, T* out) {                                             \
    HWY_DYNAMIC_DISPATCH(add_##T)(a, b, n, out);                                                                    \
  }                                                                                                                 \
  template <>                                                                                                       \
  void upper_magnitudes<T>(const double* lower, const double* upper, std::int64_t n, T* magnitude) {                \
    HWY_DYNAMIC_DISPATCH(magnitudes_##T)(lower, upper, n, magnitude);                                               \
  }                                                                                                                 \
  template <>                                                                                                       \
  T add_entries_counted<T>(const T* a, const T* b, const T* magnitude, std::int64_t n, T* out) {                    \
    return HWY_DYNAMIC_DISPATCH(counted_##T)(a, b, magnitude, n, out);                                              \
  }                                                                                                                 \
  HWY_EXPORT(lines_##T);                                                                                            \
  template <>                                                                                                       \
  IntervalExtent split_intervals<T>(const double* lower, const double* upper, std::int64_t n, T* centre, T* radius, \
                                    T* magnitude) {                                                                 \
    return HWY_DYNAMIC_DISPATCH(split_##T)(lower, upper, n, centre, radius, magnitude);                             \
  }                                                                                                                 \
  template <>                                                                                                       \
  void bound_affine<T>(const AffineErrorModel& model, const AffineSumRows<T>& sums, std::int64_t n,                 \
                       const ExecutionModel* executions, double* lower, double* upper, float* weight) {             \
    HWY_DYNAMIC_DISPATCH(bound_##T)(model, sums, n, executions, lower, upper, weight);                              \
  }                                                                                                                 \
  HWY_EXPORT(sum_magnitudes_##T);                                                                                   \
  template <>                                                                                                       \
  T sum_of_magnitudes<T>(const T* x, std::int64_t n) {                                                              \
    return HWY_DYNAMIC_DISPATCH(sum_magnitudes_##T)(x, n);                                                          \
  }                                                                                                                 \
  template <>                                                                                                       \
  void bound_affine_nominal<T>(const AffineSumRows<T>& sums, std::int64_t n, double* lower, double* upper) {        \
    HWY_DYNAMIC_DISPATCH(nominal_##T)(sums, n, lower, upper);                                                       \
  }                                                                                                                 \
  template <>                                                                                                       \
  void store_lines<T>(const double* lower, const double* upper, const LineRows& lines, std::int64_t n,              \
                      double unit_roundoff, double dot_gamma, T* lower_slope, T* lower_intercept, T* upper_slope,   \
                      T* upper_intercept, float* weight) {                                                          \
    HWY_DYNAMIC_DISPATCH(lines_##T)                                                                                 \
    (lower, upper, lines, n, unit_roundoff, dot_gamma, lower_slope, lower_intercept, upper_slope, upper_intercept,  \
     weight);                                                                                                       \
  }
BOUNDFLOW_INTERVAL_LOOPS(float)
BOUNDFLOW_INTERVAL_LOOPS(double)
#undef BOUNDFLOW_INTERVAL_LOOPS

}  // namespace boundflow
#endif  // HWY_ONCE
