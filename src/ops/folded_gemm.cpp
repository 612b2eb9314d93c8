// FoldedGemm: X W^T + B for a matrix X, with float64 constants (see folded.hpp).
#include "ops/folded.hpp"
#include "ops/operator_list.hpp"
#include "ops/sample_network.hpp"

namespace boundflow {

namespace {

Network sample(Random& random) {
  SampleNetwork sample(random);
  const std::int64_t m = random.integer(0, 2) == 0 ? 2 : 1, k = random.integer(1, 5), n = random.integer(1, 5);
  const ValueId x = sample.input({m, k});
  return finish_folded_sample(sample, random, "FoldedGemm", x, {n, k}, n, k, {{"transB", std::int64_t{1}}});
}

}  // namespace

Operator folded_gemm_operator() {
  return {
      .name = "FoldedGemm",
      .min_inputs = 4,
      .max_inputs = 4,
      .merged_form = "FoldedGemm",
      .internal = true,
      .attributes = folded_attributes({"transB"}),
      .infer = [](const NodeView& node) { return infer_folded(node, gemm_operator()); },
      .cost = [](const NodeView& node) { return folded_cost(node, gemm_operator()); },
      .evaluate = [](const NodeView& node,
                     std::span<const Tensor* const> inputs) { return evaluate_folded(node, inputs, gemm_operator()); },
      .lower = [](const NodeView& node) { return lower_folded(node, gemm_operator()); },
      .sample = sample};
}

}  // namespace boundflow
