#pragma once
// Random fully connected networks for tests of specialisation: wide layers, many of whose neurons fire throughout a
// small box, some without an activation. In some layers every other neuron is twice the one before it and the next
// layer takes it off again: there the product of the two matrices is next to nothing, and what executions lose is not.

#include <vector>

#include "base/random.hpp"
#include "support/layer_stack.hpp"

namespace boundflow {

inline Network random_layers(Random& random, std::int64_t inputs, std::int64_t layers) {
  LayerStack stack;
  const bool image = random.coin();
  ValueId x = stack.input(image ? Shape{1, 1, 1, inputs} : Shape{1, inputs});
  if (image) x = stack.node("Reshape", {x, stack.constant(Tensor({2}, std::vector<std::int64_t>{1, inputs}))});
  std::int64_t columns = inputs;
  bool doubled = false;  // the operands, every other one
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    const bool last = layer + 1 == layers;
    const std::int64_t rows = last ? random.integer(1, 3) : random.integer(16, 40);
    const double scale = random.uniform(0.5, 2) / std::sqrt(static_cast<double>(columns));
    // Of the terms of two neurons that are taken off each other; of the others.
    std::vector<float> weights, bias;
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < columns; ++j) {
        const bool pair = doubled && j % 2 == 1;
        weights.push_back(pair ? -0.5F * weights.back() : static_cast<float>(scale * random.uniform(-1, 1)));
      }
      bias.push_back(static_cast<float>(random.integer(0, 3) == 0 ? random.uniform(-1, 1) : random.uniform(-1, 8)));
    }
    doubled = !last && random.coin();
    for (std::int64_t i = 1; i < rows && doubled; i += 2) {
      const auto at = static_cast<std::size_t>(i * columns), n = static_cast<std::size_t>(columns);
      for (std::size_t j = 0; j < n; ++j) weights[at + j] = 2 * weights[at - n + j];
      bias[static_cast<std::size_t>(i)] = 2 * bias[static_cast<std::size_t>(i) - 1];
    }
    x = stack.dense(x, weights, bias);
    if (!last && random.integer(0, 3) != 0) x = stack.node("Relu", {x});
    columns = rows;
  }
  return stack.finish(x);
}

}  // namespace boundflow
