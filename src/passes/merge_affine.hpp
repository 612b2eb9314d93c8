#pragma once
// merge-affine: scales and shifts by constants (BatchNormalization, Mul, Div, Add, Sub, Neg, whatever has such a facet)
// go into the weights and the bias of the convolution or the matrix product that they stand behind or before. The
// weights keep their places, so that no sum gets longer. Arithmetic is in float64; what it loses, and what executions
// of the nodes that were merged may lose, folded by a runtime or not, is part of the merged node (docs/soundness.md).

#include "passes/rewriter.hpp"

namespace boundflow {

Network merge_affine(const Network& network, const OperatorTable& table, RewriteBudget& budget);

}  // namespace boundflow
