#pragma once
// The point domain: values at points forward, and cotangents backward to the input (reverse-mode gradients). Not
// rigorous; attacks and branching use it.

#include "domains/known_bounds.hpp"
#include "domains/lowered_network.hpp"

namespace boundflow::point {

// Emits a task that computes the outputs at the query's points and, if `gradients`, a second one that pulls the query's
// cotangents at the output back to the input.
void emit(const LoweredNetwork& network, ProgramBuilder& builder, bool gradients);

// True if the domain has a rule for the node.
bool supports(const LoweredNode& node);

}  // namespace boundflow::point
