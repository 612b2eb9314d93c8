// Identity. Opsets 1 to 21, for tensors.
#include "ops/layout.hpp"
#include "ops/operator_list.hpp"
#include "ops/sample_network.hpp"

namespace boundflow {

namespace {

std::vector<TensorType> infer(const NodeView& node) {
  return {node.input_type(0)};
}

Network sample(Random& random) {
  SampleNetwork sample(random);
  return sample.finish("Identity", {sample.input(sample.shape(static_cast<int>(random.integer(0, 4))))});
}

}  // namespace

Operator identity_operator() {
  return {.name = "Identity",
          .layout_only = true,
          .infer = infer,
          .evaluate = evaluate_same_order<infer>,
          .lower = lower_same_order,
          .sample = sample};
}

}  // namespace boundflow
