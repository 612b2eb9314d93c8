#include "search/queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
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

Subproblem random_subproblem(Random& random) {
  Subproblem result = with_bound(random.uniform(-1, 1), static_cast<std::int32_t>(random.integer(0, 30)));
  result.region = static_cast<std::int32_t>(random.integer(0, 2));
  for (std::int64_t i = random.integer(1, 9); i > 0; --i) {
    result.lower.push_back(random.uniform(-1, 0));
    result.upper.push_back(random.uniform(0, 1));
  }
  for (std::int64_t c = random.integer(1, 4); c > 0; --c) {
    result.clauses.push_back(static_cast<std::int32_t>(random.integer(0, 99)));
  }
  for (std::int64_t l = random.integer(0, 5); l > 0; --l) result.lambdas.push_back(0.25F * static_cast<float>(l));
  result.blocked_gap = random.uniform(0, 1);
  result.stalled = static_cast<std::int32_t>(random.integer(0, 5));
  result.inputs_only = random.coin();
  return result;
}

TEST(Queue, KeepsAllOfASubproblem) {
  Random random(7);
  SubproblemQueue queue;
  std::map<double, Subproblem> expected;
  for (int i = 0; i < 3000; ++i) {
    const Subproblem subproblem = random_subproblem(random);
    expected[subproblem.bound] = subproblem;
    queue.push(subproblem);
  }
  std::size_t seen = 0;
  queue.visit([&](const SubproblemQueue::View& view) {
    const Subproblem& same = expected.at(view.bound);
    ++seen;
    EXPECT_EQ(view.region, same.region);
    EXPECT_EQ(view.depth, same.depth);
    EXPECT_THAT(view.lower, testing::ElementsAreArray(same.lower));
    EXPECT_THAT(view.upper, testing::ElementsAreArray(same.upper));
    EXPECT_THAT(view.clauses, testing::ElementsAreArray(same.clauses));
  });
  EXPECT_EQ(seen, expected.size());
  for (const auto& [bound, same] : expected) {
    const Subproblem popped = queue.pop();
    ASSERT_EQ(popped.bound, bound);
    EXPECT_EQ(popped.lower, same.lower);
    EXPECT_EQ(popped.upper, same.upper);
    EXPECT_EQ(popped.region, same.region);
    EXPECT_EQ(popped.depth, same.depth);
    EXPECT_EQ(popped.clauses, same.clauses);
    EXPECT_EQ(popped.lambdas, same.lambdas);
    EXPECT_EQ(popped.blocked_gap, same.blocked_gap);
    EXPECT_EQ(popped.stalled, same.stalled);
    EXPECT_EQ(popped.inputs_only, same.inputs_only);
  }
  EXPECT_TRUE(queue.empty());
}

TEST(Queue, RemovesARegion) {
  Random random(8);
  SubproblemQueue queue;
  std::multiset<double> expected;
  for (int i = 0; i < 500; ++i) {
    const Subproblem subproblem = random_subproblem(random);
    if (subproblem.region != 1) expected.insert(subproblem.bound);
    queue.push(subproblem);
  }
  queue.remove(1);
  for (const double bound : expected) {
    const Subproblem popped = queue.pop();
    EXPECT_NE(popped.region, 1);
    EXPECT_EQ(popped.bound, bound);
  }
  EXPECT_TRUE(queue.empty());
  queue.push(with_bound(1));
  queue.remove(0);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.bytes(), 0);
}

// What the limit on memory counts is what the system gives, chunks that are not full among it, and not much more than
// that.
TEST(Queue, ManySubproblemsTakeLittleMoreThanTheirNumbers) {
  SubproblemQueue queue;
  Subproblem subproblem = with_bound(0);
  subproblem.lower.assign(5, 0);
  subproblem.upper.assign(5, 1);
  subproblem.clauses = {0};
  constexpr std::int64_t kMany = 100'000;
  for (std::int64_t i = 0; i < kMany; ++i) queue.push(subproblem);
  EXPECT_GT(queue.bytes(), kMany * (10 * 8 + 4));
  EXPECT_LT(queue.bytes(), kMany * 320);
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
