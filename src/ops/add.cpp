// Add: a + b with multidirectional broadcasting. Opsets 7 to 14; the limited broadcasting of opset 6 is mapped away at
// import.
#include "ops/addition.hpp"
#include "ops/operator_list.hpp"

namespace boundflow {

Operator add_operator() {
  return {.name = "Add",
          .min_inputs = 2,
          .max_inputs = 2,
          .pointwise = true,
          .infer = infer_addition,
          .evaluate = [](const NodeView& node,
                         std::span<const Tensor* const> inputs) { return evaluate_addition(node, inputs, 1); },
          .fold = [](const NodeView& node,
                     std::span<const Tensor* const> inputs) { return fold_addition(node, inputs, 1); },
          .lower = [](const NodeView& node) { return lower_addition(node, 1); },
          .spell = spell_commutative,
          .sample = [](Random& random) { return sample_addition(random, "Add"); }};
}

}  // namespace boundflow
