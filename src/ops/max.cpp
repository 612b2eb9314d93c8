// Max: the largest of any number of operands, with multidirectional broadcasting. Opsets 8 to 13, and 6 where shapes
// are equal.
#include "ops/extremum.hpp"
#include "ops/operator_list.hpp"

namespace boundflow {

Operator max_operator() {
  return {
      .name = "Max",
      .max_inputs = -1,
      .pointwise = true,
      .infer = infer_extremum,
      .cost = extremum_cost,
      .evaluate = [](const NodeView& node,
                     std::span<const Tensor* const> inputs) { return evaluate_extremum(node, inputs, 1); },
      // A selection is exact.
      .fold = [](const NodeView& node, std::span<const Tensor* const> inputs) -> std::optional<std::vector<Tensor>> {
        return evaluate_extremum(node, inputs, 1);
      },
      .lower = [](const NodeView& node) { return lower_extremum(node, 1); },
      .spell = [](const NodeView& node) { return spell_extremum(node, 1); },
      .sample = [](Random& random) { return sample_extremum(random, "Max"); }};
}

}  // namespace boundflow
