#pragma once
// Rows of neurons, and a block of them on its way back through a walk. A neuron's two rows, which bound it from below
// and from above, stay side by side: where what is known on the way shows that its activation is constant, nothing
// depends on how tight its bounds are, and both leave the block.

#include <cstdint>
#include <span>
#include <vector>

#include "engine/arena.hpp"
#include "exec/executor.hpp"

namespace boundflow {

// Rows +e_i and -e_i, in this order, of some neurons of some subproblems, and in the end their bounds.
struct RowList {
  static constexpr std::int64_t kBytesPerRow = 2 * sizeof(std::int32_t) + 3 * sizeof(double);
  std::vector<std::int32_t> owners;
  std::vector<std::int32_t> neurons;
  std::vector<double> signs;
  std::vector<double> constants;
  std::vector<double> errors;

  std::int64_t size() const { return static_cast<std::int64_t>(owners.size()); }
  void clear();
  void add_pair(std::int64_t owner, std::int64_t neuron);
};

// Bounds of the neurons that a task tightens, as they were before it: [subproblems, stride].
struct TargetBounds {
  const double* lower = nullptr;
  const double* upper = nullptr;
  std::int64_t stride = 0;
};

// What a worker keeps from block to block.
class RowBlock {
 public:
  void release() { arena_.release(); }
  std::int64_t arena_bytes() const { return arena_.bytes(); }
  // Gives the frame its buffers and scratch space, for frame.rows rows.
  void lend(RowFrame& frame, std::int64_t row_bytes);

  // Copies frame.rows rows of the list from `first` on, an even number of both, and hands them to the frame.
  void load(const RowList& list, std::int64_t first, RowFrame& frame);
  // After the last Probe: rows keep the best bound that they have met, and those of neurons for which these bounds make
  // all functions of the task constant leave the frame. `probes`: the ops, whose operands are all that moves.
  void end_constant(const CompiledProgram& program, const Task& task, std::span<const TaskOp> probes,
                    const TargetBounds& target, RowFrame& frame);
  // Writes the bounds of the rows that are left to the list.
  void store(const RowFrame& frame, RowList& list);

 private:
  struct Bound {
    double nominal;
    double error;
  };
  void move_row(std::int64_t from, std::int64_t to);

  Arena arena_;
  RowList rows_;
  std::vector<Bound> best_;           // met on the way
  std::vector<std::int64_t> places_;  // in the list
  std::vector<std::pair<std::int64_t, Bound>> ended_;
};

}  // namespace boundflow
