// GlobalAveragePool: the mean over all spatial axes. Opsets 1 to 22.
#include <fmt/format.h>

#include "ops/operator_list.hpp"
#include "ops/reduction.hpp"
#include "ops/sample_network.hpp"

namespace boundflow {

namespace {

Reduction read(const NodeView& node) {
  const Shape& shape = node.input_type(0).shape;
  if (shape.size() < 2) node.malformed(fmt::format("X {} must have a batch and channels", to_string(shape)));
  Reduction reduction{shape, std::vector<bool>(shape.size(), true), true, true};
  reduction.reduced[0] = reduction.reduced[1] = false;
  return reduction;
}

Network sample(Random& random) {
  SampleNetwork sample(random);
  return sample.finish("GlobalAveragePool", {sample.input(sample.shape(static_cast<int>(random.integer(2, 4))))});
}

}  // namespace

Operator global_average_pool_operator() {
  return {.name = "GlobalAveragePool",
          .infer = [](const NodeView& node) { return infer_reduction(node, read(node)); },
          .evaluate = [](const NodeView& node,
                         std::span<const Tensor* const> inputs) { return evaluate_reduction(read(node), *inputs[0]); },
          .lower = [](const NodeView& node) { return lower_reduction(node, read(node)); },
          .spell = [](const NodeView& node) { return spell_reduction(node, read(node)); },
          .sample = sample};
}

}  // namespace boundflow
