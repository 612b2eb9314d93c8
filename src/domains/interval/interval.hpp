#pragma once
// The interval domain: forward bounds of every value from those of its predecessors, each step an outward-rounded
// interval operation that also covers the deployed executions. Affine nodes give, from the same read of their weights,
// the error weights that linear domains need (docs/soundness.md).

#include "domains/known_bounds.hpp"
#include "domains/lowered_network.hpp"

namespace boundflow::interval {

struct State {
  State(const LoweredNetwork& lowered, ProgramBuilder& to, KnownBounds& found);

  const LoweredNetwork& network;
  ProgramBuilder& builder;
  KnownBounds& known;
  // Per value that is the input set itself, up to order, signs and a shift: which of its coordinates are, the others
  // being constant. Null for other values.
  std::vector<std::shared_ptr<const std::vector<bool>>> ball;
};

// Emits the input box as the bounds of the network's input. With `balls`, the first affine nodes apply the dual norm
// where the query's input set is a ball.
void emit_input(State& state, bool balls);

// Emits the bounds of the node's output.
void emit(State& state, const LoweredNode& node);

// True if the domain has a rule for the node.
bool supports(const LoweredNode& node);

}  // namespace boundflow::interval
