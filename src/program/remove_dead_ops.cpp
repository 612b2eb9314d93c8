#include "program/remove_dead_ops.hpp"

#include <algorithm>
#include <vector>

namespace boundflow {

namespace {

class Liveness {
 public:
  explicit Liveness(std::size_t buffers) : needed_(buffers, false) {}

  void need(BufferId id) { needed_[static_cast<std::size_t>(id)] = true; }
  bool needed(BufferId id) const { return needed_[static_cast<std::size_t>(id)]; }
  // An op without results is there for what it does: it adds to a row's sums, or hands them out.
  bool needed(const TaskOp& op) const {
    return op.outputs.empty() ||
           std::any_of(op.outputs.begin(), op.outputs.end(), [&](BufferId id) { return needed(id); });
  }

 private:
  std::vector<bool> needed_;
};

}  // namespace

void remove_dead_ops(BoundProgram& program, RewriteBudget& budget) {
  Liveness live(program.buffers.size());
  for (auto task = program.tasks.rbegin(); task != program.tasks.rend(); ++task) {
    if (task->kind == TaskKind::Neurons) {
      if (!live.needed(task->target) && budget.take()) {
        task->ops.clear();
        continue;
      }
      for (const Task::JointUse& use : task->joints) {
        for (const BufferId id : use.bounds) live.need(id);
      }
    }
    std::vector<TaskOp> kept;
    for (auto op = task->ops.rbegin(); op != task->ops.rend(); ++op) {
      if (!live.needed(*op) && budget.take()) continue;
      for (const BufferId id : op->inputs) live.need(id);
      kept.push_back(std::move(*op));
    }
    task->ops.assign(std::make_move_iterator(kept.rbegin()), std::make_move_iterator(kept.rend()));
  }
}

}  // namespace boundflow
