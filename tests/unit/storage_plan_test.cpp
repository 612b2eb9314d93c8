// Storage plans: no two live buffers overlap, reuse pays, and the independent checker notices plans that are wrong.
#include "program/storage_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "check/plan.hpp"
#include "engine/lower.hpp"
#include "program/op_schema.hpp"
#include "support/random_network.hpp"

namespace boundflow {
namespace {

std::vector<BoundProgram> programs_of(const Network& network) {
  const LoweredNetwork lowered(std::make_shared<const Network>(network), operator_table());
  std::vector<BoundProgram> programs;
  for (const bool input_terms : {false, true}) {
    programs.push_back(lower_bounds(lowered, {.input_terms = input_terms}));
    programs.push_back(
        lower_bounds(lowered, {.intermediate = IntermediateBounds::Interval, .input_terms = input_terms}));
  }
  programs.push_back(lower_values(lowered, true));
  return programs;
}

Network deep_network(int layers, std::int64_t width) {
  Network network;
  Random random(1);
  ValueId current = network.add_input("x", {DType::Float32, {1, width}});
  for (int i = 0; i < layers; ++i) {
    std::vector<float> weights(static_cast<std::size_t>(width * width));
    for (float& w : weights) w = static_cast<float>(random.uniform(-1, 1));
    const std::string name = std::to_string(i);
    const ValueId w = network.add_constant("w" + name, Tensor({width, width}, weights));
    const NodeId fc = append_node(network, operator_table(), "Gemm", "fc" + name, {current, w}, {"h" + name});
    const NodeId relu =
        append_node(network, operator_table(), "Relu", "relu" + name, {network.node(fc).outputs[0]}, {"r" + name});
    current = network.node(relu).outputs[0];
  }
  network.set_outputs({current});
  return network;
}

TEST(StoragePlan, KeepsLiveBuffersApart) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Random random(seed);
    for (const BoundProgram& program : programs_of(random_network(random, {.max_width = 40}))) {
      for (const std::int64_t element_bytes : {4, 8}) {
        const StoragePlan plan = plan_storage(program, element_bytes);
        EXPECT_NO_THROW(check_plan(program, plan)) << "seed " << seed;
        EXPECT_LE(plan.row_bytes, plan.row_bytes_without_reuse);
        EXPECT_LE(plan.batch_bytes, plan.batch_bytes_without_reuse);
      }
    }
  }
}

TEST(StoragePlan, AlignsAndSizesEveryBuffer) {
  for (const BoundProgram& program : programs_of(deep_network(3, 20))) {
    const StoragePlan plan = plan_storage(program, 4);
    for (std::size_t id = 0; id < program.buffers.size(); ++id) {
      const Placement& placement = plan.placements[id];
      const Buffer& buffer = program.buffers[id];
      EXPECT_EQ(placement.offset % 64, 0);
      EXPECT_EQ(placement.bytes % 64, 0);
      const std::int64_t needed = buffer.kind == BufferKind::Bounds         ? 16 * buffer.columns
                                  : buffer.kind == BufferKind::ErrorWeights ? 4 * (buffer.columns + 1)
                                  : buffer.kind == BufferKind::Lines ? 16 * buffer.columns + 4 * (buffer.columns + 1)
                                                                     : 4 * buffer.columns;
      EXPECT_GE(placement.bytes, needed) << to_string(buffer.kind);
      const std::int64_t arena = is_per_row(buffer.kind) ? plan.row_bytes : plan.batch_bytes;
      if (placement.first_use >= 0) {
        EXPECT_LE(placement.offset + placement.bytes, arena);
      }
    }
  }
}

// A walk needs the rows before and after an op, whatever the depth.
TEST(StoragePlan, ReusesRowsInADeepNetwork) {
  const auto rows_of = [](int layers) {
    const BoundProgram program = lower_bounds(
        LoweredNetwork(std::make_shared<const Network>(deep_network(layers, 64)), operator_table()), BoundLowering());
    return plan_storage(program, 4);
  };
  const StoragePlan shallow = rows_of(4), deep = rows_of(24);
  EXPECT_EQ(deep.row_bytes, shallow.row_bytes);
  EXPECT_EQ(deep.row_bytes, 2 * 64 * 4);
  EXPECT_GT(deep.row_bytes_without_reuse, 20 * deep.row_bytes);
  EXPECT_LT(deep.batch_bytes, deep.batch_bytes_without_reuse);
}

TEST(StoragePlan, SharesNothingWithoutReuse) {
  for (const BoundProgram& program : programs_of(deep_network(3, 20))) {
    const StoragePlan plan = plan_storage(program, 4, false);
    EXPECT_NO_THROW(check_plan(program, plan));
    EXPECT_EQ(plan.row_bytes, plan.row_bytes_without_reuse);
    EXPECT_EQ(plan.batch_bytes, plan.batch_bytes_without_reuse);
    EXPECT_TRUE(plan.missed.empty());
  }
}

