// ConstantOfShape: a tensor of the given shape that repeats one value, float32 zero by default. Opsets 9 to 23.
#include <fmt/format.h>

#include <algorithm>

#include "ops/fold_only.hpp"
#include "ops/operator_list.hpp"
#include "ops/type_rules.hpp"

namespace boundflow {

namespace {

Tensor value(const NodeView& node) {
  const auto found = node.node().attributes.find("value");
  if (found == node.node().attributes.end()) return Tensor({}, std::vector<float>{0});
  const auto* tensor = std::get_if<Tensor>(&found->second);
  if (tensor == nullptr || tensor->size() != 1) node.malformed("attribute 'value' must be a tensor of one element");
  return *tensor;
}

std::vector<TensorType> infer(const NodeView& node) {
  const std::vector<std::int64_t>& shape = constant_indices(node, 0, "shape");
  if (std::any_of(shape.begin(), shape.end(), [](std::int64_t extent) { return extent < 0; })) {
    node.malformed(fmt::format("shape {} has a negative dimension", to_string(shape)));
  }
  return {{value(node).dtype(), shape}};
}

std::vector<Tensor> evaluate(const NodeView& node, std::span<const Tensor* const>) {
  const Shape shape = infer(node)[0].shape;
  const Tensor repeated = value(node);
  return std::visit(
      [&](const auto& one) -> std::vector<Tensor> {
        return {
            Tensor(shape, std::decay_t<decltype(one)>(static_cast<std::size_t>(element_count(shape)), one.front()))};
      },
      repeated.data());
}

}  // namespace

Operator constant_of_shape_operator() {
  return {.name = "ConstantOfShape",
          .exact = true,
          .attributes = {"value"},
          .infer = infer,
          .evaluate = evaluate,
          .lower = refuse_variables};
}

}  // namespace boundflow
