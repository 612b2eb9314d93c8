// Squeeze: without some dimensions of 1, or without all of them. Opsets 1 to 23; up to 12 the axes are an attribute,
// which becomes an input at import.
#include <fmt/format.h>

#include "ops/layout.hpp"
#include "ops/operator_list.hpp"
#include "ops/sample_network.hpp"
#include "ops/type_rules.hpp"

namespace boundflow {

namespace {

std::vector<TensorType> infer(const NodeView& node) {
  const TensorType& type = node.input_type(0);
  const bool all = !node.has_input(1);
  if (!all && constant_indices(node, 1, "axes").empty()) node.unsupported("an empty list of axes is ambiguous");
  const std::vector<bool> squeezed = all ? std::vector<bool>(type.shape.size(), true)
                                         : marked_axes(node, constant_indices(node, 1, "axes"), type.shape.size());
  Shape shape;
  for (std::size_t d = 0; d < type.shape.size(); ++d) {
    if (squeezed[d] && type.shape[d] == 1) continue;
    if (squeezed[d] && !all) node.malformed(fmt::format("axis {} of {} is not 1", d, to_string(type)));
    shape.push_back(type.shape[d]);
  }
  return {{type.dtype, std::move(shape)}};
}

Network sample(Random& random) {
  SampleNetwork sample(random);
  Shape shape = sample.shape(static_cast<int>(random.integer(0, 3)));
  std::vector<std::int64_t> axes;
  const auto rank = static_cast<std::int64_t>(shape.size()) + 1;
  shape.insert(shape.begin() + random.integer(0, rank - 1), 1);
  for (std::int64_t d = 0; d < rank; ++d) {
    if (shape[static_cast<std::size_t>(d)] == 1 && random.coin()) axes.push_back(random.coin() ? d : d - rank);
  }
  std::vector<ValueId> inputs{sample.input(shape)};
  if (!axes.empty()) inputs.push_back(sample.indices(axes));
  return sample.finish("Squeeze", std::move(inputs));
}

}  // namespace

Operator squeeze_operator() {
  return {.name = "Squeeze",
          .max_inputs = 2,
          .layout_only = true,
          .infer = infer,
          .evaluate = evaluate_same_order<infer>,
          .lower = lower_same_order,
          .sample = sample};
}

}  // namespace boundflow
