#pragma once
// Multidirectional broadcasting as in NumPy and ONNX: shapes align at their last dimensions, and a dimension of 1
// stretches.

#include <cstdint>
#include <vector>

#include "ir/network.hpp"

namespace boundflow {

// The common shape. InputError that names the node if there is none.
Shape broadcast_shape(const NodeView& node, const Shape& a, const Shape& b);

// True if `from` stretches to exactly `to`.
bool broadcasts_to(const Shape& from, const Shape& to);

// For each element of `to`, the row-major index of the element of `from` that it repeats. Empty if that is the
// identity.
std::vector<std::int64_t> broadcast_source(const Shape& from, const Shape& to);

// The elements of `values`, of shape `from`, stretched to `to`.
template <class T>
std::vector<T> broadcast_elements(std::vector<T> values, const Shape& from, const Shape& to) {
  const std::vector<std::int64_t> source = broadcast_source(from, to);
  if (source.empty() && element_count(from) == element_count(to)) return values;
  std::vector<T> stretched;
  stretched.reserve(source.size());
  for (const std::int64_t i : source) stretched.push_back(values[static_cast<std::size_t>(i)]);
  return stretched;
}

}  // namespace boundflow
