// Pow: x^2, the one power that is supported. Opsets 7 to 15; the limited broadcasting of opset 6 is mapped away at
// import. The exponent is a constant of any number type.
#include <fmt/format.h>

#include "ops/broadcast.hpp"
#include "ops/elementwise.hpp"
#include "ops/exact_arithmetic.hpp"
#include "ops/operator_list.hpp"
#include "ops/spelling.hpp"
#include "ops/square.hpp"

namespace boundflow {

namespace {

// A product x x rounds once; a library's pow may be off by more: within two ulp, with underflow.
constexpr double kRoundings = 4;

class PowerFunction final : public SquareFunction {
 public:
  std::string_view name() const override { return "power"; }
  double deployed_error(double l, double u, double unit_roundoff) const override {
    return mul_up(kRoundings, SquareFunction::deployed_error(l, u, unit_roundoff));
  }
};

std::vector<TensorType> infer(const NodeView& node) {
  const TensorType type = floating_input(node, 0);
  const Tensor* exponent = node.constant(1);
  if (exponent == nullptr) node.unsupported("an exponent that is not a constant is not supported");
  if (exponent->size() == 0) node.malformed("the exponent has no elements");
  for (const double element : exponent->to_doubles()) {
    if (element != 2) node.unsupported(fmt::format("the exponent {} is not supported; 2 is", element));
  }
  if (broadcast_shape(node, type.shape, exponent->shape()) != type.shape) {
    node.unsupported("an exponent that stretches the base is not supported");
  }
  return {type};
}

std::vector<Tensor> evaluate(const NodeView&, std::span<const Tensor* const> inputs) {
  return map_elements(*inputs[0], [](auto x) { return x * x; });
}

std::optional<std::vector<Tensor>> fold(const NodeView& node, std::span<const Tensor* const> inputs) {
  const bool exact = exact_sums(inputs[0]->dtype(), inputs[0]->size(), [&](std::int64_t i, ExactTerms& terms) {
    terms.add_product(inputs[0]->at(i), inputs[0]->at(i));
  });
  if (!exact) return std::nullopt;
  return evaluate(node, inputs);
}

// The exponent is one number of the base's type.
std::vector<Spelling> spell(const NodeView& node) {
  Spelling spelling = as_written(node);
  spelling.inputs[1] = with_floating_type(node.input_type(0).dtype,
                                          [](auto zero) { return Tensor({}, std::vector<decltype(zero)>{2}); });
  return {spelling};
}

Network sample(Random& random) {
  SampleNetwork sample(random);
  const ValueId x = sample.input(sample.shape(static_cast<int>(random.integer(0, 3))));
  return sample.finish("Pow", {x, random.coin() ? sample.scalar(2) : sample.indices({}, {2})});
}

}  // namespace

Operator pow_operator() {
  return {.name = "Pow",
          .min_inputs = 2,
          .max_inputs = 2,
          .pointwise = true,
          .infer = infer,
          .evaluate = evaluate,
          .fold = fold,
          .lower = [](const NodeView&) -> Facet {
            return Elementwise{0, std::make_shared<PowerFunction>()};
          },
          .spell = spell,
          .sample = sample};
}

}  // namespace boundflow
