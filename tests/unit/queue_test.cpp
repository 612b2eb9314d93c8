#include "search/queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "base/random.hpp"

namespace boundflow {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Subproblem with_bound(double bound, std::int32_t depth = 0) {
  Subproblem result;
  result.bound = bound;
  result.depth = depth;
  return result;
}

TEST(Queue, PopsTheWorstBoundFirst) {
  SubproblemQueue queue;
  for (const double bound : {0.5, -1.0, 3.0, -kInf, 0.0, kInf}) queue.push(with_bound(bound));
  EXPECT_EQ(queue.worst_bound(), -kInf);
  std::vector<double> order;
  while (!queue.empty()) order.push_back(queue.pop().bound);
  EXPECT_THAT(order, testing::ElementsAre(-kInf, -1, 0, 0.5, 3, kInf));
}

TEST(Queue, NanIsTheWorstOfAll) {
  SubproblemQueue queue;
  for (const double bound : {0.5, kNan, -kInf, kNan}) queue.push(with_bound(bound));
  EXPECT_TRUE(std::isnan(queue.worst_bound()));
  EXPECT_TRUE(std::isnan(queue.pop().bound));
  EXPECT_TRUE(std::isnan(queue.pop().bound));
  EXPECT_EQ(queue.pop().bound, -kInf);
  EXPECT_EQ(queue.pop().bound, 0.5);
}

TEST(Queue, TiesGoByAge) {
  SubproblemQueue queue;
  for (std::int32_t i = 0; i < 20; ++i) queue.push(with_bound(i % 2 == 0 ? 1 : kNan, i));
  std::vector<std::int32_t> order;
  while (!queue.empty()) order.push_back(queue.pop().depth);
  EXPECT_THAT(order, testing::ElementsAre(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18));
}

TEST(Queue, CountsItsBytes) {
  SubproblemQueue queue;
  EXPECT_EQ(queue.bytes(), 0);
  Subproblem big = with_bound(0);
  big.lower.assign(100, 0);
  big.upper.assign(100, 1);
  big.clauses = {1, 2, 3};
  big.lambdas = {0.5F, 0.5F};
  const std::int64_t bytes = big.bytes();
  EXPECT_GE(bytes, 200 * 8 + 3 * 4 + 2 * 4);
  queue.push(big);
  queue.push(with_bound(1));
  EXPECT_GT(queue.bytes(), bytes);
  EXPECT_EQ(queue.size(), 2);
  queue.pop();
  queue.pop();
  EXPECT_EQ(queue.bytes(), 0);
}

TEST(Queue, OrderSurvivesMixedPushesAndPops) {
  Random random(3);
  SubproblemQueue queue;
  std::multiset<double> expected;
  for (int step = 0; step < 2000; ++step) {
    if (queue.empty() || random.integer(0, 2) != 0) {
      const double bound = static_cast<double>(random.integer(-50, 50));
      queue.push(with_bound(bound));
      expected.insert(bound);
    } else {
      ASSERT_EQ(queue.pop().bound, *expected.begin());
      expected.erase(expected.begin());
    }
    ASSERT_EQ(queue.size(), static_cast<std::int64_t>(expected.size()));
  }
}

}  // namespace
}  // namespace boundflow
