// Sigmoid: 1 / (1 + exp(-x)). Opsets 6 to 13.
#include "ops/elementwise.hpp"
#include "ops/logistic.hpp"
#include "ops/operator_list.hpp"
#include "ops/s_shaped.hpp"

namespace boundflow {

namespace {

class SigmoidFunction final : public SShapedFunction {
 public:
  std::string_view name() const override { return "sigmoid"; }
  double value(double x) const override { return logistic(x); }
  double derivative(double x) const override { return logistic_derivative(x); }

 protected:
  ScalarEnclosure enclose(double x) const override { return enclose_logistic(x); }
  ScalarEnclosure enclose_derivative(double x) const override { return enclose_logistic_derivative(x); }
  double symmetric_sum() const override { return 1; }
};

}  // namespace

Operator sigmoid_operator() {
  return {.name = "Sigmoid",
          .pointwise = true,
          .infer = infer_elementwise,
          .evaluate =
              [](const NodeView&, std::span<const Tensor* const> inputs) {
                return map_elements(*inputs[0], [](auto x) { return logistic(x); });
              },
          .lower = [](const NodeView&) -> Facet {
            return Elementwise{0, std::make_shared<SigmoidFunction>()};
          },
          .sample = [](Random& random) { return sample_elementwise(random, "Sigmoid"); }};
}

}  // namespace boundflow
