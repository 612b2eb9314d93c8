#pragma once

#include "passes/rewriter.hpp"

namespace boundflow {

// What can be written in several ways is written in one (Operator::spell): attributes that are the default are gone, a
// Clip at zero is a Relu, a product with a constant matrix a Gemm whose matrix is [out, in], a Split a Slice per piece;
// and nodes that leave all elements in their order are a Reshape, whatever their name. Each rewrite leaves one node
// less that is written in another way.
Network normal_spelling(const Network& network, const OperatorTable& table, RewriteBudget& budget);

}  // namespace boundflow
