// Range: start, start + delta, ... up to but without limit, for whole numbers. Opset 11.
#include <fmt/format.h>

#include <array>

#include "ops/fold_only.hpp"
#include "ops/operator_list.hpp"

namespace boundflow {

namespace {

struct Range {
  std::int64_t start = 0;
  std::int64_t delta = 1;
  std::int64_t count = 0;
};

Range read(const NodeView& node) {
  std::array<std::int64_t, 3> scalars{};
  for (std::size_t i = 0; i < 3; ++i) {
    const Tensor* tensor = node.constant(i);
    if (tensor == nullptr) node.unsupported(fmt::format("input {} must be a constant", i));
    if (tensor->dtype() != DType::Int64) {
      node.unsupported(fmt::format("input {} is {}, int64 is supported", i, to_string(tensor->type())));
    }
    if (tensor->size() != 1)
      node.malformed(fmt::format("input {} is {}, expected a scalar", i, to_string(tensor->type())));
    scalars[i] = tensor->int64s()[0];
  }
  const auto [start, limit, delta] = scalars;
  if (delta == 0) node.malformed("delta is 0");
  if (delta > 0 ? start >= limit : start <= limit) return {start, delta, 0};
  // Differences of 64-bit numbers fit into 64 bits without a sign.
  const auto wide = [](std::int64_t value) { return static_cast<std::uint64_t>(value); };
  const std::uint64_t distance = delta > 0 ? wide(limit) - wide(start) : wide(start) - wide(limit);
  const std::uint64_t step = delta > 0 ? wide(delta) : std::uint64_t{0} - wide(delta);
  const std::uint64_t count = (distance - 1) / step + 1;
  if (count > (std::uint64_t{1} << 40)) node.unsupported(fmt::format("a range of {} elements is too large", count));
  return {start, delta, static_cast<std::int64_t>(count)};
}

std::vector<TensorType> infer(const NodeView& node) {
  return {{DType::Int64, {read(node).count}}};
}

std::vector<Tensor> evaluate(const NodeView& node, std::span<const Tensor* const>) {
  const Range range = read(node);
  std::vector<std::int64_t> values;
  for (std::int64_t i = 0; i < range.count; ++i) values.push_back(i == 0 ? range.start : values.back() + range.delta);
  return {Tensor({range.count}, std::move(values))};
}

}  // namespace

Operator range_operator() {
  return {.name = "Range",
          .min_inputs = 3,
          .max_inputs = 3,
          .exact = true,
          .infer = infer,
          .evaluate = evaluate,
          .lower = refuse_variables};
}

}  // namespace boundflow
