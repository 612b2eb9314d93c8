// Mod: the remainder of int64 with the divisor's sign, as exporters compute shapes with it. Opsets 10 to 13.
#include "ops/broadcast.hpp"
#include "ops/fold_only.hpp"
#include "ops/integer_arithmetic.hpp"
#include "ops/operator_list.hpp"

namespace boundflow {

namespace {

std::vector<TensorType> infer(const NodeView& node) {
  if (node.int_attribute("fmod", 0) != 0) node.unsupported("fmod is not supported");
  const TensorType &a = node.input_type(0), &b = node.input_type(1);
  if (a.dtype != DType::Int64 || b.dtype != DType::Int64)
    node.unsupported("other numbers than int64 are not supported");
  return {{DType::Int64, broadcast_shape(node, a.shape, b.shape)}};
}

// Empty for a division by zero, and for the one quotient that int64 does not have, whose remainder runtimes do not
// agree on.
std::optional<std::int64_t> remainder(std::int64_t a, std::int64_t b) {
  if (b == 0 || (b == -1 && !exact_difference(0, a))) return std::nullopt;
  const std::int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

std::vector<Tensor> evaluate(const NodeView& node, std::span<const Tensor* const> inputs) {
  return {integer_result(node, *inputs[0], *inputs[1], remainder)};
}

}  // namespace

Operator mod_operator() {
  return {.name = "Mod",
          .min_inputs = 2,
          .max_inputs = 2,
          .exact = true,
          .attributes = {"fmod"},
          .infer = infer,
          .evaluate = evaluate,
          .lower = refuse_variables};
}

}  // namespace boundflow
