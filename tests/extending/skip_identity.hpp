#pragma once
// skip-identity, a pass that BoundFlow does not need: readers of an Identity read what it reads. docs/extending.md
// walks through this file.

#include "passes/passes.hpp"

namespace boundflow {

// A pass visits the nodes in their order and writes a new network: `rewrite_nodes` copies what it returns false for.
inline Network skip_identity(const Network& network, const OperatorTable& table, RewriteBudget& budget) {
  return rewrite_nodes(network, table, [&](Rewriter& rewriter, const Node& node) {
    if (node.op != "Identity") return false;
    // The network's output keeps the node that gives it its name. The budget is asked last: it counts.
    if (node.outputs[0] == network.output() || !budget.take()) return false;
    rewriter.replace(node.outputs[0], rewriter.now(node.inputs[0]));
    return true;
  });
}

}  // namespace boundflow
