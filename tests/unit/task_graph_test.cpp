// Which tasks wait for which, their order, and plans for tasks that run at the same time.
#include "program/task_graph.hpp"

#include <gtest/gtest.h>

#include "check/plan.hpp"
#include "engine/lower.hpp"
#include "program/storage_plan.hpp"
#include "support/random_image_network.hpp"
#include "support/random_network.hpp"

namespace boundflow {
namespace {

// Two branches of a sum, each with a relaxation of its own.
BoundProgram two_branches() {
  Network network;
  const ValueId x = network.add_input("x", {DType::Float32, {1, 2}});
  const ValueId w = network.add_constant("w", Tensor({2, 3}, std::vector<float>{1, -1, 0.5, 2, 1, -1}));
  const ValueId v = network.add_constant("v", Tensor({2, 3}, std::vector<float>{-1, 2, 1, 0.5, -1, 1}));
  const auto append = [&](const char* op, const char* name, std::vector<ValueId> inputs) {
    return network.node(append_node(network, operator_table(), op, name, std::move(inputs), {name})).outputs[0];
  };
  const ValueId left = append("Relu", "left", {append("MatMul", "a", {x, w})});
  const ValueId right = append("Tanh", "right", {append("MatMul", "b", {x, v})});
  network.set_outputs({append("Add", "sum", {left, right})});
  return lower_bounds(LoweredNetwork(std::make_shared<const Network>(std::move(network)), operator_table()), {});
}

TEST(TaskGraph, IndependentTasksShareALevel) {
  const BoundProgram program = two_branches();
  std::map<std::string, const Task*> by_name;
  for (const Task& task : program.tasks) by_name[task.name] = &task;
  EXPECT_EQ(by_name.at("interval of a")->level, by_name.at("interval of b")->level);
  EXPECT_EQ(by_name.at("interval of left")->level, by_name.at("interval of right")->level);
  EXPECT_GT(by_name.at("interval of sum")->level, by_name.at("interval of left")->level);
  EXPECT_EQ(&program.tasks.back(), by_name.at("specification"));
}

TEST(TaskGraph, TighteningWaitsForEarlierReaders) {
  std::vector<Task> tasks(3);
  tasks[0].ops.push_back({.kind = TaskOpKind::InputBox, .outputs = {0}});
  tasks[1].ops.push_back({.kind = TaskOpKind::CopyBounds, .inputs = {0}, .outputs = {1}});
  tasks[2].target = 0;
  order_tasks(tasks, 2);
  EXPECT_EQ(tasks[2].target, 0);
  EXPECT_EQ(tasks[2].after, (std::vector<std::size_t>{0, 1}));
}

// Whatever a task reads was written by one that it waits for, directly or not.
TEST(TaskGraph, WaitsForWhatItReads) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    Random random(seed);
    const auto network =
        std::make_shared<const Network>(seed % 2 == 0 ? random_network(random) : random_image_network(random, {}));
    const BoundProgram program = lower_bounds(LoweredNetwork(network, operator_table()), {});
    std::vector<std::set<std::size_t>> before(program.tasks.size());
    std::map<BufferId, std::size_t> writer;
    for (std::size_t t = 0; t < program.tasks.size(); ++t) {
      for (const std::size_t earlier : program.tasks[t].after) {
        before[t].insert(earlier);
        before[t].insert(before[earlier].begin(), before[earlier].end());
      }
      for (const TaskOp& op : program.tasks[t].ops) {
        for (const BufferId id : op.inputs) {
          if (writer.at(id) != t) EXPECT_TRUE(before[t].contains(writer.at(id))) << program.tasks[t].name;
        }
        for (const BufferId id : op.outputs) writer[id] = t;
      }
      if (program.tasks[t].target >= 0) writer[program.tasks[t].target] = t;
    }
    EXPECT_NO_THROW(check_plan(program, plan_storage(program, 4)));
  }
}

TEST(CheckPlan, NoticesTasksOfOneLevelThatShareBytes) {
  const BoundProgram program = two_branches();
  const StoragePlan plan = plan_storage(program, 4);
  EXPECT_NO_THROW(check_plan(program, plan));
  std::vector<BufferId> written;
  for (const Task& task : program.tasks) {
    if (task.name == "interval of left" || task.name == "interval of right") written.push_back(task.ops[0].outputs[0]);
  }
  ASSERT_EQ(written.size(), 2U);
  StoragePlan corrupted = plan;
  corrupted.placements[static_cast<std::size_t>(written[0])].offset =
      corrupted.placements[static_cast<std::size_t>(written[1])].offset;
  EXPECT_THROW(check_plan(program, corrupted), InternalError);
}

}  // namespace
}  // namespace boundflow
