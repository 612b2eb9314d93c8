#pragma once
// QueryEngine: one network, compiled, answering bound queries and evaluations. Implements the search's Bounder and
// Evaluator.

#include <memory>
#include <string>

#include "engine/arena.hpp"
#include "engine/observer.hpp"
#include "engine/plan_cache.hpp"
#include "engine/row_block.hpp"
#include "ir/query.hpp"
#include "program/program_passes.hpp"

namespace boundflow {

// Whether an engine found its plan in a cache.
enum class PlanLookup { None, Hit, Miss };

class QueryEngine final : public Bounder, public Evaluator {
 public:
  static constexpr std::int64_t kMostBlockBytes = std::int64_t{128} << 20;

  struct Options {
    BoundLowering lowering;
    // Rows of a block travel the whole walk while their coefficients stay in a core's cache: this many bytes.
    std::int64_t block_bytes = 192 << 10;
    // A block has fewer rows than it takes to share the read of the weights if it would be larger than this. The bounds
    // do not depend on it.
    std::int64_t max_block_bytes = kMostBlockBytes;
    std::int64_t max_block_rows = 256;
    ProgramPassOptions program_passes;
    // Off only to compare with: every buffer has bytes of its own, fresh in each query.
    bool reuse_storage = true;
    // Also what a SplitEngine runs.
    bool splits = false;
    // Where the plan comes from, and is left for others; the cache outlives the constructor. nullptr, or operators that
    // are not the built-in ones: it is compiled for this engine alone.
    PlanCache* plans = nullptr;
  };

  // `table`: of the network's operators; it need not outlive the constructor. StoppedError when the deadline passes
  // before everything is compiled.
  QueryEngine(std::shared_ptr<const Network> network, std::shared_ptr<const Executor> executor, Options options,
              const Deadline& deadline = Deadline(), const OperatorTable& table = operator_table());
  ~QueryEngine() override;

  void observe(std::shared_ptr<const Observer> observer) { observer_ = std::move(observer); }
  // Records from now on what runs when.
  void trace(std::shared_ptr<Trace> trace) { trace_ = std::move(trace); }

  void answer(const BoundQuery& query, const Deadline& deadline, BoundAnswer& answer) const override;
  void evaluate(std::span<const double> points, std::int64_t count, std::span<double> outputs) const override;
  bool gradient(std::span<const double> points, std::int64_t count, const Choose& choose, std::span<double> outputs,
                std::span<double> gradients, const Deadline& deadline) const override;

  const CompiledProgram& bounds_program() const { return *bounds_; }
  const CompiledProgram& values_program() const { return *gradients_; }
  // Empty unless asked for, and where the network has no neurons to split.
  const CompiledPlan::Splits& split_programs() const { return splits_; }
  // What the constructor did for them, and how long that took.
  struct Compilation {
    PlanLookup lookup = PlanLookup::None;
    double seconds = 0;
  };
  const Compilation& compilation() const { return compilation_; }
  std::int64_t rows_per_block() const { return rows_per_block_; }
  // Memory per subproblem of a query, without its answer and without the blocks of rows, of which each thread has one.
  std::int64_t bytes_per_subproblem() const;
  // Of all arenas that queries have left for the next ones: subproblems' and blocks' of rows.
  std::int64_t arena_bytes() const;
  // Multiplications per subproblem in the longest op over all of them, at most: nobody looks at the clock inside.
  std::int64_t work_per_subproblem() const;

  // The final bounds of each value with elementwise consumers, in the network's order, as the bound program holds them
  // after a query over one box: for tests, parity and inspection.
  struct ValueBounds {
    ValueId value;
    std::vector<double> lower;  // [subproblems, n]
    std::vector<double> upper;
  };
  // StoppedError when the deadline passes before.
  std::vector<ValueBounds> intermediate_bounds(const BoundQuery& query, const Deadline& deadline = Deadline()) const;

  // What the bound program has found of each value after a query over one box, by ValueId and as stored. StoppedError
  // when the deadline passes before.
  std::vector<GivenValue> given_values(const BoundQuery& query, const Deadline& deadline) const;
  // Where an observed point lies in the box, its activations have to lie within what is given of each value.
  void check_given(std::span<const GivenValue> given, std::span<const double> lower, std::span<const double> upper,
                   Semantics semantics) const;

 private:
  struct Workspace;
  struct Selection;
  struct Intermediate;
  std::int64_t rows_of_block(std::int64_t row_bytes) const;
  void run(const BoundQuery& query, const Deadline& deadline, BoundAnswer& answer, Intermediate* intermediate) const;
  void enclose_balls(const BoundQuery& query, Workspace& workspace, BatchFrame& frame) const;
  bool run_batch(const Task& task, const BatchFrame& frame, const Deadline& deadline, Intermediate* intermediate) const;
  void capture(BufferId id, const BatchFrame& frame, Intermediate& intermediate) const;
  void capture_query(const BoundQuery& query, const Deadline& deadline, Intermediate& intermediate) const;
  void select_neurons(const Task& task, const BatchFrame& frame, std::int64_t b, Selection& selection) const;
  bool run_neurons(const Task& task, const BatchFrame& frame, const Deadline& deadline) const;
  bool run_spec(const Task& task, const BatchFrame& frame, const BoundQuery& query, BoundAnswer& answer,
                const Deadline& deadline) const;
  template <class Walk>
  bool for_each_block(const CompiledProgram& program, const Task& task, std::int64_t rows, const Walk& walk) const;
  bool walk_neurons(const Task& task, const TargetBounds& target, RowFrame& frame, RowBlock& block,
                    const Deadline& deadline) const;
  void check_observed(const TaskOp& op, const BatchFrame& frame, const std::string& stage) const;
  void check_observed(BufferId bounds, const BatchFrame& frame, const std::string& stage) const;

  Options options_;
  std::shared_ptr<const CompiledProgram> bounds_;
  std::shared_ptr<const CompiledProgram> gradients_;
  CompiledPlan::Splits splits_;
  Compilation compilation_;
  std::int64_t rows_per_block_ = 0;
  std::shared_ptr<const Observer> observer_;
  std::shared_ptr<Trace> trace_;
  mutable Pool<Workspace> workspaces_;
  mutable Pool<Selection> selections_;
  mutable Pool<RowBlock> row_blocks_;
};

}  // namespace boundflow
