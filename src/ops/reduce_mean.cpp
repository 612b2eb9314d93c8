// ReduceMean: the mean over some axes. Opsets 1 to 23; up to 17 the axes are an attribute, which becomes an input at
// import.
#include "ops/operator_list.hpp"
#include "ops/reduction.hpp"

namespace boundflow {

Operator reduce_mean_operator() {
  return {.name = "ReduceMean",
          .max_inputs = 2,
          .attributes = {"keepdims", "noop_with_empty_axes"},
          .infer = [](const NodeView& node) { return infer_reduction(node, read_reduction(node, true)); },
          .evaluate =
              [](const NodeView& node, std::span<const Tensor* const> inputs) {
                return evaluate_reduction(read_reduction(node, true), *inputs[0]);
              },
          .lower = [](const NodeView& node) { return lower_reduction(node, read_reduction(node, true)); },
          .spell = [](const NodeView& node) { return spell_reduction(node, read_reduction(node, true)); },
          .sample = [](Random& random) { return sample_reduction(random, "ReduceMean"); }};
}

}  // namespace boundflow
