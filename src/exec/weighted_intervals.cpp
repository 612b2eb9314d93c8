#include "exec/weighted_intervals.hpp"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "exec/weighted_intervals.cpp"
#include "hwy/foreach_target.h"  // must come before highway.h
// clang-format off
#include "hwy/highway.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace boundflow {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// `load(from, e)`: lanes of lower or upper from term e on; `at(e)`: where term e's variable lies.
template <class Load, class At>
HWY_INLINE WeightedInterval sum_target(const double* HWY_RESTRICT weights, std::int64_t n, const double* lower,
                                       const double* upper, const Load& load, const At& at) {
  const hn::ScalableTag<double> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto zero = hn::Zero(d);
  auto low = zero, high = zero, magnitude = zero, widest = zero;
  std::int64_t e = 0;
  for (; e + lanes <= n; e += lanes) {
    const auto w = hn::LoadU(d, weights + e);
    const auto a = hn::Mul(w, load(lower, e));
    const auto b = hn::Mul(w, load(upper, e));
    const auto positive = hn::Gt(w, zero);
    low = hn::Add(low, hn::IfThenElse(positive, a, b));
    high = hn::Add(high, hn::IfThenElse(positive, b, a));
    magnitude = hn::Add(magnitude, hn::Max(hn::Abs(a), hn::Abs(b)));
    widest = hn::Max(widest, hn::Abs(hn::Sub(b, a)));
  }
  WeightedInterval sum{hn::GetLane(hn::SumOfLanes(d, low)), hn::GetLane(hn::SumOfLanes(d, high)),
                       hn::GetLane(hn::SumOfLanes(d, magnitude)), hn::GetLane(hn::MaxOfLanes(d, widest))};
  for (; e < n; ++e) {
    const double w = weights[e];
    const double a = w * lower[at(e)], b = w * upper[at(e)];
    sum.low += w > 0 ? a : b;
    sum.high += w > 0 ? b : a;
    sum.magnitude += std::max(std::fabs(a), std::fabs(b));
    sum.widest = std::max(sum.widest, std::fabs(b - a));
  }
  return sum;
}

WeightedInterval sum_any(const double* weights, const std::int32_t* columns, std::int64_t n, const double* lower,
                         const double* upper) {
  const hn::ScalableTag<double> d;
  if (columns == nullptr) {
    return sum_target(
        weights, n, lower, upper, [&](const double* from, std::int64_t e) HWY_ATTR { return hn::LoadU(d, from + e); },
        [](std::int64_t e) { return e; });
  }
  const hn::Rebind<std::int64_t, decltype(d)> wide;
  const hn::Rebind<std::int32_t, decltype(d)> narrow;
  return sum_target(
      weights, n, lower, upper,
      [&](const double* from, std::int64_t e)
          HWY_ATTR { return hn::GatherIndex(d, from, hn::PromoteTo(wide, hn::LoadU(narrow, columns + e))); },
      [&](std::int64_t e) { return static_cast<std::int64_t>(columns[e]); });
}

void move_target(const double* HWY_RESTRICT weights, std::int64_t n, double change, double* HWY_RESTRICT low,
                 double* HWY_RESTRICT high) {
  const hn::ScalableTag<double> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto zero = hn::Zero(d), by = hn::Set(d, change);
  std::int64_t r = 0;
  for (; r + lanes <= n; r += lanes) {
    const auto w = hn::LoadU(d, weights + r);
    hn::StoreU(hn::MulAdd(hn::Max(w, zero), by, hn::LoadU(d, low + r)), d, low + r);
    hn::StoreU(hn::MulAdd(hn::Min(w, zero), by, hn::LoadU(d, high + r)), d, high + r);
  }
  for (; r < n; ++r) {
    low[r] += std::max(weights[r], 0.0) * change;
    high[r] += std::min(weights[r], 0.0) * change;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace boundflow
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace boundflow {

HWY_EXPORT(sum_any);
WeightedInterval weighted_interval(const double* weights, const std::int32_t* columns, std::int64_t n,
                                   const double* lower, const double* upper) {
  return HWY_DYNAMIC_DISPATCH(sum_any)(weights, columns, n, lower, upper);
}

HWY_EXPORT(move_target);
void move_lower_end(const double* weights, std::int64_t n, double change, double* low, double* high) {
  HWY_DYNAMIC_DISPATCH(move_target)(weights, n, change, low, high);
}

}  // namespace boundflow
#endif  // HWY_ONCE
