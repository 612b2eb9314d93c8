#include "program/storage_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "program/op_schema.hpp"

namespace boundflow {

namespace {

constexpr std::int64_t kAlignment = 64;

std::int64_t padded(std::int64_t n, std::int64_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

std::int64_t bytes_per_unit(const Buffer& buffer, std::int64_t element_bytes) {
  const std::int64_t ld = leading_dimension(buffer);
  switch (buffer.kind) {
    case BufferKind::Bounds:
      return 2 * ld * static_cast<std::int64_t>(sizeof(double));
    case BufferKind::ErrorWeights:
      return ld * static_cast<std::int64_t>(sizeof(float));
    case BufferKind::Lines:
      return ld * (4 * element_bytes + static_cast<std::int64_t>(sizeof(float)));
    case BufferKind::Planes:
      return 2 * (padded(buffer.terms, 16) + ld) * element_bytes + ld * static_cast<std::int64_t>(sizeof(float));
    case BufferKind::Rows:
    case BufferKind::Points:
      return ld * element_bytes;
  }
  throw InternalError("buffer kind out of range");
}

// An op result that takes the place of an operand which dies there: the operand's bytes live on under the new name.
std::vector<BufferId> in_place_roots(const BoundProgram& program, const std::vector<Placement>& placements,
                                     std::vector<MissedReuse>& missed) {
  std::vector<BufferId> root(program.buffers.size());
  std::iota(root.begin(), root.end(), 0);
  std::int64_t number = 0;
  for (const Task& task : program.tasks) {
    for (const TaskOp& op : task.ops) {
      if (op_schema(op.kind).in_place) {
        const auto operand = static_cast<std::size_t>(op.inputs[0]);
        const auto result = static_cast<std::size_t>(op.outputs[0]);
        const bool same_size = program.buffers[operand].columns == program.buffers[result].columns;
        if (!same_size) {
          missed.push_back({op.inputs[0], op.outputs[0], "they differ in size"});
        } else if (placements[operand].last_use != number) {
          missed.push_back({op.inputs[0], op.outputs[0],
                            fmt::format("the operand is read again by op {}", placements[operand].last_use)});
        } else {
          root[result] = root[operand];
        }
      }
      ++number;
    }
  }
  return root;
}

// Tasks of one level may run in any order and at once: what one of them touches per subproblem is in use from the
// first op of the level to the last.
void extend_to_levels(const BoundProgram& program, std::vector<Placement>& placements) {
  std::vector<std::pair<std::int64_t, std::int64_t>> range;  // per op: the ops of its level
  for (std::size_t first = 0; first < program.tasks.size();) {
    std::size_t last = first;
    std::size_t ops = 0;
    for (; last < program.tasks.size() && program.tasks[last].level == program.tasks[first].level; ++last) {
      ops += program.tasks[last].ops.size();
    }
    const auto begin = static_cast<std::int64_t>(range.size());
    const bool alone = last == first + 1;
    for (std::size_t op = 0; op < ops; ++op) {
      const auto number = static_cast<std::int64_t>(range.size());
      range.push_back(alone ? std::pair{number, number} : std::pair{begin, begin + static_cast<std::int64_t>(ops) - 1});
    }
    first = last;
  }
  for (std::size_t id = 0; id < placements.size(); ++id) {
    Placement& placement = placements[id];
    if (is_per_row(program.buffers[id].kind) || placement.first_use < 0) continue;
    placement.first_use = range[static_cast<std::size_t>(placement.first_use)].first;
    placement.last_use = range[static_cast<std::size_t>(placement.last_use)].second;
  }
}

void compute_lifetimes(const BoundProgram& program, std::vector<Placement>& placements) {
  std::int64_t number = 0;
  const auto use = [&](BufferId id) {
    Placement& placement = placements[static_cast<std::size_t>(id)];
    if (placement.first_use < 0) placement.first_use = number;
    placement.last_use = number;
  };
  for (const Task& task : program.tasks) {
    for (const TaskOp& op : task.ops) {
      for (const BufferId id : op.inputs) use(id);
      for (const BufferId id : op.outputs) use(id);
      ++number;
    }
    // A Neurons task reads its target to choose rows before its first op and tightens it after its last.
    if (task.target >= 0) {
      --number;
      use(task.target);
      for (const Task::JointUse& joint : task.joints) {
        for (const BufferId id : joint.bounds) use(id);
      }
      ++number;
    }
  }
}

// First fit by decreasing size; returns the arena's bytes per unit.
std::int64_t pack(const std::vector<BufferId>& roots, std::vector<Placement>& lifetimes) {
  std::vector<BufferId> order = roots;
  std::stable_sort(order.begin(), order.end(), [&](BufferId a, BufferId b) {
    return lifetimes[static_cast<std::size_t>(a)].bytes > lifetimes[static_cast<std::size_t>(b)].bytes;
  });
  std::vector<BufferId> placed;  // ascending offset
  std::int64_t total = 0;
  for (const BufferId id : order) {
    Placement& self = lifetimes[static_cast<std::size_t>(id)];
    std::int64_t offset = 0;
    for (const BufferId other : placed) {
      const Placement& block = lifetimes[static_cast<std::size_t>(other)];
      const bool overlap = self.first_use <= block.last_use && block.first_use <= self.last_use;
      if (overlap && offset < block.offset + block.bytes && block.offset < offset + self.bytes) {
        offset = block.offset + block.bytes;
      }
    }
    self.offset = offset;
    total = std::max(total, offset + self.bytes);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), offset,
                                   [&](std::int64_t value, BufferId other) {
                                     return value < lifetimes[static_cast<std::size_t>(other)].offset;
                                   }),
                  id);
  }
  return total;
}

}  // namespace

