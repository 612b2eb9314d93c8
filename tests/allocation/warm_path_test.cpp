// The warm path of a query allocates nothing: every operator new of this program is counted. Blocks run one after the
// other here, as the scheduler's own memory is not what is promised.
#include <gtest/gtest.h>
#include <tbb/task_arena.h>

#include "engine/query_engine.hpp"
#include "exec/native/native_executor.hpp"
#include "support/bound_checks.hpp"
#include "support/lowerings.hpp"
#include "support/random_image_network.hpp"
#include "support/random_network.hpp"
#include "support/replaced_new.hpp"

namespace boundflow {
namespace {

using replaced_new::allocations;

// Allocations of a call after two that warmed up.
template <class Call>
std::int64_t warm_allocations(const Call& call) {
  call();
  call();
  const std::int64_t before = allocations;
  call();
  return allocations - before;
}

TEST(Allocations, AreCounted) {
  const std::int64_t before = allocations;
  EXPECT_NE(std::make_unique<int>(1), nullptr);
  EXPECT_EQ(allocations, before + 1);
}

void expect_no_allocations(Network made, Random& random) {
  const auto network = std::make_shared<const Network>(std::move(made));
  const std::int64_t inputs = network->size_of(network->input()), outputs = network->size_of(network->output());
  const LinearSpec spec = random_spec(random, 3, inputs, outputs, false);
  std::vector<InputBox> boxes;
  for (int b = 0; b < 3; ++b) boxes.push_back(random_box(random, inputs));
  for (const Precision precision : {Precision::Float32, Precision::Float64}) {
    for (const NamedLowering& lowering : all_lowerings(false)) {
      const QueryEngine engine(network, make_native_executor(precision), {.lowering = lowering.lowering});
      for (const Semantics semantics : {Semantics::Float32, Semantics::Nominal}) {
        SCOPED_TRACE(lowering.name);
        const FlatQuery flat(spec, boxes, semantics);
        BoundAnswer answer;
        EXPECT_EQ(warm_allocations([&] { engine.answer(flat.query, Deadline(), answer); }), 0);
        EXPECT_TRUE(answer.complete);
      }
    }
  }
  const QueryEngine engine(network, make_native_executor(), {});
  const std::vector<double> points(static_cast<std::size_t>(5 * inputs), 0.25);
  std::vector<double> values(static_cast<std::size_t>(5 * outputs)), gradients(points.size());
  EXPECT_EQ(warm_allocations([&] { engine.evaluate(points, 5, values); }), 0);
  const Evaluator::Choose choose = [](std::int64_t, std::span<const double>, std::span<double> cotangents) {
    std::fill(cotangents.begin(), cotangents.end(), 1.0);
  };
  EXPECT_EQ(warm_allocations([&] { engine.gradient(points, 5, choose, values, gradients, Deadline()); }), 0);
}

TEST(WarmPath, AllocatesNothing) {
  tbb::task_arena one(1);
  one.execute([] {
    for (std::uint64_t seed = 0; seed < 12 && !testing::Test::HasFailure(); ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      Random random(seed);
      expect_no_allocations(random_network(random), random);
      expect_no_allocations(random_image_network(random), random);
    }
  });
}

}  // namespace
}  // namespace boundflow
