#pragma once
// Runtimes fold what stands behind a sum of products into the sum: batch normalisation, scales and constants into the
// weights of the layer before, residual additions and biases into its accumulator. Such an execution rounds scaled
// weights, relative to terms that may cancel, and its partial sums hold the addend. Widening the error models of both
// nodes covers it, whether it is folded or not (docs/soundness.md).

#include <vector>

#include "domains/lowered_network.hpp"

namespace boundflow {

void cover_folded_executions(const Network& network, std::vector<LoweredNode>& nodes);

}  // namespace boundflow
