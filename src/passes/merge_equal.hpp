#pragma once
// merge-equal: of nodes with the same operator, operands and attributes, one computes the value for all readers; of
// constants with the same type and elements, one is kept.
//
// Only nodes whose executions are exact are merged. Two equal sums of products may be added up in different orders, so
// that an execution's values differ, and their difference is not zero; the bounds of a merged node's difference would
// be.

#include "passes/rewriter.hpp"

namespace boundflow {

Network merge_equal(const Network& network, const OperatorTable& table, RewriteBudget& budget);

}  // namespace boundflow
