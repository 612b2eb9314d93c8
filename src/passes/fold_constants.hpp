#pragma once
// fold-constants: nodes that read constants only become constants, if every execution gives exactly these
// (Operator::fold). Import has folded what files have; this folds what other passes leave.

#include "passes/rewriter.hpp"

namespace boundflow {

Network fold_constants(const Network& network, const OperatorTable& table, RewriteBudget& budget);

}  // namespace boundflow
