// Div: a / b with multidirectional broadcasting, for a constant b. Opsets 7 to 14; the limited broadcasting of opset 6
// is mapped away at import. int64 division, of constants, truncates.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "base/rounding.hpp"
#include "ops/exact_arithmetic.hpp"
#include "ops/multiplication.hpp"
#include "ops/operator_list.hpp"

namespace boundflow {

namespace {

bool is_power_of_two(double x) {
  int exponent = 0;
  return std::fabs(std::frexp(x, &exponent)) == 0.5;
}

std::optional<std::int64_t> divide_int64(std::int64_t a, std::int64_t b) {
  if (b == 0 || (b == -1 && a == std::numeric_limits<std::int64_t>::min())) return std::nullopt;
  return a / b;
}

std::vector<Tensor> evaluate(const NodeView& node, std::span<const Tensor* const> inputs) {
  const TensorType type = infer_multiplication(node)[0];
  return with_floating_type(type.dtype, [&](auto zero) -> std::vector<Tensor> {
    using T = decltype(zero);
    return {combine_elements<T>(*inputs[0], *inputs[1], type.shape, [](T a, T b) { return a / b; })};
  });
}

// Exact, also for a runtime that multiplies by reciprocals, if every divisor is a power of two.
std::optional<std::vector<Tensor>> fold(const NodeView& node, std::span<const Tensor* const> inputs) {
  const TensorType type = infer_multiplication(node)[0];
  if (type.dtype == DType::Int64) return fold_int64(node, inputs, divide_int64);
  const std::vector<double> a = broadcast_elements(inputs[0]->to_doubles(), inputs[0]->shape(), type.shape);
  const std::vector<double> b = broadcast_elements(inputs[1]->to_doubles(), inputs[1]->shape(), type.shape);
  for (const double divisor : b) {
    if (!is_power_of_two(divisor)) return std::nullopt;
  }
  const bool exact = exact_sums(type.dtype, element_count(type.shape), [&](std::int64_t i, ExactTerms& terms) {
    terms.add_product(a[static_cast<std::size_t>(i)], 1 / b[static_cast<std::size_t>(i)]);
  });
  if (!exact) return std::nullopt;
  return evaluate(node, inputs);
}

Facet lower(const NodeView& node) {
  const Tensor* divisor = node.constant(1);
  if (divisor == nullptr) node.unsupported("division by a variable is not supported");
  if (node.constant(0) != nullptr) {
    node.unsupported("the quotient of two constants is not supported unless it folds exactly");
  }
  const TensorType type = infer_multiplication(node)[0];
  const bool single = type.dtype == DType::Float32;
  const double smallest = single ? kSmallestNormal32 : kSmallestNormal64;
  const double largest = single ? kLargest32 : kLargest64;
  std::vector<double> factors = broadcast_elements(divisor->to_doubles(), divisor->shape(), type.shape);
  bool exact = true;
  for (double& factor : factors) {
    const double c = factor;
    if (c == 0) node.malformed("division by a constant that is zero");
    exact = exact && is_power_of_two(c);
    factor = 1 / c;
    // A runtime may multiply by the rounded reciprocal, which must neither overflow nor lose digits.
    if (!(std::fabs(factor) >= 2 * smallest && std::fabs(factor) <= largest / 2)) {
      node.unsupported(
          fmt::format("the reciprocal of the divisor {} leaves the range of {}", c, to_string(type.dtype)));
    }
  }
  // The reciprocal rounds, in double (the factor's error) and in executions, and so does the product.
  return lower_scale(node, 0, std::move(factors), 2, exact ? 0 : 0x1p-52);
}

}  // namespace

Operator div_operator() {
  return {.name = "Div",
          .min_inputs = 2,
          .max_inputs = 2,
          .pointwise = true,
          .infer = infer_multiplication,
          .evaluate = evaluate,
          .fold = fold,
          .lower = lower,
          .spell = spell_operands,
          .sample = [](Random& random) { return sample_scale(random, "Div", false, true); }};
}

}  // namespace boundflow
