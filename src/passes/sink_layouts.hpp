#pragma once
// sink-layouts: a rearrangement of the operands of a pointwise operator, or of the tensors that a Concat joins, becomes
// one of its result. Constants among the operands are rearranged the other way round. Layouts thus move towards the
// outputs, until they meet what undoes them (compose-layouts) or weights that take them in (absorb-layouts).

#include "passes/rewriter.hpp"

namespace boundflow {

Network sink_layouts(const Network& network, const OperatorTable& table, RewriteBudget& budget);

}  // namespace boundflow
