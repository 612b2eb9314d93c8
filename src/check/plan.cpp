#include "check/plan.hpp"

#include <fmt/format.h>

#include "program/op_schema.hpp"

namespace boundflow {

namespace {

// Replays the program on a map of bytes: each op marks its results' bytes as theirs, then later ops must find their
// operands' bytes still marked so. Coarse cells of 64 bytes, the alignment of all placements.
class Memory {
 public:
  explicit Memory(std::int64_t bytes) : owner_(static_cast<std::size_t>(bytes / 64), -1) {}

  void write(BufferId id, const Placement& placement) {
    for (std::int64_t c = placement.offset / 64; c < (placement.offset + placement.bytes) / 64; ++c) {
      owner_.at(static_cast<std::size_t>(c)) = id;
    }
  }
  void expect(BufferId id, const Placement& placement, const Task& task, const TaskOp& op) const {
    for (std::int64_t c = placement.offset / 64; c < (placement.offset + placement.bytes) / 64; ++c) {
      const BufferId found = owner_.at(static_cast<std::size_t>(c));
      if (found == id) continue;
      throw InternalError(fmt::format("plan: task '{}', op {}: buffer %{} is overwritten by %{}", task.name,
                                      to_string(op.kind), id, found));
    }
  }

 private:
  std::vector<BufferId> owner_;
};

// Tasks of one level may run at the same time, and block after block of their rows: what one of them writes per
// subproblem lies apart from all that another one touches.
void check_concurrent(const BoundProgram& program, const StoragePlan& plan, const Task& writer, const Task& other) {
  const auto check = [&](BufferId written, BufferId touched) {
    const Buffer& a = program.buffers[static_cast<std::size_t>(written)];
    const Buffer& b = program.buffers[static_cast<std::size_t>(touched)];
    if (is_per_row(a.kind) || is_per_row(b.kind)) return;
    const Placement& p = plan.placements[static_cast<std::size_t>(written)];
    const Placement& q = plan.placements[static_cast<std::size_t>(touched)];
    if (p.offset < q.offset + q.bytes && q.offset < p.offset + p.bytes) {
      throw InternalError(fmt::format("plan: tasks '{}' and '{}' run at the same time, and %{} of one lies over %{}",
                                      writer.name, other.name, written, touched));
    }
  };
  std::vector<BufferId> written;
  if (writer.target >= 0) written.push_back(writer.target);
  for (const TaskOp& op : writer.ops) written.insert(written.end(), op.outputs.begin(), op.outputs.end());
  for (const BufferId id : written) {
    if (other.target >= 0) check(id, other.target);
    for (const TaskOp& op : other.ops) {
      for (const BufferId touched : op.inputs) check(id, touched);
      for (const BufferId touched : op.outputs) check(id, touched);
    }
  }
}

}  // namespace

void check_plan(const BoundProgram& program, const StoragePlan& plan) {
  for (const Task& writer : program.tasks) {
    for (const Task& other : program.tasks) {
      if (&writer != &other && writer.level == other.level) check_concurrent(program, plan, writer, other);
    }
  }
  Memory batch(plan.batch_bytes);
  Memory row(plan.row_bytes);
  const auto memory = [&](BufferId id) -> Memory& {
    return is_per_row(program.buffers[static_cast<std::size_t>(id)].kind) ? row : batch;
  };
  const auto placement = [&](BufferId id) -> const Placement& { return plan.placements[static_cast<std::size_t>(id)]; };
  for (const Task& task : program.tasks) {
    for (const TaskOp& op : task.ops) {
      for (const BufferId id : op.inputs) memory(id).expect(id, placement(id), task, op);
      for (const BufferId id : op.outputs) memory(id).write(id, placement(id));
      // An op reads all its operands before it is done: a result may lie over its first operand only if the op's schema
      // says so, and over no other.
      for (std::size_t i = 0; i < op.inputs.size(); ++i) {
        const bool may_be_overwritten = op_schema(op.kind).in_place && op.inputs[i] == op.inputs[0];
        if (!may_be_overwritten) memory(op.inputs[i]).expect(op.inputs[i], placement(op.inputs[i]), task, op);
      }
    }
    if (task.target >= 0) memory(task.target).expect(task.target, placement(task.target), task, task.ops.back());
  }
}

}  // namespace boundflow
