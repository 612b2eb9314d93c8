#pragma once
// Lowering: which domains answer a query, in which order. The only place that composes domains.

#include "domains/lowered_network.hpp"
#include "program/bound_program.hpp"

namespace boundflow {

// How the bounds of an activation's input are found before its relaxation.
enum class IntermediateBounds {
  Interval,  // interval steps only (the crown-ibp of the literature)
  Crown,  // one interval step from the final bounds of the predecessors; CROWN rows for the neurons it leaves unstable
};

struct BoundLowering {
  IntermediateBounds intermediate = IntermediateBounds::Crown;
  bool input_terms = false;  // the specification has rows over the inputs too
};

BoundProgram lower_bounds(const LoweredNetwork& network, const BoundLowering& options);

// Values at points and, on request, gradients.
BoundProgram lower_values(const LoweredNetwork& network, bool gradients);

}  // namespace boundflow
