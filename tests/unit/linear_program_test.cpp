#include "engine/linear_program.hpp"

#include <gtest/gtest.h>

#include <atomic>

#include "base/random.hpp"
#include "ir/query.hpp"

namespace boundflow {
namespace {

constexpr int kEnough = 10000;

// x + 2 y with x + y >= 1 and x - y >= -2, on [0, 3] x [0, 3].
LinearProgram small() {
  return {.lower = {0, 0}, .upper = {3, 3}, .cost = {1, 2}, .rows = {1, 1, 1, -1}, .at_least = {1, -2}};
}

TEST(LinearProgram, PointAndMultipliers) {
  const std::optional<LinearOptimum> optimum = solve(small(), kEnough, Deadline());
  ASSERT_TRUE(optimum);
  EXPECT_NEAR(optimum->point[0], 1, 1e-9);
  EXPECT_NEAR(optimum->point[1], 0, 1e-9);
  EXPECT_NEAR(optimum->multipliers[0], 1, 1e-9);  // one more to reach costs one more x
  EXPECT_EQ(optimum->multipliers[1], 0);
}

// The multipliers' bound is the least cost: what they leave of the cost is least at an end of each coordinate.
TEST(LinearProgram, TheMultipliersProveThePoint) {
  Random random(3);
  int solved = 0;
  for (int trial = 0; trial < 100; ++trial) {
    const std::int64_t columns = random.integer(1, 12), rows = random.integer(0, 12);
    LinearProgram program;
    for (std::int64_t j = 0; j < columns; ++j) {
      program.lower.push_back(random.uniform(-2, 0));
      program.upper.push_back(random.uniform(0, 2));
      program.cost.push_back(random.uniform(-1, 1));
    }
    for (std::int64_t i = 0; i < rows * columns; ++i) {
      program.rows.push_back(random.coin() ? 0 : random.uniform(-1, 1));
    }
    for (std::int64_t i = 0; i < rows; ++i) program.at_least.push_back(random.uniform(-1, 0.2));
    const std::optional<LinearOptimum> optimum = solve(program, kEnough, Deadline());
    if (!optimum) continue;
    ++solved;
    double cost = 0, bound = 0;
    for (std::size_t j = 0; j < program.cost.size(); ++j) {
      EXPECT_GE(optimum->point[j], program.lower[j] - 1e-6);
      EXPECT_LE(optimum->point[j], program.upper[j] + 1e-6);
      cost += program.cost[j] * optimum->point[j];
      double left = program.cost[j];
      for (std::size_t i = 0; i < program.at_least.size(); ++i) {
        left -= optimum->multipliers[i] * program.rows[i * program.cost.size() + j];
      }
      bound += std::min(left * program.lower[j], left * program.upper[j]);
    }
    for (std::size_t i = 0; i < program.at_least.size(); ++i) {
      double value = 0;
      for (std::size_t j = 0; j < program.cost.size(); ++j) {
        value += program.rows[i * program.cost.size() + j] * optimum->point[j];
      }
      EXPECT_GE(value, program.at_least[i] - 1e-6);
      EXPECT_GE(optimum->multipliers[i], 0);
      bound += optimum->multipliers[i] * program.at_least[i];
    }
    EXPECT_NEAR(bound, cost, 1e-6);
  }
  EXPECT_GT(solved, 50);
}

TEST(LinearProgram, WithoutAnOptimumThereIsNone) {
  LinearProgram program = small();
  program.at_least[0] = 7;  // infeasible
  EXPECT_FALSE(solve(program, kEnough, Deadline()));
  program = small();
  program.cost[0] = -1;
  program.upper[0] = kInfinity;  // unbounded
  EXPECT_FALSE(solve(program, kEnough, Deadline()));
}

TEST(LinearProgram, WhatIsNoNumberIsNotSolved) {
  for (const double x : {std::numeric_limits<double>::quiet_NaN(), kInfinity}) {
    for (auto part : {&LinearProgram::cost, &LinearProgram::rows, &LinearProgram::at_least}) {
      LinearProgram program = small();
      (program.*part)[1] = x;
      EXPECT_FALSE(solve(program, kEnough, Deadline()));
    }
  }
}

TEST(LinearProgram, EndsWithItsDeadlineAndItsSteps) {
  std::atomic<bool> interrupt{true};
  EXPECT_FALSE(solve(small(), kEnough, Deadline(100, Clock::now(), &interrupt)));
  EXPECT_FALSE(solve(small(), 0, Deadline()));
}

}  // namespace
}  // namespace boundflow
