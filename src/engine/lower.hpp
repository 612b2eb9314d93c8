#pragma once
// Lowering: which domains answer a query, in which order. The only place that composes domains.

#include "domains/crown/crown.hpp"
#include "domains/lowered_network.hpp"
#include "program/bound_program.hpp"

namespace boundflow {

// How the bounds of what a relaxation reads are found.
enum class IntermediateBounds {
  // Interval steps only (the crown-ibp of the literature).
  Interval,
  // One interval step from the final bounds of the predecessors, intersected with CROWN rows for the neurons which that
  // leaves unstable.
  Crown,
  // CROWN rows for the neurons that interval steps from the input leave unstable; those steps' bounds for the others.
  // The rule of auto_LiRPA: more rows and no tighter.
  CrownWhereIntervalUnstable,
};

// What answers the query's rows.
enum class SpecificationBounds {
  Crown,     // rows walked to the input
  Interval,  // rows fused into the last affine nodes, on the interval bounds before those (ibp)
};

// Which neurons' rows walk, where interval steps are not all.
enum class NeuronRows {
  All,       // to compare with
  Unstable,  // those which the interval step before leaves unstable
  // Of those, each as long as nothing on its way shows that its activation is constant, so that nothing depends on how
  // tight its bounds are (Crown only).
  UntilConstant,
};

struct BoundLowering {
  IntermediateBounds intermediate = IntermediateBounds::Crown;
  SpecificationBounds specification = SpecificationBounds::Crown;
  NeuronRows rows = NeuronRows::UntilConstant;
  bool input_terms = false;  // the specification has rows over the inputs too
  bool balls = false;        // input sets may be L2 and L1 balls: the first affine nodes apply the dual norm
  bool windows = true;       // rows of convolutions store windows; off only to compare with the dense form
  // +-e_i is carried through the first affine node by reading its weights; off only to compare with.
  bool gather = true;
  bool operator==(const BoundLowering&) const = default;
};

BoundProgram lower_bounds(const LoweredNetwork& network, const BoundLowering& options);

// Rows where bounds of all values are given, for subproblems that differ in splits of neurons and in lower slopes. Each
// program has a batch task that takes what is given and relaxes, one that applies slopes, the walk, and the sweep.
struct SplitPrograms {
  static constexpr std::size_t kGiven = 0, kSlopes = 1, kWalk = 2, kSweep = 3;  // tasks
  std::vector<crown::NeuronLayer> layers;
  // The query's rows first; then rows +-e_i of those layers that have others before them.
  std::vector<BoundProgram> programs;
  std::vector<std::size_t> targets;  // per program but the first: the layer
};

// No programs where the network has no neurons to split, or nodes that the sweep has no rule for. `input_terms` and
// `windows` as in BoundLowering.
SplitPrograms lower_splits(const LoweredNetwork& network, bool input_terms, bool windows);

// Values at points and, on request, gradients.
BoundProgram lower_values(const LoweredNetwork& network, bool gradients);

}  // namespace boundflow
