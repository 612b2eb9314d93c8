#pragma once
// int64 arithmetic on constants, which shapes are computed with. Exact, or refused.

#include <cstdint>
#include <optional>
#include <vector>

#include "ir/network.hpp"

namespace boundflow {

// The dtype of arithmetic on all present inputs, which must agree: float32, float64, or int64 among constants.
DType arithmetic_dtype(const NodeView& node);

using IntegerOperation = std::optional<std::int64_t> (*)(std::int64_t a, std::int64_t b);

// a + b and a - b; empty on overflow.
std::optional<std::int64_t> exact_sum(std::int64_t a, std::int64_t b);
std::optional<std::int64_t> exact_difference(std::int64_t a, std::int64_t b);

// The operation on two int64 tensors with broadcasting. InputError that names the node where it has no result.
Tensor integer_result(const NodeView& node, const Tensor& a, const Tensor& b, IntegerOperation operation);

}  // namespace boundflow
