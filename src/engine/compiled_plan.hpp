#pragma once
// CompiledPlan: all that answering queries of one kind about one network takes and that no query changes. Subproblems
// and rows are symbolic in it, so that it serves queries of any size.

#include <memory>

#include "base/digest.hpp"
#include "engine/contraction.hpp"
#include "engine/lower.hpp"
#include "exec/executor.hpp"
#include "program/program_passes.hpp"

namespace boundflow {

// What a plan follows from, beside the operators.
struct PlanSource {
  std::shared_ptr<const Network> network;
  std::shared_ptr<const Executor> executor;
  BoundLowering lowering = {};
  ProgramPassOptions program_passes = {};
  bool splits = false;        // also the programs for subproblems that differ in splits
  bool reuse_storage = true;  // off only to compare with: every buffer has bytes of its own
};

// Immutable: several engines may run it at the same time.
struct CompiledPlan {
  std::shared_ptr<const CompiledProgram> bounds;
  std::shared_ptr<const CompiledProgram> values;  // and gradients; shares the packed constants of `bounds`
  // As in SplitPrograms; empty unless asked for.
  struct Splits {
    std::vector<crown::NeuronLayer> layers;
    std::vector<std::shared_ptr<const CompiledProgram>> programs;
    std::vector<std::size_t> targets;
    std::shared_ptr<const Contraction> contraction;  // nullptr where it cannot be done
  } splits;
  std::int64_t bytes = 0;  // of all, as HeldBytes counts
};

// StoppedError when the deadline passes on the way.
CompiledPlan compile_plan(const PlanSource& source, const OperatorTable& table, const Deadline& deadline);

// Of everything that a plan or its messages can show of a network: operators, attributes, names, topology in the
// order of its ids, types, and all constants bit for bit. StoppedError when the deadline passes on the way.
Digest network_digest(const Network& network, const Deadline& deadline = Deadline());

// Plans of the built-in operators with equal keys are the same. `network`: the digest of source.network. Executors are
// told apart by name and element size, passes by what is switched off.
Digest plan_key(const PlanSource& source, const Digest& network);

}  // namespace boundflow
