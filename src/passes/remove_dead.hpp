#pragma once
// remove-dead: nodes and constants that the outputs do not need. Other passes leave none behind; files have some.

#include "passes/rewriter.hpp"

namespace boundflow {

Network remove_dead(const Network& network, const OperatorTable& table, RewriteBudget& budget);

}  // namespace boundflow
