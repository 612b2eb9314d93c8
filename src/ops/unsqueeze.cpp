// Unsqueeze: with further dimensions of 1, at the given axes of the result. Opsets 1 to 23; up to 12 the axes are an
// attribute, which becomes an input at import.
#include "ops/layout.hpp"
#include "ops/operator_list.hpp"
#include "ops/sample_network.hpp"
#include "ops/type_rules.hpp"

namespace boundflow {

namespace {

std::vector<TensorType> infer(const NodeView& node) {
  const TensorType& type = node.input_type(0);
  const std::vector<std::int64_t>& axes = constant_indices(node, 1, "axes");
  const std::vector<bool> added = marked_axes(node, axes, type.shape.size() + axes.size());
  Shape shape;
  std::size_t next = 0;
  for (const bool one : added) shape.push_back(one ? 1 : type.shape[next++]);
  return {{type.dtype, std::move(shape)}};
}

Network sample(Random& random) {
  SampleNetwork sample(random);
  const std::int64_t own = random.integer(0, 3), more = random.integer(0, 2);
  const ValueId x = sample.input(sample.shape(static_cast<int>(own)));
  std::vector<std::int64_t> axes;
  for (std::int64_t d = 0; d < own + more && static_cast<std::int64_t>(axes.size()) < more; ++d) {
    const bool last_chance = own + more - d == more - static_cast<std::int64_t>(axes.size());
    if (last_chance || random.coin()) axes.push_back(random.coin() ? d : d - own - more);
  }
  return sample.finish("Unsqueeze", {x, sample.indices(axes)});
}

}  // namespace

Operator unsqueeze_operator() {
  return {.name = "Unsqueeze",
          .min_inputs = 2,
          .max_inputs = 2,
          .layout_only = true,
          .infer = infer,
          .evaluate = evaluate_same_order<infer>,
          .lower = lower_same_order,
          .sample = sample};
}

}  // namespace boundflow
