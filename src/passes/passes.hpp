#pragma once
// Network -> Network passes: the table, and the one funnel that runs them. Every pass keeps the network's function in
// real arithmetic and whatever its deployed executions may add (docs/soundness.md).

#include <span>
#include <string_view>

#include "passes/rewriter.hpp"

namespace boundflow {

struct Pass {
  std::string_view name;
  // Asks the budget before each rewrite.
  Network (*run)(const Network& network, const OperatorTable& table, RewriteBudget& budget);
};

// In the order in which they run.
std::span<const Pass> pass_table();

using NetworkPassOptions = PassOptions<Network>;

// Runs the passes in their order, again and again until none of them finds anything to rewrite; verifies the network
// after each. StoppedError when the deadline passes on the way.
Network run_passes(Network network, const OperatorTable& table, std::span<const Pass> passes = pass_table(),
                   const NetworkPassOptions& options = {}, const Deadline& deadline = Deadline());

}  // namespace boundflow
