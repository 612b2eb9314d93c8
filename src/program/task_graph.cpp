#include "program/task_graph.hpp"

#include <algorithm>
#include <numeric>
#include <set>

namespace boundflow {

namespace {

// What a task reads that it does not make itself.
std::set<BufferId> reads(const Task& task) {
  std::set<BufferId> made, read;
  const auto use = [&](BufferId id) {
    if (!made.contains(id)) read.insert(id);
  };
  for (const TaskOp& op : task.ops) {
    std::for_each(op.inputs.begin(), op.inputs.end(), use);
    made.insert(op.outputs.begin(), op.outputs.end());
  }
  for (const Task::JointUse& joint : task.joints) std::for_each(joint.bounds.begin(), joint.bounds.end(), use);
  if (task.target >= 0) use(task.target);
  return read;
}

std::set<BufferId> writes(const Task& task) {
  std::set<BufferId> written;
  for (const TaskOp& op : task.ops) written.insert(op.outputs.begin(), op.outputs.end());
  if (task.target >= 0) written.insert(task.target);
  return written;
}

}  // namespace

void order_tasks(std::vector<Task>& tasks, std::size_t buffers) {
  std::vector<std::set<std::size_t>> after(tasks.size());
  std::vector<std::vector<std::size_t>> writer(buffers);   // at most one each: the last so far
  std::vector<std::vector<std::size_t>> readers(buffers);  // since then
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    for (const BufferId id : reads(tasks[t])) {
      const auto b = static_cast<std::size_t>(id);
      after[t].insert(writer[b].begin(), writer[b].end());
      readers[b].push_back(t);
    }
    for (const BufferId id : writes(tasks[t])) {
      const auto b = static_cast<std::size_t>(id);
      after[t].insert(readers[b].begin(), readers[b].end());
      after[t].erase(t);
      writer[b] = {t};
      readers[b].clear();
    }
    std::int64_t level = 0;
    for (const std::size_t earlier : after[t]) level = std::max(level, tasks[earlier].level + 1);
    tasks[t].level = level;
  }
  std::vector<std::size_t> order(tasks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return tasks[a].level < tasks[b].level; });
  std::vector<std::size_t> place(tasks.size());
  for (std::size_t p = 0; p < order.size(); ++p) place[order[p]] = p;
  std::vector<Task> ordered;
  for (const std::size_t t : order) {
    tasks[t].after.clear();
    for (const std::size_t earlier : after[t]) tasks[t].after.push_back(place[earlier]);
    std::sort(tasks[t].after.begin(), tasks[t].after.end());
    ordered.push_back(std::move(tasks[t]));
  }
  tasks = std::move(ordered);
}

}  // namespace boundflow
