#include "engine/share_steps.hpp"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/share_steps.cpp"
#include "hwy/foreach_target.h"  // must come before highway.h
// clang-format off
#include "hwy/highway.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace boundflow {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void gradients_target(const float* lambda, const float* values, const float* first_slopes, const float* last_slopes,
                      std::int64_t n, float* gradients) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto zero = hn::Zero(d);
  std::int64_t k = 0;
  for (; k + lanes <= n; k += lanes) {
    const auto row = hn::LoadU(d, lambda + k);
    const auto turn = hn::Sub(hn::LoadU(d, last_slopes + k), hn::LoadU(d, first_slopes + k));
    const auto gradient = hn::Mul(hn::Mul(row, hn::LoadU(d, values + k)), turn);
    hn::StoreU(hn::IfThenElseZero(hn::Gt(row, zero), gradient), d, gradients + k);
  }
  for (; k < n; ++k) gradients[k] = lambda[k] > 0 ? lambda[k] * values[k] * (last_slopes[k] - first_slopes[k]) : 0.0F;
}

// Of one neuron or of a vector of them.
template <class D>
HWY_INLINE void score_block(D d, const float* lambda, const float* values, const float* shares,
                            const float* first_slopes, const float* last_slopes, const float* lower, const float* upper,
                            const float* peaks, float* scores) {
  const auto row = hn::LoadU(d, lambda), first = hn::LoadU(d, first_slopes), last = hn::LoadU(d, last_slopes);
  const auto z = hn::Min(hn::Max(hn::LoadU(d, values), hn::LoadU(d, lower)), hn::LoadU(d, upper));
  const auto slope = hn::MulAdd(hn::LoadU(d, shares), hn::Sub(last, first), first);
  const auto below = hn::Sub(hn::Max(hn::Mul(first, z), hn::Mul(last, z)), hn::Mul(slope, z));
  const auto gap = hn::IfThenElse(hn::Gt(row, hn::Zero(d)), below, hn::LoadU(d, peaks));
  hn::StoreU(hn::Mul(hn::Abs(row), gap), d, scores);
}

void scores_target(const float* lambda, const float* values, const float* shares, const float* first_slopes,
                   const float* last_slopes, const float* lower, const float* upper, const float* peaks, std::int64_t n,
                   float* scores) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t k = 0;
  const auto block = [&](auto tag) {
    score_block(tag, lambda + k, values + k, shares + k, first_slopes + k, last_slopes + k, lower + k, upper + k,
                peaks + k, scores + k);
  };
  for (; k + lanes <= n; k += lanes) block(d);
  for (; k < n; ++k) block(one);
}

void step_target(const float* HWY_RESTRICT gradients, std::int64_t n, const MomentScale& scale, float length,
                 float* HWY_RESTRICT means, float* HWY_RESTRICT squares, float* HWY_RESTRICT shares) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto zero = hn::Zero(d), one = hn::Set(d, 1.0F);
  const auto goes_on = hn::Eq(hn::Set(d, scale.begins ? 1.0F : 0.0F), zero);
  std::int64_t k = 0;
  for (; k + lanes <= n; k += lanes) {
    const auto gradient = hn::LoadU(d, gradients + k);
    const auto mean_before = hn::IfThenElseZero(goes_on, hn::LoadU(d, means + k));
    const auto square_before = hn::IfThenElseZero(goes_on, hn::LoadU(d, squares + k));
    const auto mean = hn::MulAdd(hn::Set(d, kMean), mean_before, hn::Mul(hn::Set(d, 1 - kMean), gradient));
    const auto square =
        hn::MulAdd(hn::Set(d, kSquares), square_before, hn::Mul(hn::Mul(hn::Set(d, 1 - kSquares), gradient), gradient));
    hn::StoreU(mean, d, means + k);
    hn::StoreU(square, d, squares + k);
    const auto root = hn::Add(hn::Sqrt(hn::Mul(square, hn::Set(d, scale.squares))), hn::Set(d, 1e-12F));
    const auto direction = hn::Div(hn::Mul(mean, hn::Set(d, scale.mean)), root);
    const auto share = hn::LoadU(d, shares + k);
    const auto moved = hn::Min(hn::Max(hn::MulAdd(hn::Set(d, length), direction, share), zero), one);
    hn::StoreU(hn::IfThenElse(hn::Gt(square, zero), moved, share), d, shares + k);
  }
  for (; k < n; ++k) {
    Moments moments = scale.begins ? Moments() : Moments{means[k], squares[k]};
    const float direction = moments.direction(gradients[k], scale);
    means[k] = moments.mean;
    squares[k] = moments.squares;
    if (moments.squares > 0) shares[k] = std::clamp(shares[k] + length * direction, 0.0F, 1.0F);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace boundflow
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace boundflow {

HWY_EXPORT(gradients_target);
void turn_gradients(const float* lambda, const float* values, const float* first_slopes, const float* last_slopes,
                    std::int64_t n, float* gradients) {
  HWY_DYNAMIC_DISPATCH(gradients_target)(lambda, values, first_slopes, last_slopes, n, gradients);
}

HWY_EXPORT(scores_target);
void turn_scores(const float* lambda, const float* values, const float* shares, const float* first_slopes,
                 const float* last_slopes, const TurnRanges& ranges, std::int64_t n, float* scores) {
  HWY_DYNAMIC_DISPATCH(scores_target)
  (lambda, values, shares, first_slopes, last_slopes, ranges.lower.data(), ranges.upper.data(), ranges.peaks.data(), n,
   scores);
}

HWY_EXPORT(step_target);
void step_shares(const float* gradients, std::int64_t n, const MomentScale& scale, float length, float* means,
                 float* squares, float* shares) {
  HWY_DYNAMIC_DISPATCH(step_target)(gradients, n, scale, length, means, squares, shares);
}

}  // namespace boundflow
#endif  // HWY_ONCE
