// Passes over programs: what they leave, and that it is the same program.
#include "program/program_passes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "engine/lower.hpp"
#include "passes/passes.hpp"
#include "support/bound_checks.hpp"
#include "support/random_image_network.hpp"
#include "support/random_network.hpp"

namespace boundflow {
namespace {

using testing::HasSubstr;
using testing::Not;

std::int64_t count_ops(const BoundProgram& program) {
  std::int64_t ops = 0;
  for (const Task& task : program.tasks) ops += static_cast<std::int64_t>(task.ops.size());
  return ops;
}

// relu(x W + b) W + b, twice.
std::shared_ptr<const Network> chain() {
  Network network;
  ValueId value = network.add_input("x", {DType::Float32, {1, 2}});
  const ValueId w = network.add_constant("w", Tensor({2, 2}, std::vector<float>{1, -1, 0.5, 2}));
  const ValueId b = network.add_constant("b", Tensor({2}, std::vector<float>{0, 0.25}));
  for (const char* name : {"1", "2", "3"}) {
    const std::string n = name;
    value = network.node(append_node(network, operator_table(), "Gemm", "fc" + n, {value, w, b}, {"h" + n})).outputs[0];
    if (n == "3") break;
    value = network.node(append_node(network, operator_table(), "Relu", "relu" + n, {value}, {"r" + n})).outputs[0];
  }
  network.set_outputs({value});
  return std::make_shared<const Network>(std::move(network));
}

BoundProgram lowered(const std::shared_ptr<const Network>& network, const BoundLowering& lowering = {}) {
  return lower_bounds(LoweredNetwork(network, operator_table()), lowering);
}

TEST(ProgramPasses, HaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (const Pass& pass : pass_table()) EXPECT_TRUE(names.insert(pass.name).second) << pass.name;
  for (const ProgramPass& pass : program_pass_table()) EXPECT_TRUE(names.insert(pass.name).second) << pass.name;
}

TEST(ProgramPasses, LinesAndTheBiasBehindThemBecomeOneOp) {
  const BoundProgram before = lowered(chain());
  const BoundProgram after = run_program_passes(before);
  EXPECT_THAT(print(before), HasSubstr("  %8 = apply_relaxation(%7, %3) : rows[N, 2]\n"
                                       "  bias_and_error(%8, %2) 'fc1'\n"));
  EXPECT_THAT(print(after), HasSubstr("  %8 = apply_relaxation_and_bias(%7, %3, %2) 'fc1' : rows[N, 2]\n"));
  EXPECT_THAT(print(after), Not(HasSubstr("apply_relaxation(")));
}

TEST(ProgramPasses, DropIntervalStepsThatNobodyReads) {
  // Pure interval bounds beside those that rows tighten: nothing needs them behind the last relaxation.
  const BoundProgram before = lowered(chain(), {.intermediate = IntermediateBounds::CrownWhereIntervalUnstable});
  const BoundProgram after = run_program_passes(before, {.disabled = {"fuse-relaxation-bias"}});
  EXPECT_EQ(count_ops(after), count_ops(before) - 2);
}

TEST(ProgramPasses, DropTasksWhoseBoundsNobodyReads) {
  BoundProgram program = lowered(chain());
  // Without what adds up and hands out the rows of the specification, nothing has an effect.
  program.tasks.back().ops.clear();
  EXPECT_THAT(run_program_passes(program).tasks, testing::IsEmpty());
}

TEST(ProgramPasses, StopAtTheLimitAndLeaveOutWhatIsDisabled) {
  const BoundProgram before = lowered(chain());
  const std::string text = print(before);
  EXPECT_EQ(print(run_program_passes(before, {.limit = 0})), text);
  EXPECT_EQ(print(run_program_passes(before, {.disabled = {"fuse-relaxation-bias", "remove-dead-ops"}})), text);
  const std::int64_t all = count_ops(before) - count_ops(run_program_passes(before));
  ASSERT_GT(all, 1);
  for (std::int64_t limit = 0; limit <= all; ++limit) {
    EXPECT_EQ(count_ops(run_program_passes(before, {.limit = limit})), count_ops(before) - limit);
  }
}

TEST(ProgramPasses, ShowWhatTheyLeave) {
  std::vector<std::string> shown;
  run_program_passes(lowered(chain()), {.after = [&](std::string_view pass, const BoundProgram& program) {
                       shown.push_back(std::string(pass) + ": " + std::to_string(count_ops(program)));
                     }});
  EXPECT_EQ(shown.size(), 2U);
}

TEST(ProgramPasses, AreStoppedByTheDeadline) {
  std::atomic<bool> interrupt{true};
  const Deadline deadline(100, Clock::now(), &interrupt);
  EXPECT_THROW(run_program_passes(lowered(chain()), {}, deadline), StoppedError);
}

// The very same nominal bounds with the passes and without, rows in windows included.
TEST(ProgramPasses, ChangeNoBound) {
  int fused = 0;
  for (std::uint64_t seed = 0; seed < 40 / kSanitizerShare; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const auto network = std::make_shared<const Network>(
        seed % 2 == 0
            ? random_network(random)
            : random_image_network(
                  random,
                  {.min_extent = 6, .max_extent = 10, .max_elements = 300, .blocks = 2, .only_convolutions = true}));
    const std::int64_t inputs = network->size_of(network->input());
    std::vector<InputBox> boxes;
    for (int b = 0; b < 3; ++b) boxes.push_back(random_box(random, inputs));
    const LinearSpec spec = random_spec(random, 3, inputs, network->size_of(network->output()), false);
    for (const auto& [name, executor] : all_executors()) {
      SCOPED_TRACE(name);
      const QueryEngine with(network, executor, {});
      const QueryEngine without(network, executor,
                                {.program_passes = {.disabled = {"remove-dead-ops", "fuse-relaxation-bias"}}});
      fused += count_ops(with.bounds_program().program()) < count_ops(without.bounds_program().program()) ? 1 : 0;
      const FlatQuery query(spec, boxes, Semantics::Nominal);
      const BoundAnswer a = with.bound(query.query, Deadline());
      const BoundAnswer b = without.bound(query.query, Deadline());
      for (std::size_t n = 0; n < a.nominal.size(); ++n) {
        if (std::isnan(b.nominal[n])) continue;
        EXPECT_EQ(a.nominal[n], b.nominal[n]);
      }
      // Errors count their own rounding per op, so that fewer ops have slightly smaller ones.
      const FlatQuery sound(spec, boxes, Semantics::Float32);
      const BoundAnswer c = with.bound(sound.query, Deadline());
      const BoundAnswer d = without.bound(sound.query, Deadline());
      for (std::size_t n = 0; n < c.error.size(); ++n) {
        if (!std::isfinite(d.error[n])) continue;
        EXPECT_NEAR(c.error[n], d.error[n], 1e-4 * d.error[n]);
      }
    }
  }
  EXPECT_GT(fused, 0);
}

}  // namespace
}  // namespace boundflow
