// LeakyRelu: x for x >= 0, alpha x below. Opsets 6 to 16. alpha may exceed 1 (then the function is concave) or be
// negative.
#include <cmath>

#include "base/rounding.hpp"
#include "ops/elementwise.hpp"
#include "ops/exact_arithmetic.hpp"
#include "ops/operator_list.hpp"
#include "ops/piecewise_linear.hpp"
#include "ops/product.hpp"
#include "ops/sound_lines.hpp"

namespace boundflow {

namespace {

class LeakyReluFunction final : public PiecewiseLinearFunction {
 public:
  explicit LeakyReluFunction(double alpha)
      : PiecewiseLinearFunction("leaky_relu", {0}, {{alpha, 0}, {1, 0}}), alpha_(alpha) {}

  // For 0 <= alpha < 1/2 the lower line has slope 1 where the chord's exceeds 1/2, else alpha: CROWN's rule for ReLU,
  // carried over as auto_LiRPA does, so that no bound is wider than there. For other alphas that rule would always take
  // the same line, and the area decides.
  Relaxation relax(double l, double u, bool float32_slopes) const override {
    Relaxation lines = PiecewiseLinearFunction::relax(l, u, float32_slopes);
    if (l < 0 && u > 0 && alpha_ >= 0 && alpha_ < 0.5 && !std::isnan(lines.upper_slope)) {
      lines.lower_slope = lines.upper_slope > 0.5 ? 1 : kernel_slope(alpha_, float32_slopes);
      lines.lower_intercept = intercept_below(l, u, lines.lower_slope);
    }
    return lines;
  }

  // alpha x rounds once where x < 0; the rest is a selection.
  double deployed_error(double l, double, double unit_roundoff) const override {
    if (l >= 0) return 0;
    return product_deployed_error(std::fabs(alpha_), -l, unit_roundoff);
  }

 private:
  double alpha_;
};

double alpha_of(const NodeView& node) {
  // An execution holds alpha in the format of its tensors; in ONNX it is a float32, the default, too.
  const double alpha = node.float_attribute("alpha", static_cast<double>(0.01F));
  if (!(std::fabs(alpha) <= kLargest32)) node.malformed("alpha must be finite");
  return node.input_type(0).dtype == DType::Float32 ? static_cast<double>(static_cast<float>(alpha)) : alpha;
}

std::vector<Tensor> evaluate(const NodeView& node, std::span<const Tensor* const> inputs) {
  const double alpha = alpha_of(node);
  return map_elements(*inputs[0], [&](auto x) { return x < 0 ? static_cast<decltype(x)>(alpha) * x : x; });
}

std::optional<std::vector<Tensor>> fold(const NodeView& node, std::span<const Tensor* const> inputs) {
  const double alpha = alpha_of(node);
  const bool exact = exact_sums(inputs[0]->dtype(), inputs[0]->size(), [&](std::int64_t i, ExactTerms& terms) {
    const double x = inputs[0]->at(i);
    terms.add_product(x < 0 ? alpha : 1, x);
  });
  if (!exact) return std::nullopt;
  return evaluate(node, inputs);
}

std::vector<Spelling> spell(const NodeView& node) {
  Spelling spelling = as_written(node);
  spelling.attributes["alpha"] = alpha_of(node);
  return {spelling};
}

Network sample(Random& random) {
  constexpr double kAlphas[] = {0, 1, -1, 0.5, -0.25, 2};
  Attributes attributes;
  const auto choice = static_cast<std::size_t>(random.integer(0, 9));
  if (choice < std::size(kAlphas)) attributes["alpha"] = kAlphas[choice];
  if (choice > std::size(kAlphas)) attributes["alpha"] = static_cast<double>(static_cast<float>(random.uniform(-1, 2)));
  return sample_elementwise(random, "LeakyRelu", std::move(attributes));
}

}  // namespace

Operator leaky_relu_operator() {
  return {.name = "LeakyRelu",
          .pointwise = true,
          .attributes = {"alpha"},
          .infer = infer_elementwise,
          .evaluate = evaluate,
          .fold = fold,
          .lower = [](const NodeView& node) -> Facet {
            return Elementwise{0, std::make_shared<LeakyReluFunction>(alpha_of(node))};
          },
          .spell = spell,
          .sample = sample};
}

}  // namespace boundflow
