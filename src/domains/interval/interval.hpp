#pragma once
// The interval domain: forward bounds of every value from those of its predecessors, each step an outward-rounded
// interval operation that also covers the deployed executions. Affine nodes give, from the same read of their weights,
// the error weights that linear domains need (docs/soundness.md).

#include "domains/known_bounds.hpp"
#include "domains/lowered_network.hpp"

namespace boundflow::interval {

struct State {
  const LoweredNetwork& network;
  ProgramBuilder& builder;
  KnownBounds& known;
};

// Emits the input box as the bounds of the network's input.
void emit_input(State& state);

// Emits the bounds of the node's output.
void emit(State& state, const LoweredNode& node);

}  // namespace boundflow::interval
