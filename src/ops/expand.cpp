// Expand: broadcasting with a constant shape, which may itself stretch to the input's. Opsets 8 to 13.
#include "ops/broadcast.hpp"
#include "ops/layout.hpp"
#include "ops/operator_list.hpp"
#include "ops/sample_network.hpp"
#include "ops/type_rules.hpp"

namespace boundflow {

namespace {

std::vector<TensorType> infer(const NodeView& node) {
  const TensorType& type = node.input_type(0);
  return {{type.dtype, broadcast_shape(node, type.shape, constant_indices(node, 1, "shape"))}};
}

std::vector<Tensor> evaluate(const NodeView& node, std::span<const Tensor* const> inputs) {
  const Shape shape = infer(node)[0].shape;
  return evaluate_layout(*inputs[0], shape, broadcast_source(inputs[0]->shape(), shape));
}

Facet lower(const NodeView& node) {
  const Shape shape = infer(node)[0].shape;
  return lower_layout(node, element_count(shape), broadcast_source(node.input_type(0).shape, shape));
}

Network sample(Random& random) {
  SampleNetwork sample(random);
  Shape shape = sample.shape(static_cast<int>(random.integer(0, 3)));
  Shape target = shape;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (random.coin()) (random.coin() ? shape : target)[i] = 1;
  }
  if (random.coin()) target.insert(target.begin(), random.integer(1, 3));
  return sample.finish("Expand", {sample.input(shape), sample.indices(target)});
}

}  // namespace

Operator expand_operator() {
  return {.name = "Expand",
          .min_inputs = 2,
          .max_inputs = 2,
          .layout_only = true,
          .infer = infer,
          .evaluate = evaluate,
          .lower = lower,
          .sample = sample};
}

}  // namespace boundflow
