// Shape: the dimensions of its input, or those from `start` up to but without `end`. Opsets 1 to 23.
#include <algorithm>

#include "ops/fold_only.hpp"
#include "ops/operator_list.hpp"

namespace boundflow {

namespace {

std::vector<std::int64_t> dimensions(const NodeView& node) {
  const Shape& shape = node.input_type(0).shape;
  const auto rank = static_cast<std::int64_t>(shape.size());
  const auto place = [&](std::int64_t axis) {
    return std::clamp<std::int64_t>(axis < 0 ? axis + rank : axis, 0, rank);
  };
  const std::int64_t start = place(node.int_attribute("start", 0)), end = place(node.int_attribute("end", rank));
  if (start >= end) return {};
  return {shape.begin() + start, shape.begin() + end};
}

std::vector<TensorType> infer(const NodeView& node) {
  return {{DType::Int64, {static_cast<std::int64_t>(dimensions(node).size())}}};
}

std::vector<Tensor> evaluate(const NodeView& node, std::span<const Tensor* const>) {
  return {Tensor(infer(node)[0].shape, dimensions(node))};
}

}  // namespace

Operator shape_operator() {
  return {.name = "Shape",
          .exact = true,
          .reads_shapes_only = true,
          .attributes = {"end", "start"},
          .infer = infer,
          .evaluate = evaluate,
          .lower = refuse_variables};
}

}  // namespace boundflow
