// The plan cache: who compiles, who waits, what is kept, and what happens when a compilation ends without a plan.
#include "engine/plan_cache.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "engine/query_engine.hpp"
#include "support/counting_executor.hpp"
#include "support/verify_case.hpp"

namespace boundflow {
namespace {

constexpr std::int64_t kPlenty = std::int64_t{1} << 30;

// Networks of one shape that differ in a weight.
std::shared_ptr<const Network> network(float weight = 1) {
  const OnnxModel model = dense_model(2, {{{weight, -1, 0.5F, 1}, {0, 0}}, {{1, -1}, {0}, false}});
  return std::make_shared<const Network>(import_onnx(model.bytes(), "small.onnx"));
}

PlanSource source(std::shared_ptr<const Executor> executor, float weight = 1) {
  return {.network = network(weight), .executor = std::move(executor)};
}

TEST(PlanCache, CompilesEqualNetworksOnce) {
  const auto executor = std::make_shared<const CountingExecutor>();
  PlanCache cache(kPlenty);
  const PlanCache::Found first = cache.find_or_compile(source(executor), Deadline());
  const PlanCache::Found second = cache.find_or_compile(source(executor), Deadline());
  EXPECT_FALSE(first.hit);
  EXPECT_TRUE(second.hit);
  EXPECT_EQ(first.plan, second.plan);
  EXPECT_EQ(first.key, second.key);
  EXPECT_EQ(executor->compiled(), 1);
  const PlanCache::Statistics statistics = cache.statistics();
  EXPECT_EQ(statistics.hits, 1);
  EXPECT_EQ(statistics.misses, 1);
  EXPECT_EQ(statistics.evictions, 0);
  EXPECT_EQ(statistics.plans, 1);
  EXPECT_EQ(statistics.bytes, first.plan->bytes);
}

TEST(PlanCache, CompilesWhatDiffers) {
  const auto executor = std::make_shared<const CountingExecutor>();
  PlanCache cache(kPlenty);
  const auto plan = [&](const PlanSource& source) { return cache.find_or_compile(source, Deadline()).plan; };
  const auto one = plan(source(executor));
  EXPECT_NE(plan(source(executor, 2)), one);
  PlanSource balls = source(executor);
  balls.lowering.balls = true;
  EXPECT_NE(plan(balls), one);
  EXPECT_EQ(executor->compiled(), 3);
}

// One owner of two networks, and networks that nobody owns: neither owner nor address alone says which network it is.
TEST(PlanCache, TellsNetworksOfOneOwnerApart) {
  const auto executor = std::make_shared<const CountingExecutor>();
  PlanCache cache(kPlenty);
  const auto pair = std::make_shared<const std::pair<Network, Network>>(*network(1), *network(2));
  const auto key = [&](std::shared_ptr<const Network> network) {
    return cache.find_or_compile({.network = std::move(network), .executor = executor}, Deadline()).key;
  };
  EXPECT_NE(key({pair, &pair->first}), key({pair, &pair->second}));
  Network here = *network(1);
  const Digest before = key({std::shared_ptr<void>(), &here});
  EXPECT_EQ(before, key({pair, &pair->first}));
  here = *network(2);
  EXPECT_EQ(key({std::shared_ptr<void>(), &here}), key({pair, &pair->second}));
}

TEST(PlanCache, AnExceptionIsNotKept) {
  std::atomic<bool> fails{true};
  const auto executor = std::make_shared<const CountingExecutor>([&](const Deadline&) {
    if (fails) throw std::bad_alloc();
  });
  PlanCache cache(kPlenty);
  EXPECT_THROW(cache.find_or_compile(source(executor), Deadline()), std::bad_alloc);
  EXPECT_THROW(cache.find_or_compile(source(executor), Deadline()), std::bad_alloc);
  EXPECT_EQ(cache.statistics().plans, 0);
  fails = false;
  EXPECT_FALSE(cache.find_or_compile(source(executor), Deadline()).hit);
  EXPECT_TRUE(cache.find_or_compile(source(executor), Deadline()).hit);
  EXPECT_EQ(executor->compiled(), 3);
}

TEST(PlanCache, ThoseWhoAskAtOnceWaitForOne) {
  constexpr int kCallers = 6;
  std::atomic<int> arrived{0};
  const auto executor = std::make_shared<const CountingExecutor>([&](const Deadline&) {
    while (arrived < kCallers) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // most of the others wait by now
  });
  PlanCache cache(kPlenty);
  std::vector<std::shared_ptr<const CompiledPlan>> plans(kCallers);
  std::vector<std::thread> callers;
  for (auto& plan : plans) {
    callers.emplace_back([&] {
      const PlanSource asked = source(executor);
      ++arrived;
      plan = cache.find_or_compile(asked, Deadline()).plan;
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(executor->compiled(), 1);
  for (const auto& plan : plans) EXPECT_EQ(plan, plans[0]);
  EXPECT_EQ(cache.statistics().hits, kCallers - 1);
}

// The first caller compiles until it is stopped; the second gives up waiting, the third takes over.
TEST(PlanCache, WaitingEndsWithTheDeadlineOrWithTheCompilation) {
  std::atomic<bool> compiling{false};
  std::atomic<bool> stop{false};
  const auto executor = std::make_shared<const CountingExecutor>([&](const Deadline& deadline) {
    if (compiling.exchange(true)) return;
    while (true) {
      deadline.check();
      std::this_thread::yield();
    }
  });
  PlanCache cache(kPlenty);
  std::thread first([&] {
    const Deadline deadline(60, Clock::now(), &stop);
    EXPECT_THROW(cache.find_or_compile(source(executor), deadline), StoppedError);
  });
  while (!compiling) std::this_thread::yield();
  EXPECT_THROW(cache.find_or_compile(source(executor), Deadline(0.05)), StoppedError);
  const std::atomic<bool> interrupted{true};
  EXPECT_THROW(cache.find_or_compile(source(executor), Deadline(60, Clock::now(), &interrupted)), StoppedError);
  std::thread third([&] { EXPECT_FALSE(cache.find_or_compile(source(executor), Deadline()).hit); });
  stop = true;
  first.join();
  third.join();
  EXPECT_EQ(executor->compiled(), 2);
  EXPECT_TRUE(cache.find_or_compile(source(executor), Deadline()).hit);
}

TEST(PlanCache, EvictsWhatWasUsedLongestAgo) {
  const auto executor = std::make_shared<const CountingExecutor>();
  PlanCache cache(kPlenty);
  const auto hit = [&](float weight) { return cache.find_or_compile(source(executor, weight), Deadline()).hit; };
  const auto held = cache.find_or_compile(source(executor, 1), Deadline()).plan;
  cache.limit(2 * held->bytes);
  EXPECT_FALSE(hit(2));
  EXPECT_TRUE(hit(1));
  EXPECT_FALSE(hit(3));  // drives out 2
  EXPECT_EQ(cache.statistics().evictions, 1);
  EXPECT_TRUE(hit(1));
  EXPECT_TRUE(hit(3));
  EXPECT_FALSE(hit(2));  // drives out 1
  EXPECT_LE(cache.statistics().bytes, 2 * held->bytes);
  cache.limit(0);
  EXPECT_EQ(cache.statistics().plans, 0);
  EXPECT_EQ(cache.statistics().bytes, 0);
  EXPECT_EQ(held->bounds->program().inputs, 2);  // whoever has it keeps it
}

TEST(PlanCache, APlanLargerThanTheLimitDrivesOutNothing) {
  const auto executor = std::make_shared<const CountingExecutor>();
  PlanCache cache(kPlenty);
  cache.limit(cache.find_or_compile(source(executor), Deadline()).plan->bytes + 1);
  const std::vector<float> weights(2 * 100, 1.0F), bias(100, 0.0F);
  const OnnxModel wide = dense_model(2, {{weights, bias}});
  const auto large = std::make_shared<const Network>(import_onnx(wide.bytes(), "wide.onnx"));
  EXPECT_NE(cache.find_or_compile({.network = large, .executor = executor}, Deadline()).plan, nullptr);
  EXPECT_FALSE(cache.find_or_compile({.network = large, .executor = executor}, Deadline()).hit);
  EXPECT_TRUE(cache.find_or_compile(source(executor), Deadline()).hit);
}

TEST(PlanCache, EnginesTakeTheirProgramsFromIt) {
  const auto executor = std::make_shared<const CountingExecutor>();
  PlanCache cache(kPlenty);
  const QueryEngine first(network(), executor, {.plans = &cache});
  const QueryEngine second(network(), executor, {.max_block_rows = 2, .plans = &cache});
  EXPECT_EQ(&first.bounds_program(), &second.bounds_program());
  EXPECT_EQ(&first.values_program(), &second.values_program());
  EXPECT_EQ(first.compilation().lookup, PlanLookup::Miss);
  EXPECT_EQ(second.compilation().lookup, PlanLookup::Hit);
  EXPECT_EQ(second.rows_per_block(), 2);
  // Operators of one's own may mean something else under the same names.
  const OperatorTable own = operator_table();
  const QueryEngine third(network(), executor, {.plans = &cache}, Deadline(), own);
  EXPECT_EQ(third.compilation().lookup, PlanLookup::None);
  EXPECT_EQ(executor->compiled(), 2);
}

}  // namespace
}  // namespace boundflow
