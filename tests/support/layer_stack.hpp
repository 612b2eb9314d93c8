#pragma once
// Builds fully connected networks for tests, node behind node, with names of its own.

#include <string>
#include <utility>
#include <vector>

#include "ops/operator.hpp"

namespace boundflow {

class LayerStack {
 public:
  ValueId input(Shape shape) { return network_.add_input("x", {DType::Float32, std::move(shape)}); }
  ValueId constant(Tensor tensor) { return network_.add_constant(name("c"), std::move(tensor)); }
  ValueId node(const std::string& op, std::vector<ValueId> operands, Attributes attributes = {}) {
    const NodeId id =
        append_node(network_, operator_table(), op, name(op), std::move(operands), {name("v")}, std::move(attributes));
    return network_.node(id).outputs.front();
  }
  // weights: [rows, columns of x]; bias: [rows].
  ValueId dense(ValueId x, const std::vector<float>& weights, const std::vector<float>& bias) {
    const std::int64_t rows = std::ssize(bias);
    const ValueId matrix = constant(Tensor({rows, std::ssize(weights) / rows}, weights));
    return node("Gemm", {x, matrix, constant(Tensor({rows}, bias))}, {{"transB", std::int64_t{1}}});
  }
  Network finish(ValueId output) {
    network_.set_outputs({output});
    verify_network(network_);
    return std::move(network_);
  }

 private:
  std::string name(const std::string& prefix) { return prefix + std::to_string(names_++); }

  Network network_;
  int names_ = 0;
};

}  // namespace boundflow
