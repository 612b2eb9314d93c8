// Dropout as inference runs it: the identity. Opsets 7 to 13 (the training flag of opset 6 is checked at import). The
// mask, a second output, is not supported; import drops it where nobody uses it.
#include "ops/layout.hpp"
#include "ops/operator_list.hpp"
#include "ops/sample_network.hpp"

namespace boundflow {

namespace {

std::vector<TensorType> infer(const NodeView& node) {
  // It plays no part, so that a node might otherwise read a variable on which nothing of its result depends.
  if (node.has_input(1) && node.constant(1) == nullptr) node.unsupported("ratio must be a constant");
  if (node.has_input(2)) {
    const Tensor* training = node.constant(2);
    if (training == nullptr || training->size() != 1) node.unsupported("training_mode must be a constant scalar");
    if (training->at(0) != 0) node.unsupported("training mode is not supported");
  }
  return {node.input_type(0)};
}

Network sample(Random& random) {
  SampleNetwork sample(random);
  Attributes attributes;
  if (random.coin()) attributes["ratio"] = random.uniform();
  if (random.coin()) attributes["seed"] = random.integer(0, 9);
  std::vector<ValueId> inputs{sample.input(sample.shape(static_cast<int>(random.integer(0, 4))))};
  if (random.coin()) inputs.push_back(random.coin() ? sample.constant({}) : kNoValue);
  return sample.finish("Dropout", std::move(inputs), std::move(attributes));
}

}  // namespace

Operator dropout_operator() {
  return {.name = "Dropout",
          .max_inputs = 3,
          .layout_only = true,
          .attributes = {"ratio", "seed"},
          .infer = infer,
          .evaluate = evaluate_same_order<infer>,
          .lower = lower_same_order,
          .sample = sample};
}

}  // namespace boundflow
