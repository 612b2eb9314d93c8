#pragma once
// The CROWN domain (Zhang et al. 2018, "Efficient neural network robustness certification with general activation
// functions"): linear lower bounds of rows of a target value, walked backward to the input. Every row's Lambda goes
// through affine nodes by the transpose, through elementwise nodes by the line that its sign selects, and adds up at
// fan-out.

#include <optional>

#include "domains/known_bounds.hpp"
#include "domains/lowered_network.hpp"

namespace boundflow::crown {

struct State {
  const LoweredNetwork& network;
  ProgramBuilder& builder;
  const KnownBounds& known;
  std::vector<BufferId> rows;  // per value: Rows that have arrived there and not gone on
  bool probes = false;         // rows may end on the way
  bool relaxed = false;        // they have come through a relaxation
  // Where subproblems differ in splits: which values are split, and the rows that left each value, for the sweep, which
  // has points in the same windows.
  const std::vector<bool>* split = nullptr;
  std::vector<BufferId> reached;
};

// Emits the relaxation of an elementwise or joint node, the bounds of whose operands are final, and records it in
// `known`.
void emit_relaxation(const LoweredNetwork& network, ProgramBuilder& builder, KnownBounds& known,
                     const LoweredNode& node);

struct NeuronWalk {
  bool windows = true;  // rows store a window of each image where that is smaller
  // Rows are bounded before each relaxation from the second on, so that those which are proved there can end (the first
  // would tell what the interval step before the task has told).
  bool probes = false;
  bool gather = true;  // rows start behind the first affine node where its weights can be read
};

// Emits the walk of rows that start as +-e_i at `target` (TaskKind::Neurons), concretized over the input set.
void emit_neurons(const LoweredNetwork& network, ProgramBuilder& builder, const KnownBounds& known, ValueId target,
                  const NeuronWalk& walk);

// Emits the walk of the query's rows C at the network's output, plus A at its input if `input_terms`.
void emit_spec(const LoweredNetwork& network, ProgramBuilder& builder, const KnownBounds& known, bool input_terms);

// The neurons that subproblems may split and whose lines they choose: all coordinates of the values that activations
// read which can be split, value by value, numbered as they are stored.
struct NeuronLayer {
  ValueId value = kNoValue;
  std::int64_t columns = 0;
  std::int64_t offset = 0;  // of its first neuron among all
  std::shared_ptr<const ScalarFunction> function;
  double unit_roundoff = 0;  // of the activation's dtype
};

// Emits the walk of rows under the splits and lines of their subproblems (Wang et al. 2021), in one task: the query's,
// or with a `target` rows +-e_i of that value. And in another the sweep of the rows' minimisers from the input through
// the lines that the walk has chosen, which gives the gradients for slopes and multipliers: at neuron i with rows
// Lambda of the activation's result and values z of its operand, Lambda_i (z_i ds + dt) as the slope s and intercept t
// of the line in use change, and -side (z_i - point) for a multiplier. `windows` as for a NeuronWalk.
void emit_split_rows(const LoweredNetwork& network, ProgramBuilder& builder, const KnownBounds& known,
                     const std::vector<NeuronLayer>& layers, std::optional<ValueId> target, bool input_terms,
                     bool windows);

// Emits the query's rows through the affine nodes at the network's end, and concretizes them on the known bounds of the
// values before: interval bounds with the specification fused into the last affine step.
void emit_last_affine(const LoweredNetwork& network, ProgramBuilder& builder, const KnownBounds& known,
                      bool input_terms);

// True if the domain has a rule for the node.
bool supports(const LoweredNode& node);

}  // namespace boundflow::crown
