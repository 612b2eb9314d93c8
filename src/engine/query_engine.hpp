#pragma once
// QueryEngine: one network, compiled once, answering bound queries and evaluations. Implements the search's Bounder and
// Evaluator.

#include <memory>
#include <string>

#include "engine/arena.hpp"
#include "engine/lower.hpp"
#include "engine/observer.hpp"
#include "exec/executor.hpp"
#include "ir/query.hpp"

namespace boundflow {

class QueryEngine final : public Bounder, public Evaluator {
 public:
  struct Options {
    BoundLowering lowering;
    // Rows of a block travel the whole walk while their coefficients stay in a core's cache: this many bytes.
    std::int64_t block_bytes = 192 << 10;
  };

  // `table`: of the network's operators; it need not outlive the constructor.
  QueryEngine(std::shared_ptr<const Network> network, std::shared_ptr<const Executor> executor, Options options,
              const OperatorTable& table = operator_table());
  ~QueryEngine() override;

  void observe(std::shared_ptr<const Observer> observer) { observer_ = std::move(observer); }

  BoundAnswer bound(const BoundQuery& query, const Deadline& deadline) const override;
  void evaluate(std::span<const double> points, std::int64_t count, std::span<double> outputs) const override;
  void gradient(std::span<const double> points, std::int64_t count, const Choose& choose, std::span<double> outputs,
                std::span<double> gradients) const override;

  const CompiledProgram& bounds_program() const { return *bounds_; }
  const CompiledProgram& values_program() const { return *gradients_; }
  std::int64_t rows_per_block() const { return rows_per_block_; }
  // Memory of one query over this many subproblems, without its answer.
  std::int64_t bytes_per_subproblem() const { return bounds_->plan().batch_bytes; }

  // The final bounds of each value with elementwise consumers, as the bound program holds them after a query over one
  // box: for tests, parity and inspection.
  struct ValueBounds {
    ValueId value;
    std::vector<double> lower;  // [subproblems, n]
    std::vector<double> upper;
  };
  std::vector<ValueBounds> intermediate_bounds(const BoundQuery& query) const;

 private:
  struct RowList;
  struct Workspace;
  std::unique_ptr<CompiledProgram> compile(BoundProgram program) const;
  BoundAnswer run(const BoundQuery& query, const Deadline& deadline, std::vector<ValueBounds>* intermediate) const;
  void enclose_balls(const BoundQuery& query, Workspace& workspace, BatchFrame& frame) const;
  void select_neurons(const Task& task, const BatchFrame& frame, std::int64_t b, Workspace& workspace) const;
  bool run_neurons(const Task& task, const BatchFrame& frame, Workspace& workspace, const Deadline& deadline) const;
  bool run_spec(const Task& task, const BatchFrame& frame, const BoundQuery& query, BoundAnswer& answer,
                const Deadline& deadline) const;
  template <class Fill>
  bool for_each_block(const CompiledProgram& program, const Task& task, std::int64_t rows, const Deadline& deadline,
                      const Fill& fill) const;
  void check_observed(const TaskOp& op, const BatchFrame& frame, const std::string& stage) const;
  void check_observed(BufferId bounds, const BatchFrame& frame, const std::string& stage) const;

  std::shared_ptr<const Network> network_;
  std::shared_ptr<const Executor> executor_;
  Options options_;
  std::unique_ptr<CompiledProgram> bounds_;
  std::unique_ptr<CompiledProgram> gradients_;
  std::int64_t rows_per_block_ = 0;
  std::shared_ptr<const Observer> observer_;
  mutable Pool<Workspace> workspaces_;
  mutable Pool<Arena> block_arenas_;
};

}  // namespace boundflow
