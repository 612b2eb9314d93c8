#include "program/fuse_relaxation_bias.hpp"

#include <vector>

namespace boundflow {

void fuse_relaxation_bias(BoundProgram& program, RewriteBudget& budget) {
  for (Task& task : program.tasks) {
    std::vector<TaskOp> ops;
    for (TaskOp& op : task.ops) {
      const bool behind_lines = op.kind == TaskOpKind::BiasAndError && !ops.empty() &&
                                ops.back().kind == TaskOpKind::ApplyRelaxation && ops.back().outputs[0] == op.inputs[0];
      if (!behind_lines || !budget.take()) {
        ops.push_back(std::move(op));
        continue;
      }
      TaskOp& fused = ops.back();
      fused.kind = TaskOpKind::ApplyRelaxationAndBias;
      fused.inputs.push_back(op.inputs[1]);
      fused.affine = std::move(op.affine);
    }
    task.ops = std::move(ops);
  }
}

}  // namespace boundflow
