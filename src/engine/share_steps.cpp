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

void step_target(const float* HWY_RESTRICT gradients, std::int64_t n, const MomentScale& scale, float length,
                 float* HWY_RESTRICT means, float* HWY_RESTRICT squares, float* HWY_RESTRICT shares) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto zero = hn::Zero(d), one = hn::Set(d, 1.0F);
  std::int64_t k = 0;
  for (; k + lanes <= n; k += lanes) {
    const auto gradient = hn::LoadU(d, gradients + k);
    const auto mean = hn::MulAdd(hn::Set(d, kMean), hn::LoadU(d, means + k), hn::Mul(hn::Set(d, 1 - kMean), gradient));
    const auto square = hn::MulAdd(hn::Set(d, kSquares), hn::LoadU(d, squares + k),
                                   hn::Mul(hn::Mul(hn::Set(d, 1 - kSquares), gradient), gradient));
    hn::StoreU(mean, d, means + k);
    hn::StoreU(square, d, squares + k);
    const auto root = hn::Add(hn::Sqrt(hn::Mul(square, hn::Set(d, scale.squares))), hn::Set(d, 1e-12F));
    const auto direction = hn::Div(hn::Mul(mean, hn::Set(d, scale.mean)), root);
    const auto share = hn::LoadU(d, shares + k);
    const auto moved = hn::Min(hn::Max(hn::MulAdd(hn::Set(d, length), direction, share), zero), one);
    hn::StoreU(hn::IfThenElse(hn::Gt(square, zero), moved, share), d, shares + k);
  }
  for (; k < n; ++k) {
    Moments moments{means[k], squares[k]};
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

HWY_EXPORT(step_target);
void step_shares(const float* gradients, std::int64_t n, const MomentScale& scale, float length, float* means,
                 float* squares, float* shares) {
  HWY_DYNAMIC_DISPATCH(step_target)(gradients, n, scale, length, means, squares, shares);
}

}  // namespace boundflow
#endif  // HWY_ONCE
