#pragma once
// What Mul and Div share: two operands with multidirectional broadcasting, of which a constant one scales the other.
// int64 operands are shape arithmetic and must be constants.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "ops/broadcast.hpp"
#include "ops/operator.hpp"
#include "ops/type_rules.hpp"

namespace boundflow {

std::vector<TensorType> infer_multiplication(const NodeView& node);

// The tensor of f(a, b), for operands of element type T.
template <class T, class Function>
Tensor combine_elements(const Tensor& a, const Tensor& b, const Shape& shape, Function&& f) {
  std::vector<T> values = broadcast_elements(elements<T>(a), a.shape(), shape);
  const std::vector<T> others = broadcast_elements(elements<T>(b), b.shape(), shape);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = f(values[i], others[i]);
  return Tensor(shape, std::move(values));
}

// Folds two int64 constants by `f`, which gives nothing where the result is not defined.
std::optional<std::vector<Tensor>> fold_int64(
    const NodeView& node, std::span<const Tensor* const> inputs,
    const std::function<std::optional<std::int64_t>(std::int64_t, std::int64_t)>& f);

// Input `variable` times the factors, one for each output; an execution rounds `products` times unless every factor is
// 0 or a power of two. `weight_error` is that of LinearMap.
Facet lower_scale(const NodeView& node, std::size_t variable, std::vector<double> factors, std::int64_t products,
                  double weight_error = 0);

// A variable and a constant that stretch each other; `constant_first` puts the constant on the left, and it has no
// zeros if `divisor`.
Network sample_scale(Random& random, const char* op, bool constant_first, bool divisor);

}  // namespace boundflow
