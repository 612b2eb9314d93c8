// Tanh: the hyperbolic tangent. Opsets 6 to 13.
#include <algorithm>
#include <cmath>

#include "ops/elementwise.hpp"
#include "ops/logistic.hpp"
#include "ops/operator_list.hpp"
#include "ops/s_shaped.hpp"

namespace boundflow {

namespace {

class TanhFunction final : public SShapedFunction {
 public:
  std::string_view name() const override { return "tanh"; }
  double value(double x) const override { return std::tanh(x); }
  // tanh(x) = 2 logistic(2 x) - 1, whose derivative does not cancel far from 0.
  double derivative(double x) const override { return 4 * logistic_derivative(2 * x); }

 protected:
  ScalarEnclosure enclose(double x) const override {
    const ScalarEnclosure near = within_ulps(std::tanh(x), 4);
    return {std::max(near.lower, -1.0), std::min(near.upper, 1.0)};
  }
  ScalarEnclosure enclose_derivative(double x) const override {
    const ScalarEnclosure quarter = enclose_logistic_derivative(2 * x);
    return {4 * quarter.lower, 4 * quarter.upper};
  }
  double symmetric_sum() const override { return 0; }
};

}  // namespace

Operator tanh_operator() {
  return {.name = "Tanh",
          .pointwise = true,
          .infer = infer_elementwise,
          .evaluate =
              [](const NodeView&, std::span<const Tensor* const> inputs) {
                return map_elements(*inputs[0], [](auto x) { return std::tanh(x); });
              },
          .lower = [](const NodeView&) -> Facet {
            return Elementwise{0, std::make_shared<TanhFunction>()};
          },
          .sample = [](Random& random) { return sample_elementwise(random, "Tanh"); }};
}

}  // namespace boundflow
