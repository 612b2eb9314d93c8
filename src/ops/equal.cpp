// Equal: whether elements are the same, with multidirectional broadcasting. Opsets 7 to 19; the limited broadcasting of
// opset 6 is mapped away at import.
#include <fmt/format.h>

#include "ops/broadcast.hpp"
#include "ops/fold_only.hpp"
#include "ops/operator_list.hpp"

namespace boundflow {

namespace {

std::vector<TensorType> infer(const NodeView& node) {
  const TensorType &a = node.input_type(0), &b = node.input_type(1);
  if (a.dtype != b.dtype) node.malformed(fmt::format("{} and {} differ in dtype", to_string(a), to_string(b)));
  return {{DType::Bool, broadcast_shape(node, a.shape, b.shape)}};
}

std::vector<Tensor> evaluate(const NodeView& node, std::span<const Tensor* const> inputs) {
  const Shape shape = broadcast_shape(node, inputs[0]->shape(), inputs[1]->shape());
  return std::visit(
      [&](const auto& a) -> std::vector<Tensor> {
        using Elements = std::decay_t<decltype(a)>;
        const Elements left = broadcast_elements(a, inputs[0]->shape(), shape);
        const Elements right = broadcast_elements(std::get<Elements>(inputs[1]->data()), inputs[1]->shape(), shape);
        std::vector<bool> same;
        for (std::size_t i = 0; i < left.size(); ++i) same.push_back(left[i] == right[i]);
        return {Tensor(shape, std::move(same))};
      },
      inputs[0]->data());
}

}  // namespace

Operator equal_operator() {
  return {.name = "Equal",
          .min_inputs = 2,
          .max_inputs = 2,
          .exact = true,
          .infer = infer,
          .evaluate = evaluate,
          .lower = refuse_variables};
}

}  // namespace boundflow
