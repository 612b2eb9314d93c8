#pragma once
// Executor: gives TaskOps their kernels. Executors differ in kernels only and agree within the error terms that they
// report. They know LinearMap and ScalarFunction, and no operator.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/kernel_use.hpp"
#include "base/trace.hpp"
#include "exec/bounds_row.hpp"
#include "ir/query.hpp"
#include "program/bound_program.hpp"
#include "program/held_bytes.hpp"
#include "program/storage_plan.hpp"

namespace boundflow {

// What a query brings along about the network's values, for all of its subproblems; in the order in which a value is
// stored. Empty where the program does not ask.
struct GivenValue {
  std::vector<double> lower;  // sound over all of the query's boxes
  std::vector<double> upper;
  std::vector<float> error_weights;  // of the affine node that computes the value, as ErrorWeights
};

// The half of a subproblem where coordinate `position` (as stored) of `value` is on one side of a point.
struct SplitTerm {
  ValueId value = kNoValue;
  std::int32_t position = 0;
  std::int32_t neuron = 0;  // among all: the offset of the value's neurons plus the position
  bool above = false;       // x >= point, else x <= point
  float point = 0;
  float multiplier = 0;  // >= 0: a row's bound may use the constraint this many times (Wang et al. 2021)
};

// Neurons with lines to choose from, ascending, one entry of each array for each.
struct FreeNeurons {
  std::vector<std::int32_t> neurons;
  // Of most of them (ReLU and the like) the choice is a slope: every line through the origin between these two holds
  // below, the first less than the last, and there is no choice above. They turn. NaN for the others.
  std::vector<float> first_slopes, last_slopes;
  std::vector<float> reaches;             // of those that turn: the largest |slope| |x|, rounded up
  std::vector<std::int32_t> known;        // in `choices` of the SplitFrame, or -1: to be computed when asked for
  std::vector<std::int32_t> not_turning;  // places in these arrays, ascending