// h goes through a ReLU and around it: rows at the ReLU's output cannot become those at its input, which the other
// way's rows are added to.
TEST(StoragePlan, SaysWhyAResultDoesNotTakeItsOperandsPlace) {
  Network network;
  const ValueId x = network.add_input("x", {DType::Float32, {1, 3}});
  const ValueId r = network.node(append_node(network, operator_table(), "Relu", "relu", {x}, {"r"})).outputs[0];
  const ValueId s = network.node(append_node(network, operator_table(), "Add", "skip", {r, x}, {"s"})).outputs[0];
  network.set_outputs({s});
  const BoundProgram program =
      lower_bounds(LoweredNetwork(std::make_shared<const Network>(std::move(network)), operator_table()), {});
  const StoragePlan plan = plan_storage(program, 4);
  ASSERT_EQ(plan.missed.size(), 1U);
  EXPECT_THAT(plan.missed[0].reason, testing::HasSubstr("read again by op"));
  EXPECT_THAT(print(program, plan), testing::HasSubstr("does not take the place of"));
}

TEST(StoragePlan, PrintsArenasAndPlacements) {
  const BoundProgram program = programs_of(deep_network(2, 4))[0];
  const std::string text = print(program, plan_storage(program, 8));
  EXPECT_THAT(text, testing::HasSubstr("plan element_bytes=8"));
  EXPECT_THAT(text, testing::HasSubstr("without reuse"));
  EXPECT_THAT(text, testing::HasSubstr("%0 bounds[B, 4] bytes"));
}

// Every pair of buffers of one arena whose lifetimes overlap, laid over each other.
TEST(CheckPlan, NoticesEveryOverlapOfLiveBuffers) {
  int overlaps = 0;
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    Random random(seed);
    const BoundProgram program = programs_of(random_network(random))[0];
    const StoragePlan plan = plan_storage(program, 4);
    // Buffers that an op may write its result over.
    std::vector<std::pair<BufferId, BufferId>> may_alias;
    for (const Task& task : program.tasks) {
      for (const TaskOp& op : task.ops) {
        if (op_schema(op.kind).in_place) may_alias.emplace_back(op.inputs[0], op.outputs[0]);
      }
    }
    for (std::size_t a = 0; a < plan.placements.size(); ++a) {
      for (std::size_t b = 0; b < a; ++b) {
        const Placement &first = plan.placements[a], &second = plan.placements[b];
        if (is_per_row(program.buffers[a].kind) != is_per_row(program.buffers[b].kind)) continue;
        const bool both_live = first.first_use >= 0 && second.first_use >= 0 && first.first_use <= second.last_use &&
                               second.first_use <= first.last_use;
        const std::pair<BufferId, BufferId> pair{static_cast<BufferId>(b), static_cast<BufferId>(a)};
        if (!both_live || std::find(may_alias.begin(), may_alias.end(), pair) != may_alias.end()) continue;
        // One of the two is read after the other was written: an op's unread result may lie anywhere.
        if (first.last_use == first.first_use || second.last_use == second.first_use) continue;
        StoragePlan corrupted = plan;
        corrupted.placements[a].offset = second.offset;
        corrupted.row_bytes += first.bytes;
        corrupted.batch_bytes += first.bytes;
        EXPECT_THROW(check_plan(program, corrupted), InternalError) << "%" << b << " and %" << a;
        ++overlaps;
      }
    }
  }
  EXPECT_GT(overlaps, 100);
}

TEST(CheckPlan, NoticesAnOffsetBeyondTheArena) {
  const BoundProgram program = programs_of(deep_network(2, 20))[0];
  StoragePlan plan = plan_storage(program, 4);
  plan.placements[0].offset = plan.batch_bytes;
  EXPECT_ANY_THROW(check_plan(program, plan));
}

// The target of a task that tightens it must survive the task's own ops, though none of them reads it.
TEST(CheckPlan, NoticesATargetThatIsOverwrittenBeforeItIsTightened) {
  const BoundProgram program = programs_of(deep_network(3, 20))[0];
  const StoragePlan plan = plan_storage(program, 4);
  int targets = 0;
  for (const Task& task : program.tasks) {
    if (task.kind != TaskKind::Neurons) continue;
    for (std::size_t id = 0; id < program.buffers.size(); ++id) {
      const bool other = static_cast<BufferId>(id) != task.target && program.buffers[id].kind == BufferKind::Bounds;
      if (!other || plan.placements[id].first_use >= plan.placements[static_cast<std::size_t>(task.target)].first_use) {
        continue;
      }
      // An older buffer's bytes are live wherever the walk still reads them.
      if (plan.placements[id].last_use < plan.placements[static_cast<std::size_t>(task.target)].last_use) continue;
      StoragePlan corrupted = plan;
      corrupted.placements[static_cast<std::size_t>(task.target)].offset = plan.placements[id].offset;
      EXPECT_THROW(check_plan(program, corrupted), InternalError);
      ++targets;
    }
  }
  EXPECT_GT(targets, 0);
}

}  // namespace
}  // namespace boundflow
