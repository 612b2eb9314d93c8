// Subproblems without neurons to split: with the multipliers of their linear program a row's bound is the least value
// it takes there, which the program's point shows; and where nothing is left, the bound says so.
#include <gtest/gtest.h>

#include <atomic>
#include <numeric>

#include "exec/native/native_executor.hpp"
#include "search/combination.hpp"
#include "support/layer_stack.hpp"
#include "support/split_case.hpp"

namespace boundflow {
namespace {

// All neurons on the side where they are at the point.
SplitSubproblem leaf_around(const SplitCase& test, const std::vector<double>& point, std::int32_t row) {
  SplitSubproblem leaf;
  leaf.row = row;
  const std::vector<NeuronRange> at = test.splits->ranges_at(point, Deadline());
  for (std::size_t i = 0; i < at.size(); ++i) {
    const SplitPoint where{static_cast<std::int32_t>(i), 0};
    for (const bool above : {false, true}) {
      if (at[i].fulfils(side_of(where, above))) leaf.splits.push_back(side_of(where, above));
    }
  }
  return leaf;
}

void take(const LeafOptimum& optimum, SplitSubproblem& leaf) {
  ASSERT_EQ(optimum.multipliers.size(), leaf.splits.size());
  for (std::size_t s = 0; s < leaf.splits.size(); ++s) leaf.splits[s].multiplier = optimum.multipliers[s];
}

SplitAnswer bound(const SplitCase& test, const LinearSpec& spec, SplitSubproblem leaf, int steps) {
  std::vector<SplitAnswer> answers;
  SplitSubproblem* pointer = &leaf;
  EXPECT_TRUE(test.splits->bound(spec, std::span(&pointer, 1), {.steps = steps, .stop_above_zero = false}, Deadline(),
                                 answers));
  return answers.at(0);
}

// Leaves of ReLU networks in which nothing is left to split, each around a point.
template <class Visit>
void for_each_leaf(const Visit& visit) {
  for (std::uint64_t seed = 0; seed < 80; ++seed) {
    if (seed % 4 > 1) continue;
    SplitCase test(seed, make_native_executor(Precision::Float32), Semantics::Real);
    if (!test.splits) continue;
    Random random(seed + 5000);
    for (int trial = 0; trial < 3; ++trial) {
      const std::vector<double> inside = test.point(random);
      const SplitSubproblem leaf = leaf_around(test, inside, static_cast<std::int32_t>(random.integer(0, 2)));
      if (leaf.splits.empty() || !bound(test, test.spec, leaf, 1).candidates.empty()) continue;
      SCOPED_TRACE(testing::Message() << "seed " << seed << " trial " << trial);
      visit(test, inside, leaf);
    }
  }
}

// Roundings of float32 rows, of the constraints that the solver got, and its own tolerances.
double near(double value, const SplitAnswer& answer) {
  return 2 * answer.error + 1e-3 * (1 + std::fabs(value));
}

TEST(LeafOptimum, TheBoundIsTheLeastValue) {
  int leaves = 0, better = 0;
  for_each_leaf([&](const SplitCase& test, const std::vector<double>& inside, SplitSubproblem leaf) {
    const QueryEngine values(test.network, make_native_executor(Precision::Float64), {});
    const std::optional<LeafOptimum> optimum = test.splits->optimum(test.spec, leaf, Deadline());
    ASSERT_TRUE(optimum);
    EXPECT_TRUE(optimum->weights.empty());
    const SplitAnswer steps = bound(test, test.spec, leaf, 50);
    take(*optimum, leaf);
    const SplitAnswer solved = bound(test, test.spec, leaf, 0);
    const double there = test.value(leaf.row, inside, values);
    ASSERT_LE(sound_bound(solved), there + slack(there));
    const double least = test.value(leaf.row, optimum->point, values);
    EXPECT_NEAR(solved.nominal, least, near(least, solved));
    EXPECT_GE(solved.nominal, steps.nominal - near(least, solved));
    ++leaves;
    better += solved.nominal > steps.nominal + near(least, solved) ? 1 : 0;
  });
  EXPECT_GT(leaves, 70);
  EXPECT_GT(better, 20);
}

// Where all rows of a clause have to be violated, the largest of them is as small as it can be.
TEST(LeafOptimum, WeightsOfSeveralRowsAreTheBest) {
  int leaves = 0, mixed = 0;
  for_each_leaf([&](SplitCase& test, const std::vector<double>& inside, SplitSubproblem leaf) {
    const QueryEngine values(test.network, make_native_executor(Precision::Float64), {});
    const std::vector<std::int32_t> rows{0, 1, 2};
    for (const std::int32_t row : rows) {
      test.spec.constants[static_cast<std::size_t>(row)] -= test.value(row, inside, values) + 0.1;
    }
    leaf.violated = rows;
    const std::optional<LeafOptimum> optimum = test.splits->optimum(test.spec, leaf, Deadline());
    ASSERT_TRUE(optimum);
    ASSERT_EQ(optimum->weights.size(), rows.size());
    take(*optimum, leaf);
    LinearSpec combined = test.spec;
    leaf.row = append_combination(combined, rows, optimum->weights);
    const SplitAnswer solved = bound(test, combined, leaf, 0);
    const double sum = std::accumulate(optimum->weights.begin(), optimum->weights.end(), 0.0);
    EXPECT_NEAR(sum, 1, 1e-4);
    ASSERT_LE(sound_bound(solved), -0.1 * sum + slack(sum));  // at the point inside
    double largest = -kInfinity;
    double tolerance = 0;
    for (const std::int32_t row : rows) {
      largest = std::max(largest, test.value(row, optimum->point, values));
      leaf.row = row;
      tolerance = std::max(tolerance, near(largest, bound(test, test.spec, leaf, 0)));
    }
    EXPECT_NEAR(solved.nominal, largest, tolerance);
    ++leaves;
    mixed += std::count_if(optimum->weights.begin(), optimum->weights.end(), [](float w) { return w > 1e-3F; }) > 1;
  });
  EXPECT_GT(leaves, 70);
  EXPECT_GT(mixed, 10);
}

// x <= 0 and x >= 0.5 at once: each holds somewhere, both nowhere.
TEST(LeafOptimum, OfAnEmptyLeafTheBoundSaysSo) {
  LayerStack stack;
  ValueId x = stack.input({1, 1});
  x = stack.node("Relu", {stack.dense(x, {1, 1}, {0, -0.5F})});
  const auto network =
      std::make_shared<const Network>(run_passes(stack.finish(stack.dense(x, {1, 1}, {-1})), operator_table()));
  const auto engine = std::make_shared<const QueryEngine>(network, make_native_executor(Precision::Float32),
                                                          QueryEngine::Options{.splits = true});
  const SplitEngine splits(engine, {{-1}, {1}}, Semantics::Float32, Deadline());
  LinearSpec spec;
  spec.rows = spec.inputs = spec.outputs = 1;
  spec.output_coefficients = {1};
  spec.output_coefficient_errors = spec.constants = spec.constant_errors = {0};
  SplitSubproblem leaf;
  leaf.splits = {side_of({0, 0}, false), side_of({1, 0}, true)};
  const std::optional<LeafOptimum> optimum = splits.optimum(spec, leaf, Deadline());
  ASSERT_TRUE(optimum);
  take(*optimum, leaf);
  SplitSubproblem* pointer = &leaf;
  std::vector<SplitAnswer> answers;
  ASSERT_TRUE(splits.bound(spec, std::span(&pointer, 1), {}, Deadline(), answers));
  EXPECT_GT(sound_bound(answers.at(0)), 0);
}

TEST(LeafOptimum, WithoutSplitsOrTimeThereIsNone) {
  for_each_leaf([&](const SplitCase& test, const std::vector<double>&, SplitSubproblem leaf) {
    std::atomic<bool> interrupt{true};
    EXPECT_FALSE(test.splits->optimum(test.spec, leaf, Deadline(100, Clock::now(), &interrupt)));
    leaf.splits.clear();
    EXPECT_FALSE(test.splits->optimum(test.spec, leaf, Deadline()));
  });
}

}  // namespace
}  // namespace boundflow
