#pragma once
// Network -> Network passes: the table, and the one funnel that runs them. Every pass keeps the network's function in
// real arithmetic and whatever its deployed executions may add (docs/soundness.md).

#include <span>
#include <string_view>

#include "ops/operator.hpp"

namespace boundflow {

struct Pass {
  std::string_view name;
  Network (*run)(const Network& network, const OperatorTable& table);
};

std::span<const Pass> pass_table();

// Runs all passes in their order; verifies the network after each.
Network run_passes(Network network, const OperatorTable& table, std::span<const Pass> passes = pass_table());

}  // namespace boundflow
