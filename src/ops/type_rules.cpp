#include "ops/type_rules.hpp"

#include <fmt/format.h>

namespace boundflow {

const TensorType& floating_input(const NodeView& node, std::size_t i) {
  const TensorType& type = node.input_type(i);
  if (!is_floating(type.dtype)) {
    node.unsupported(fmt::format("input {} is {}, float32 and float64 are supported", i, to_string(type)));
  }
  return type;
}

DType common_floating_dtype(const NodeView& node) {
  const DType dtype = floating_input(node, 0).dtype;
  for (std::size_t i = 1; i < node.input_count(); ++i) {
    if (node.has_input(i) && floating_input(node, i).dtype != dtype) {
      node.malformed(fmt::format("input {} is {}, but input 0 is {}", i, to_string(node.input_type(i)),
                                 to_string(node.input_type(0))));
    }
  }
  return dtype;
}

std::int64_t normalised_axis(const NodeView& node, std::int64_t axis, std::size_t rank) {
  const auto limit = static_cast<std::int64_t>(rank);
  if (axis < -limit || axis >= limit) {
    node.malformed(fmt::format("axis {} is out of range for rank {}", axis, limit));
  }
  return axis < 0 ? axis + limit : axis;
}

std::vector<bool> marked_axes(const NodeView& node, const std::vector<std::int64_t>& axes, std::size_t rank) {
  std::vector<bool> marked(rank, false);
  for (const std::int64_t axis : axes) {
    const auto d = static_cast<std::size_t>(normalised_axis(node, axis, rank));
    if (marked[d]) node.malformed(fmt::format("axis {} is named twice", d));
    marked[d] = true;
  }
  return marked;
}

const std::vector<std::int64_t>& constant_indices(const NodeView& node, std::size_t i, std::string_view role) {
  const Tensor* tensor = node.constant(i);
  if (tensor == nullptr) node.unsupported(fmt::format("the {} (input {}) must be a constant", role, i));
  if (tensor->dtype() != DType::Int64 || tensor->shape().size() > 1) {
    node.malformed(
        fmt::format("the {} (input {}) is {}, expected an int64 vector", role, i, to_string(tensor->type())));
  }
  return tensor->int64s();
}

}  // namespace boundflow
