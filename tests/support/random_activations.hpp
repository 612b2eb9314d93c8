#pragma once
// Random fully connected networks for tests whose layers end with all kinds of activations: with one kink and several,
// convex, concave and neither, and smooth ones.

#include <cmath>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "ops/operator.hpp"

namespace boundflow {

inline Network random_activations(Random& random, std::int64_t inputs, std::int64_t layers) {
  Network network;
  int names = 0;
  const auto name = [&](const std::string& prefix) { return prefix + std::to_string(names++); };
  const auto node = [&](const std::string& op, std::vector<ValueId> operands, Attributes attributes = {}) {
    const NodeId id =
        append_node(network, operator_table(), op, name(op), std::move(operands), {name("v")}, std::move(attributes));
    return network.node(id).outputs.front();
  };
  const auto scalar = [&](double value) {
    return network.add_constant(name("s"), Tensor({}, std::vector<float>{static_cast<float>(value)}));
  };
  const auto activation = [&](ValueId x) {
    switch (random.integer(0, 7)) {
      case 0:
        return node("Sigmoid", {x});
      case 1:
        return node("Tanh", {x});
      case 2:
        return node("Mul", {x, x});
      case 3:
        return node("Abs", {x});
      case 4:
        return node("LeakyRelu", {x}, {{"alpha", random.coin() ? 0.1 : 2.5}});
      case 5:
        return node("Clip", {x, scalar(random.uniform(-1, 0)), scalar(random.uniform(0.1, 1))});
      case 6:
        return node("Min", {x, scalar(random.uniform(-0.5, 0.5))});
      default:
        return node("Relu", {x});
    }
  };
  ValueId x = network.add_input("x", {DType::Float32, {1, inputs}});
  std::int64_t columns = inputs;
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    const bool last = layer + 1 == layers;
    const std::int64_t rows = last ? random.integer(1, 3) : random.integer(2, 12);
    const double scale = random.uniform(0.5, 3) / std::sqrt(static_cast<double>(columns));
    std::vector<float> weights, bias;
    for (std::int64_t i = 0; i < rows * columns; ++i)
      weights.push_back(static_cast<float>(scale * random.uniform(-1, 1)));
    for (std::int64_t i = 0; i < rows; ++i) bias.push_back(static_cast<float>(random.uniform(-0.5, 0.5)));
    const ValueId matrix = network.add_constant(name("w"), Tensor({rows, columns}, weights));
    x = node("Gemm", {x, matrix, network.add_constant(name("b"), Tensor({rows}, bias))}, {{"transB", std::int64_t{1}}});
    if (!last) x = activation(x);
    columns = rows;
  }
  network.set_outputs({x});
  verify_network(network);
  return network;
}

}  // namespace boundflow
