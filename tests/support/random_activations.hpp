#pragma once
// Random fully connected networks for tests whose layers end with all kinds of activations: with one kink and several,
// convex, concave and neither, and smooth ones.

#include <cmath>
#include <vector>

#include "base/random.hpp"
#include "support/layer_stack.hpp"

namespace boundflow {

inline Network random_activations(Random& random, std::int64_t inputs, std::int64_t layers) {
  LayerStack stack;
  const auto scalar = [&](double value) {
    return stack.constant(Tensor({}, std::vector<float>{static_cast<float>(value)}));
  };
  const auto activation = [&](ValueId x) {
    switch (random.integer(0, 7)) {
      case 0:
        return stack.node("Sigmoid", {x});
      case 1:
        return stack.node("Tanh", {x});
      case 2:
        return stack.node("Mul", {x, x});
      case 3:
        return stack.node("Abs", {x});
      case 4:
        return stack.node("LeakyRelu", {x}, {{"alpha", random.coin() ? 0.1 : 2.5}});
      case 5:
        return stack.node("Clip", {x, scalar(random.uniform(-1, 0)), scalar(random.uniform(0.1, 1))});
      case 6:
        return stack.node("Min", {x, scalar(random.uniform(-0.5, 0.5))});
      default:
        return stack.node("Relu", {x});
    }
  };
  ValueId x = stack.input({1, inputs});
  std::int64_t columns = inputs;
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    const bool last = layer + 1 == layers;
    const std::int64_t rows = last ? random.integer(1, 3) : random.integer(2, 12);
    const double scale = random.uniform(0.5, 3) / std::sqrt(static_cast<double>(columns));
    std::vector<float> weights, bias;
    for (std::int64_t i = 0; i < rows * columns; ++i)
      weights.push_back(static_cast<float>(scale * random.uniform(-1, 1)));
    for (std::int64_t i = 0; i < rows; ++i) bias.push_back(static_cast<float>(random.uniform(-0.5, 0.5)));
    x = stack.dense(x, weights, bias);
    if (!last) x = activation(x);
    columns = rows;
  }
  return stack.finish(x);
}

}  // namespace boundflow
