// Flatten to a matrix [product of the dimensions before axis, product of the others]. Opsets 1 to 23.
#include <fmt/format.h>

#include "ops/layout.hpp"
#include "ops/operator_list.hpp"
#include "ops/sample_network.hpp"

namespace boundflow {

namespace {

std::vector<TensorType> infer(const NodeView& node) {
  const TensorType& type = node.input_type(0);
  const auto rank = static_cast<std::int64_t>(type.shape.size());
  std::int64_t axis = node.int_attribute("axis", 1);
  // Unlike other axes, this one stands between dimensions and may be the rank itself.
  if (axis < -rank || axis > rank) node.malformed(fmt::format("axis {} is out of range for rank {}", axis, rank));
  if (axis < 0) axis += rank;
  const auto middle = type.shape.begin() + axis;
  return {{type.dtype, {element_count({type.shape.begin(), middle}), element_count({middle, type.shape.end()})}}};
}

Network sample(Random& random) {
  SampleNetwork sample(random);
  const std::int64_t rank = random.integer(1, 4);
  Attributes attributes;
  if (random.integer(0, 3) != 0) attributes["axis"] = random.integer(-rank, rank);
  return sample.finish("Flatten", {sample.input(sample.shape(static_cast<int>(rank)))}, std::move(attributes));
}

}  // namespace

Operator flatten_operator() {
  return {.name = "Flatten",
          .layout_only = true,
          .attributes = {"axis"},
          .infer = infer,
          .evaluate = evaluate_same_order<infer>,
          .lower = lower_same_order,
          .sample = sample};
}

}  // namespace boundflow
