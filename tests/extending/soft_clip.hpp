#pragma once
// SoftClip, an operator that BoundFlow does not have: x between -1 and 1, and beyond that a quarter as steep. All that
// bound propagation needs of it is in this file; docs/extending.md walks through it.
//
//   y = x               for |x| <= 1
//   y = 0.25 x + 0.75   for x > 1
//   y = 0.25 x - 0.75   for x < -1

#include <cmath>

#include "base/rounding.hpp"
#include "ops/elementwise.hpp"
#include "ops/piecewise_linear.hpp"

namespace boundflow {

// The built-in operators and SoftClip.
inline const OperatorTable& table_with_soft_clip();

// Image, stability and the two lines of a relaxation follow from the pieces, at any precision; what rounding adds when
// the network is executed is the operator's own.
class SoftClipFunction final : public PiecewiseLinearFunction {
 public:
  SoftClipFunction() : PiecewiseLinearFunction("soft_clip", {-1, 1}, {{0.25, -0.75}, {1, 0}, {0.25, 0.75}}) {}

  // A quarter of x is exact where |x| > 1, so that the sum rounds, once; between -1 and 1 nothing is computed.
  double deployed_error(double l, double u, double unit_roundoff) const override {
    if (l >= -1 && u <= 1) return 0;
    const double largest = std::max(std::fabs(l), std::fabs(u));
    return mul_up(2 * unit_roundoff, add_up(mul_up(0.25, largest), 0.75));
  }
};

// One execution in the tensor's own precision: what samples are compared with, and the observer.
inline std::vector<Tensor> evaluate_soft_clip(const NodeView&, std::span<const Tensor* const> inputs) {
  return map_elements(*inputs[0], [](auto x) {
    using T = decltype(x);
    if (x > 1) return T(0.25) * x + T(0.75);
    if (x < -1) return T(0.25) * x - T(0.75);
    return x;  // NaN as well
  });
}

inline Operator soft_clip_operator() {
  return {.name = "SoftClip",
          .infer = infer_elementwise,
          .evaluate = evaluate_soft_clip,
          .lower = [](const NodeView&) -> Facet {
            return Elementwise{0, std::make_shared<SoftClipFunction>()};
          },
          .sample = [](Random& random) { return sample_elementwise(random, "SoftClip", {}, table_with_soft_clip()); }};
}

inline const OperatorTable& table_with_soft_clip() {
  static const OperatorTable table = operator_table().with({soft_clip_operator()});
  return table;
}

}  // namespace boundflow
