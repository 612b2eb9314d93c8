// Size: how many elements its input has. Opsets 1 to 23.
#include "ops/fold_only.hpp"
#include "ops/operator_list.hpp"

namespace boundflow {

Operator size_operator() {
  return {.name = "Size",
          .exact = true,
          .reads_shapes_only = true,
          .infer =
              [](const NodeView&) {
                return std::vector<TensorType>{{DType::Int64, {}}};
              },
          .evaluate =
              [](const NodeView& node, std::span<const Tensor* const>) {
                const std::int64_t size = element_count(node.input_type(0).shape);
                return std::vector<Tensor>{Tensor({}, std::vector<std::int64_t>{size})};
              },
          .lower = refuse_variables};
}

}  // namespace boundflow
