#pragma once
// compose-layouts: a chain of nodes that only rearrange one tensor becomes the shortest chain that does the same.
// Consecutive transposes are composed, pairs that undo each other vanish, reshapes in a row become one, and what
// changes nothing goes: identities, transposes that move only axes of extent 1 apart from their shape, reshapes to the
// shape that was there.

#include "passes/rewriter.hpp"

namespace boundflow {

Network compose_layouts(const Network& network, const OperatorTable& table, RewriteBudget& budget);

}  // namespace boundflow
