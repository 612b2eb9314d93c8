// Reshape to a constant shape, in which 0 copies a dimension (unless allowzero) and one -1 stands for what is left.
// Opsets 5 to 23.
#include <fmt/format.h>

#include <algorithm>

#include "ops/layout.hpp"
#include "ops/operator_list.hpp"
#include "ops/sample_network.hpp"
#include "ops/type_rules.hpp"

namespace boundflow {

namespace {

std::vector<TensorType> infer(const NodeView& node) {
  const TensorType& type = node.input_type(0);
  const std::vector<std::int64_t>& wanted = constant_indices(node, 1, "shape");
  const bool allow_zero = node.int_attribute("allowzero", 0) != 0;
  Shape shape = wanted;
  std::int64_t* left_over = nullptr;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == -1) {
      if (left_over != nullptr) node.malformed(fmt::format("shape {} has more than one -1", to_string(wanted)));
      left_over = &shape[i];
      *left_over = 1;
    } else if (shape[i] == 0 && !allow_zero) {
      if (i >= type.shape.size()) {
        node.malformed(fmt::format("shape {} copies dimension {} of {}", to_string(wanted), i, to_string(type)));
      }
      shape[i] = type.shape[i];
    } else if (shape[i] < 0) {
      node.malformed(fmt::format("shape {} has a negative dimension", to_string(wanted)));
    }
  }
  if (allow_zero && left_over != nullptr && std::find(wanted.begin(), wanted.end(), 0) != wanted.end()) {
    node.malformed(fmt::format("shape {} has both 0 and -1, but allowzero is set", to_string(wanted)));
  }
  const std::int64_t available = element_count(type.shape);
  const std::int64_t others = element_count(shape);
  if (left_over != nullptr && others > 0 && available % others == 0) *left_over = available / others;
  if (element_count(shape) != available || (left_over != nullptr && others == 0)) {
    node.malformed(fmt::format("{} does not reshape to {}", to_string(type), to_string(wanted)));
  }
  return {{type.dtype, shape}};
}

Network sample(Random& random) {
  SampleNetwork sample(random);
  const ValueId x = sample.input(sample.shape(static_cast<int>(random.integer(1, 3))));
  // The same dimensions, perhaps preceded by one and followed by merged ones, then hidden behind 0 and -1.
  std::vector<std::int64_t> target = sample.shape_of(x);
  if (target.size() > 1 && random.coin()) {
    target[target.size() - 2] *= target.back();
    target.pop_back();
  }
  Attributes attributes;
  if (random.integer(0, 3) == 0) {
    attributes["allowzero"] = std::int64_t{1};
  } else if (random.coin() && target[0] == sample.shape_of(x)[0]) {
    target[0] = 0;
  }
  if (random.coin())
    target[static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(target.size()) - 1))] = -1;
  if (random.coin()) target.push_back(1);
  return sample.finish("Reshape", {x, sample.indices(target)}, std::move(attributes));
}

}  // namespace

Operator reshape_operator() {
  return {.name = "Reshape",
          .min_inputs = 2,
          .max_inputs = 2,
          .layout_only = true,
          .attributes = {"allowzero"},
          .infer = infer,
          .evaluate = evaluate_same_order<infer>,
          .lower = lower_same_order,
          .sample = sample};
}

}  // namespace boundflow