  std::int64_t size() const { return std::ssize(neurons); }
  // How many come before the neuron.
  std::int64_t place(std::int64_t neuron) const {
    return std::lower_bound(neurons.begin(), neurons.end(), neuron) - neurons.begin();
  }
};

// A neuron's choices on an interval.
struct KnownChoices {
  LineChoices lines;
  double deployed_error = 0;  // of the function there; 0 where executions do not count
};
// False if the function has none there.
bool find_choices(const ScalarFunction& function, double l, double u, bool float32_slopes, Semantics semantics,
                  double unit_roundoff, KnownChoices& found);

// Subproblems that differ in splits and in the lines that they choose.
struct SplitFrame {
  std::span<const GivenValue> given;          // by ValueId
  std::span<const SplitTerm> splits;          // of all subproblems, one behind the other
  std::span<const std::int64_t> first_split;  // [subproblems + 1]
  const FreeNeurons* free = nullptr;          // those whose shares count
  // [subproblems, free] each: shares of the way from the first line to the last (ir/line_choice).
  const float* lower_shares = nullptr;
  const float* upper_shares = nullptr;  // nullptr: no function has a choice above
  // The subproblems whose lines are chosen; those of others stay as they are.
  std::span<const std::int32_t> running;
  std::span<const KnownChoices> choices;
  // [subproblems, given]: what holds in a subproblem alone, within what is given, or nullptr. Or empty.
  std::span<const double* const> own_lower;
  std::span<const double* const> own_upper;
  // [subproblems, given]: not 0 where the subproblem splits nothing of the value, so that its bounds are read where
  // they are.
  std::span<const char> whole;
  bool is_whole(std::int64_t b, ValueId value) const { return whole[place(b, value)] != 0; }
  // What holds of the value without the subproblem's splits.
  BoundsRow known_of(std::int64_t b, ValueId value) const {
    const std::size_t at = place(b, value);
    const GivenValue& all = given[static_cast<std::size_t>(value)];
    return {own_lower.empty() || own_lower[at] == nullptr ? all.lower.data() : own_lower[at],
            own_upper.empty() || own_upper[at] == nullptr ? all.upper.data() : own_upper[at]};
  }
  std::span<const SplitTerm> splits_of(std::int64_t b) const {
    const auto at = [&](std::int64_t i) { return static_cast<std::size_t>(first_split[static_cast<std::size_t>(i)]); };
    return splits.subspan(at(b), at(b + 1) - at(b));
  }
  // Whether the subproblem has the bounds that are given of the value, but for what it has split.
  bool as_given(std::int64_t b, ValueId value) const {
    if (own_lower.empty()) return true;
    return own_lower[place(b, value)] == nullptr && own_upper[place(b, value)] == nullptr;
  }
  std::size_t place(std::int64_t b, ValueId value) const {
    return static_cast<std::size_t>(b) * given.size() + static_cast<std::size_t>(value);
  }
};

// The subproblems of one query and the storage of what is known per subproblem.
struct BatchFrame {
  std::byte* arena = nullptr;  // plan.batch_bytes * subproblems, 64-byte aligned
  std::int64_t subproblems = 0;
  const double* lower = nullptr;  // the input boxes [subproblems, inputs]; of a ball, the box around it
  const double* upper = nullptr;
  InputNorm norm = InputNorm::Linf;
  const double* centers = nullptr;  // of L2 and L1 balls [subproblems, inputs]
  const double* radii = nullptr;    // [subproblems]
  Semantics semantics = Semantics::Float32;
  Trace* trace = nullptr;  // of what runs, or nullptr
  const SplitFrame* split = nullptr;
};

// A block of rows (or points) on its way through a task.
struct RowFrame {
  const BatchFrame* batch = nullptr;
  std::byte* arena = nullptr;            // plan.row_bytes * capacity
  std::int64_t rows = 0;                 // N of this block
  std::int64_t capacity = 0;             // N at its start: where buffers lie does not change when rows leave
  const std::int32_t* owners = nullptr;  // [N]
  // Neurons: the neuron's index, in the order in which its value is stored, and +1 or -1. Spec: the row of `spec`.
  const std::int32_t* indices = nullptr;
  const double* signs = nullptr;
  const LinearSpec* spec = nullptr;
  double* scratch = nullptr;    // [2 N] for the ops' own use; after the last Probe the rows' bounds and their errors
  double* constants = nullptr;  // [N] accumulators, zero at the start; after Concretize the nominal bound
  double* errors = nullptr;     // [N] likewise; after Concretize the error bound
  double* form = nullptr;       // [N, inputs] or nullptr: Lambda at the input, written by Concretize
  double* form_constants = nullptr;
  // [N, free neurons of the split frame]: Lambda and values there, of the row's last sweep.
  float* kept_rows = nullptr;
  float* kept_points = nullptr;
  // By split of the split frame, of those of the rows' owners: the value there, and the mean |Lambda| of its layer.
  float* split_points = nullptr;
  float* split_magnitudes = nullptr;
  double* minimizers = nullptr;  // [N, inputs] or nullptr: where the sweep began
  // Points:
  const double* points = nullptr;  // [N, inputs]
  double* values = nullptr;        // [N, outputs]
  const double* cotangents = nullptr;
  double* gradients = nullptr;  // [N, inputs]
};

// A program with its constants in the executor's layout. Immutable: safe from several threads, each with frames of its
// own.
class CompiledProgram {
 public:
  virtual ~CompiledProgram() = default;
  virtual void run(const TaskOp& op, const BatchFrame& frame) const = 0;
  virtual void run(const TaskOp& op, const RowFrame& frame) const = 0;
  // Lower and upper bounds of a Bounds buffer, entries [subproblems, ld].
  double* lower(BufferId id, const BatchFrame& frame) const;
  double* upper(BufferId id, const BatchFrame& frame) const;
  // The weights of an ErrorWeights buffer [subproblems, ld].
  const float* error_weights(BufferId id, const BatchFrame& frame) const;
  // Copies a row of a Rows buffer over another one of the block.
  void copy_row(BufferId id, const RowFrame& frame, std::int64_t from, std::int64_t to) const;
  // Counts the program, its plan and its constants.
  virtual void count(HeldBytes& held) const;
  const BoundProgram& program() const { return *program_; }
  const StoragePlan& plan() const { return *plan_; }

 protected:
  CompiledProgram(std::shared_ptr<const BoundProgram> program, std::shared_ptr<const StoragePlan> plan);
  std::byte* at(BufferId id, const BatchFrame& frame) const;
  std::byte* at(BufferId id, const RowFrame& frame) const;
  std::int64_t columns(BufferId id) const { return program_->buffers[static_cast<std::size_t>(id)].columns; }
  std::int64_t ld(BufferId id) const { return leading_dimensions_[static_cast<std::size_t>(id)]; }

 private:
  std::shared_ptr<const BoundProgram> program_;
  std::shared_ptr<const StoragePlan> plan_;
  std::vector<std::int64_t> leading_dimensions_;  // per buffer
};

// A program and where its buffers lie.
struct PlannedProgram {
  std::shared_ptr<const BoundProgram> program;
  std::shared_ptr<const StoragePlan> plan;
};

class Executor {
 public:
  virtual ~Executor() = default;
  virtual std::string_view name() const = 0;
  virtual std::int64_t element_bytes() const = 0;  // of Rows, Points and Lines
  // One compiled program for each, in their order. Maps that several of them read are packed once and shared: programs
  // of one LoweredNetwork are compiled together for that. StoppedError when the deadline passes on the way.
  virtual std::vector<std::shared_ptr<const CompiledProgram>> compile(std::span<const PlannedProgram> programs,
                                                                      const Deadline& deadline) const = 0;
  // Where its kernels came from and how long they ran since the process began, for executors that generate any.
  virtual std::vector<KernelUse> kernel_uses() const { return {}; }
};

}  // namespace boundflow
