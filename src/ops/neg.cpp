// Neg: -x. Opsets 6 to 13. A change of sign is exact.
#include "ops/elementwise.hpp"
#include "ops/operator_list.hpp"

namespace boundflow {

namespace {

std::vector<Tensor> evaluate(const NodeView&, std::span<const Tensor* const> inputs) {
  return map_elements(*inputs[0], [](auto x) { return -x; });
}

Facet lower(const NodeView& node) {
  const std::int64_t size = element_count(node.input_type(0).shape);
  Affine affine;
  affine.terms.push_back({0, std::make_shared<const LinearMap>(LinearMap::identity(size, -1))});
  return affine;
}

}  // namespace

Operator neg_operator() {
  return {
      .name = "Neg",
      .pointwise = true,
      .infer = infer_elementwise,
      .evaluate = evaluate,
      .fold = [](const NodeView& node, std::span<const Tensor* const> inputs) -> std::optional<std::vector<Tensor>> {
        return evaluate(node, inputs);
      },
      .lower = lower,
      .sample = [](Random& random) { return sample_elementwise(random, "Neg"); }};
}

}  // namespace boundflow
