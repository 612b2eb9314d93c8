#include "ops/integer_arithmetic.hpp"

#include <fmt/format.h>

#include <limits>

#include "ops/broadcast.hpp"
#include "ops/operator.hpp"
#include "ops/type_rules.hpp"

namespace boundflow {

DType arithmetic_dtype(const NodeView& node) {
  if (node.input_type(0).dtype != DType::Int64 || !reads_constants_only(node.network(), node.node())) {
    return common_floating_dtype(node);
  }
  for (std::size_t i = 1; i < node.input_count(); ++i) {
    if (node.has_input(i) && node.input_type(i).dtype != DType::Int64) {
      node.malformed(fmt::format("input {} is {}, but input 0 is int64", i, to_string(node.input_type(i))));
    }
  }
  return DType::Int64;
}

std::optional<std::int64_t> exact_sum(std::int64_t a, std::int64_t b) {
  using Limits = std::numeric_limits<std::int64_t>;
  if (b > 0 ? a > Limits::max() - b : a < Limits::min() - b) return std::nullopt;
  return a + b;
}

std::optional<std::int64_t> exact_difference(std::int64_t a, std::int64_t b) {
  using Limits = std::numeric_limits<std::int64_t>;
  if (b > 0 ? a < Limits::min() + b : a > Limits::max() + b) return std::nullopt;
  return a - b;
}

Tensor integer_result(const NodeView& node, const Tensor& a, const Tensor& b, IntegerOperation operation) {
  Shape shape = broadcast_shape(node, a.shape(), b.shape());
  std::vector<std::int64_t> values = broadcast_elements(a.int64s(), a.shape(), shape);
  const std::vector<std::int64_t> right = broadcast_elements(b.int64s(), b.shape(), shape);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::optional<std::int64_t> result = operation(values[i], right[i]);
    if (!result) node.malformed(fmt::format("{} and {} have no result in int64", values[i], right[i]));
    values[i] = *result;
  }
  return Tensor(std::move(shape), std::move(values));
}

}  // namespace boundflow