std::int64_t padded_columns(std::int64_t columns) {
  constexpr std::int64_t kLine = 16;
  const std::int64_t lines = (columns + kLine - 1) / kLine;
  return (lines >= 16 ? lines | 1 : lines) * kLine;
}

std::int64_t leading_dimension(const Buffer& buffer) {
  const bool has_scalar =
      buffer.kind == BufferKind::ErrorWeights || buffer.kind == BufferKind::Lines || buffer.kind == BufferKind::Planes;
  return padded_columns(buffer.columns + (has_scalar ? 1 : 0));
}

StoragePlan plan_storage(const BoundProgram& program, std::int64_t element_bytes, bool reuse) {
  StoragePlan plan;
  plan.element_bytes = element_bytes;
  plan.placements.resize(program.buffers.size());
  compute_lifetimes(program, plan.placements);
  extend_to_levels(program, plan.placements);
  if (!reuse) {
    for (Placement& placement : plan.placements) {
      if (placement.first_use < 0) continue;
      placement.first_use = 0;
      placement.last_use = std::numeric_limits<std::int64_t>::max();
    }
  }
  const std::vector<BufferId> root = in_place_roots(program, plan.placements, plan.missed);
  if (!reuse) plan.missed.clear();  // nothing was tried

  std::vector<Placement> merged = plan.placements;  // lifetimes of roots, grown by what takes their place
  std::vector<BufferId> batch_roots;
  std::vector<BufferId> row_roots;
  for (std::size_t id = 0; id < program.buffers.size(); ++id) {
    const Buffer& buffer = program.buffers[id];
    plan.placements[id].bytes = padded(bytes_per_unit(buffer, element_bytes), kAlignment);
    if (plan.placements[id].first_use < 0) continue;
    (is_per_row(buffer.kind) ? plan.row_bytes_without_reuse : plan.batch_bytes_without_reuse) +=
        plan.placements[id].bytes;
    Placement& at_root = merged[static_cast<std::size_t>(root[id])];
    at_root.bytes = plan.placements[id].bytes;
    at_root.last_use = std::max(at_root.last_use, plan.placements[id].last_use);
    if (root[id] == static_cast<BufferId>(id)) {
      (is_per_row(buffer.kind) ? row_roots : batch_roots).push_back(root[id]);
    }
  }
  plan.row_bytes = pack(row_roots, merged);
  plan.batch_bytes = pack(batch_roots, merged);
  for (std::size_t id = 0; id < root.size(); ++id) {
    plan.placements[id].offset = merged[static_cast<std::size_t>(root[id])].offset;
  }
  return plan;
}

std::int64_t row_bytes(const BoundProgram& program, const StoragePlan& plan, const Task& task) {
  std::int64_t extent = 0;
  const auto use = [&](BufferId id) {
    if (!is_per_row(program.buffers[static_cast<std::size_t>(id)].kind)) return;
    const Placement& placement = plan.placements[static_cast<std::size_t>(id)];
    extent = std::max(extent, placement.offset + placement.bytes);
  };
  for (const TaskOp& op : task.ops) {
    std::for_each(op.inputs.begin(), op.inputs.end(), use);
    std::for_each(op.outputs.begin(), op.outputs.end(), use);
  }
  return extent;
}

std::string print(const BoundProgram& program, const StoragePlan& plan) {
  std::string text = fmt::format(
      "plan element_bytes={}\n"
      "arena per subproblem: {} bytes ({} without reuse)\narena per row: {} bytes ({} without reuse)\n",
      plan.element_bytes, plan.batch_bytes, plan.batch_bytes_without_reuse, plan.row_bytes,
      plan.row_bytes_without_reuse);
  for (const MissedReuse& missed : plan.missed) {
    text += fmt::format("  %{} does not take the place of %{}: {}\n", missed.result, missed.operand, missed.reason);
  }
  for (std::size_t id = 0; id < program.buffers.size(); ++id) {
    const Buffer& buffer = program.buffers[id];
    const Placement& placement = plan.placements[id];
    if (placement.first_use < 0) continue;
    text += fmt::format("  %{} {}[{}, {}] bytes {}..{} ops {}..{}\n", id, to_string(buffer.kind),
                        is_per_row(buffer.kind) ? "N" : "B", buffer.columns, placement.offset,
                        placement.offset + placement.bytes, placement.first_use, placement.last_use);
  }
  return text;
}

}  // namespace boundflow
