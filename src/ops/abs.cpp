// Abs: |x|. Opsets 6 to 13.
#include <cmath>

#include "ops/elementwise.hpp"
#include "ops/operator_list.hpp"
#include "ops/piecewise_linear.hpp"

namespace boundflow {

namespace {

std::vector<Tensor> evaluate(const NodeView&, std::span<const Tensor* const> inputs) {
  return map_elements(*inputs[0], [](auto x) { return std::abs(x); });
}

Facet lower(const NodeView&) {
  return Elementwise{0, std::make_shared<PiecewiseLinearFunction>("abs", std::vector<double>{0},
                                                                  std::vector<LinePiece>{{-1, 0}, {1, 0}})};
}

}  // namespace

Operator abs_operator() {
  return {
      .name = "Abs",
      .pointwise = true,
      .infer = infer_elementwise,
      .evaluate = evaluate,
      // A change of sign is exact.
      .fold = [](const NodeView& node, std::span<const Tensor* const> inputs) -> std::optional<std::vector<Tensor>> {
        return evaluate(node, inputs);
      },
      .lower = lower,
      .sample = [](Random& random) { return sample_elementwise(random, "Abs"); }};
}

}  // namespace boundflow
