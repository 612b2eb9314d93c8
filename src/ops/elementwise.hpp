#pragma once
// What operators with one floating tensor and a function applied to each of its elements share.

#include <span>
#include <vector>

#include "ops/sample_network.hpp"
#include "ops/type_rules.hpp"

namespace boundflow {

inline std::vector<TensorType> infer_elementwise(const NodeView& node) {
  return {floating_input(node, 0)};
}

// The tensor of f(x), computed in the tensor's own dtype.
template <class Function>
std::vector<Tensor> map_elements(const Tensor& tensor, Function&& f) {
  return with_floating_type(tensor.dtype(), [&](auto zero) -> std::vector<Tensor> {
    auto values = elements<decltype(zero)>(tensor);
    for (auto& x : values) x = f(x);
    return {Tensor(tensor.shape(), std::move(values))};
  });
}

inline Network sample_elementwise(Random& random, const char* op, Attributes attributes = {},
                                  const OperatorTable& table = operator_table()) {
  SampleNetwork sample(random, table);
  const ValueId x = sample.input(sample.shape(static_cast<int>(random.integer(0, 3))));
  return sample.finish(op, {x}, std::move(attributes));
}

}  // namespace boundflow
