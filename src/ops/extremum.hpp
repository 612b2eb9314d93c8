#pragma once
// What Max and Min share: any number of operands with multidirectional broadcasting.

#include <optional>
#include <span>
#include <vector>

#include "ops/operator.hpp"

namespace boundflow {

// sign is 1 for the maximum, -1 for the minimum.
std::vector<TensorType> infer_extremum(const NodeView& node);
Cost extremum_cost(const NodeView& node);
std::vector<Tensor> evaluate_extremum(const NodeView& node, std::span<const Tensor* const> inputs, int sign);
Facet lower_extremum(const NodeView& node, int sign);
// Clip, of one variable and constants of one element each.
std::vector<Spelling> spell_extremum(const NodeView& node, int sign);
Network sample_extremum(Random& random, const char* op);

}  // namespace boundflow
