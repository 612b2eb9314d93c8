// Whatever runs on several threads: the search's rounds, row blocks of one query, chunks of queries, calls from several
// threads at once, an interrupt from another thread. ThreadSanitizer runs these tests (preset tsan); without it they
// hold that answers are those of one thread.
#include <gtest/gtest.h>
#include <tbb/task_arena.h>

#include <thread>

#include "boundflow/boundflow.hpp"
#include "engine/plan_cache.hpp"
#include "exec/native/native_executor.hpp"
#include "support/bound_checks.hpp"
#include "support/counting_executor.hpp"
#include "support/random_network.hpp"

namespace boundflow {
namespace {

const std::string kDigits = std::string(BOUNDFLOW_SOURCE_DIR) + "/examples/digits/";

Options with_threads(int threads) {
  Options options;
  options.threads = threads;
  options.timeout = 300;
  return options;
}

TEST(Threads, VerdictsAreThoseOfOneThread) {
  for (const char* network : {"mlp", "cnn"}) {
    const std::string prefix = network == std::string("cnn") ? "cnn_" : "";
    for (const int threads : {1, 4}) {
      const auto verdict = [&](const std::string& property) {
        return verify(kDigits + "digits_" + network + ".onnx", kDigits + prefix + property, with_threads(threads))
            .verdict;
      };
      EXPECT_EQ(verdict("proved.vnnlib"), "unsat") << network << " on " << threads;
      EXPECT_EQ(verdict("violated.vnnlib"), "sat") << network << " on " << threads;
    }
  }
}

BoundsRequest boxes_around_the_image(std::int64_t count) {
  const std::vector<double> image = read_array(kDigits + "image.npy").values;
  std::vector<double> lower;
  std::vector<double> upper;
  for (std::int64_t b = 0; b < count; ++b) {
    for (const double x : image) {
      lower.push_back(x - 0.01 * static_cast<double>(b + 1));
      upper.push_back(x + 0.01 * static_cast<double>(b + 1));
    }
  }
  BoundsRequest request;
  request.lower = std::move(lower);
  request.upper = std::move(upper);
  return request;
}

TEST(Threads, BoundsAreThoseOfOneThread) {
  BoundsRequest request = boxes_around_the_image(12);
  for (const char* method : {"ibp", "crown"}) {
    request.method = method;
    const std::string network = kDigits + "digits_cnn.onnx";
    const BoundsResult one = bounds(network, request, with_threads(1));
    const BoundsResult four = bounds(network, request, with_threads(4));
    EXPECT_EQ(four.complete, 12);
    EXPECT_EQ(one.lower, four.lower) << method;
    EXPECT_EQ(one.upper, four.upper) << method;
  }
}

TEST(Threads, CallsDoNotDisturbEachOther) {
  const BoundsRequest request = boxes_around_the_image(3);
  const std::string network = kDigits + "digits_mlp.onnx";
  const BoundsResult alone = bounds(network, request, with_threads(2));
  std::vector<std::string> verdicts(2);
  std::vector<BoundsResult> results(2);
  std::vector<std::thread> callers;
  for (std::size_t i = 0; i < 2; ++i) {
    callers.emplace_back([&, i] { verdicts[i] = verify(network, kDigits + "proved.vnnlib", with_threads(2)).verdict; });
    callers.emplace_back([&, i] { results[i] = bounds(network, request, with_threads(2)); });
  }
  for (std::thread& caller : callers) caller.join();
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(verdicts[i], "unsat");
    EXPECT_EQ(results[i].lower, alone.lower);
  }
}

// Blocks of the smallest size, many subproblems: workspaces, arenas and blocks change hands between the threads.
TEST(Threads, BlocksOfConcurrentQueriesDoNotMix) {
  Random random(7);
  const auto network =
      std::make_shared<const Network>(random_network(random, {.inputs = 4, .outputs = 3, .max_width = 60}));
  const LinearSpec spec = random_spec(random, 40, 4, 3, false);
  const QueryEngine engine(network, make_native_executor(), {.block_bytes = 1});
  std::vector<InputBox> boxes;
  for (int b = 0; b < 6; ++b) boxes.push_back(random_box(random, 4));
  const FlatQuery flat(spec, boxes, Semantics::Float32);
  const BoundAnswer expected = engine.bound(flat.query, Deadline());
  ASSERT_TRUE(expected.complete);
  std::vector<BoundAnswer> answers(4);
  std::vector<std::thread> callers;
  for (BoundAnswer& answer : answers) {
    callers.emplace_back([&] { tbb::task_arena(2).execute([&] { answer = engine.bound(flat.query, Deadline()); }); });
  }
  for (std::thread& caller : callers) caller.join();
  for (const BoundAnswer& answer : answers) {
    EXPECT_EQ(answer.nominal, expected.nominal);
    EXPECT_EQ(answer.error, expected.error);
  }
}

// Engines come and go on several threads, while a limit of one plan evicts what they run.
TEST(Threads, EnginesShareACacheOfPlans) {
  Random random(11);
  std::vector<std::shared_ptr<const Network>> networks;
  std::vector<BoundAnswer> expected;
  const LinearSpec spec = random_spec(random, 5, 4, 3, false);
  const FlatQuery flat(spec, {random_box(random, 4)}, Semantics::Float32);
  const auto executor = std::make_shared<const CountingExecutor>();
  std::int64_t largest = 0;
  for (int n = 0; n < 2; ++n) {
    networks.push_back(std::make_shared<const Network>(random_network(random, {.inputs = 4, .outputs = 3})));
    const PlanSource source{.network = networks.back(), .executor = executor};
    largest = std::max(largest, compile_plan(source, operator_table(), Deadline()).bytes);
    expected.push_back(QueryEngine(networks.back(), executor, {}).bound(flat.query, Deadline()));
  }
  PlanCache cache(largest);
  std::atomic<int> wrong{0};
  std::vector<std::thread> callers;
  for (std::size_t caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&, caller] {
      for (std::size_t call = 0; call < 8; ++call) {
        const std::size_t n = (caller + call) / 2 % 2;
        const QueryEngine engine(networks[n], executor, {.plans = &cache});
        if (engine.bound(flat.query, Deadline()).nominal != expected[n].nominal) ++wrong;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(wrong, 0);
  const PlanCache::Statistics statistics = cache.statistics();
  EXPECT_EQ(statistics.hits + statistics.misses, 4 * 8);
  EXPECT_EQ(statistics.misses + 4, executor->compiled());
  EXPECT_LE(statistics.bytes, largest);
}

TEST(Threads, AnInterruptFromAnotherThreadEndsTheCall) {
  std::atomic<bool> interrupt{false};
  VerifyHooks hooks;
  hooks.interrupt = &interrupt;
  std::thread other([&] { interrupt = true; });
  BoundsRequest request = boxes_around_the_image(500);
  const BoundsResult result = bounds(kDigits + "digits_cnn.onnx", request, with_threads(4), hooks);
  other.join();
  EXPECT_TRUE(result.interrupted || result.complete == result.queries);
  EXPECT_LE(result.complete, result.queries);
}

}  // namespace
}  // namespace boundflow
