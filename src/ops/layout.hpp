#pragma once
// Layout-only operators with one data input: each says where the elements of its output come from; evaluation and
// lowering follow from that.

#include <cstdint>
#include <span>
#include <vector>

#include "ir/facet.hpp"
#include "ir/network.hpp"

namespace boundflow {

// For each element of the output, the row-major index of the input's element. Empty: the order is unchanged.
using Sources = std::vector<std::int64_t>;

// The row-major indices reached from `offset` by counting through `shape` with the given strides of the source, or
// empty if those are 0, 1, 2, ... up to `source_size`.
Sources strided_sources(const Shape& shape, std::int64_t offset, const std::vector<std::int64_t>& strides,
                        std::int64_t source_size);

std::vector<Tensor> evaluate_layout(const Tensor& input, const Shape& shape, const Sources& sources);

// Input 0 moved to the output of element count `out`.
Facet lower_layout(const NodeView& node, std::int64_t out, Sources sources);

// Evaluation and lowering of operators that never change the order: reshape, flatten, identity. `Infer`: the operator's
// shape rule.
template <auto Infer>
std::vector<Tensor> evaluate_same_order(const NodeView& node, std::span<const Tensor* const> inputs) {
  return evaluate_layout(*inputs[0], Infer(node).at(0).shape, {});
}
Facet lower_same_order(const NodeView& node);

}  // namespace boundflow
