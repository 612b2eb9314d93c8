#pragma once
// Network -> Network passes: the table, and the one funnel that runs them. Every pass keeps the network's function in
// real arithmetic and whatever its deployed executions may add (docs/soundness.md).

#include <functional>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "base/deadline.hpp"
#include "base/trace.hpp"
#include "passes/rewriter.hpp"

namespace boundflow {

struct Pass {
  std::string_view name;
  // Asks the budget before each rewrite.
  Network (*run)(const Network& network, const OperatorTable& table, RewriteBudget& budget);
};

// In the order in which they run.
std::span<const Pass> pass_table();

struct PassOptions {
  std::set<std::string, std::less<>> disabled = {};               // names of passes that do not run
  std::int64_t limit = std::numeric_limits<std::int64_t>::max();  // of rewrites, all passes together
  // Called after each pass of which some rewrite was made, and after the first round for the others.
  std::function<void(std::string_view pass, const Network& network)> after = nullptr;
  std::shared_ptr<Trace> trace = nullptr;
};

// Runs the passes in their order, again and again until none of them finds anything to rewrite; verifies the network
// after each. StoppedError when the deadline passes on the way.
Network run_passes(Network network, const OperatorTable& table, std::span<const Pass> passes = pass_table(),
                   const PassOptions& options = {}, const Deadline& deadline = Deadline());

}  // namespace boundflow
