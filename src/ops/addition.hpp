#pragma once
// What Add and Sub share: a + sign * b with broadcasting.

#include <optional>
#include <span>
#include <vector>

#include "ops/operator.hpp"

namespace boundflow {

std::vector<TensorType> infer_addition(const NodeView& node);
std::vector<Tensor> evaluate_addition(const NodeView& node, std::span<const Tensor* const> inputs, int sign);
std::optional<std::vector<Tensor>> fold_addition(const NodeView& node, std::span<const Tensor* const> inputs, int sign);
Facet lower_addition(const NodeView& node, int sign);
Network sample_addition(Random& random, const char* op);

}  // namespace boundflow
