#pragma once
// What the shape rules of the operators have in common: dtypes, axes, and constants that stand for shapes.

#include <cstdint>
#include <string_view>
#include <vector>

#include "ir/network.hpp"

namespace boundflow {

// The type of input i, which must be float32 or float64.
const TensorType& floating_input(const NodeView& node, std::size_t i);

// The dtype of all present inputs, which must agree and be float32 or float64.
DType common_floating_dtype(const NodeView& node);

// An axis of [-rank, rank) as one of [0, rank).
std::int64_t normalised_axis(const NodeView& node, std::int64_t axis, std::size_t rank);

// Which of `rank` axes are in the list, each named once.
std::vector<bool> marked_axes(const NodeView& node, const std::vector<std::int64_t>& axes, std::size_t rank);

// The elements of input i, which must be a constant int64 vector: a shape or a list of axes. `role` names it in errors.
const std::vector<std::int64_t>& constant_indices(const NodeView& node, std::size_t i, std::string_view role);

// `function(T{})` with T the element type of a floating dtype; how evaluation picks float or double.
template <class Function>
auto with_floating_type(DType dtype, Function&& function) {
  ensure(is_floating(dtype), "floating dtype expected");
  return dtype == DType::Float32 ? function(float{}) : function(double{});
}

// The elements of a tensor of element type T.
template <class T>
const std::vector<T>& elements(const Tensor& tensor) {
  const auto* data = std::get_if<std::vector<T>>(&tensor.data());
  ensure(data != nullptr, "tensor of another dtype expected");
  return *data;
}

}  // namespace boundflow
