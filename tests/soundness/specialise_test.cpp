// A network that is specialised to boxes is the same network there, with fewer neurons.
#include "passes/specialise.hpp"

#include <gtest/gtest.h>

#include "engine/specialising_bounder.hpp"
#include "passes/passes.hpp"
#include "support/bound_checks.hpp"
#include "support/random_image_network.hpp"
#include "support/random_network.hpp"

namespace boundflow {
namespace {

struct Case {
  explicit Case(std::uint64_t seed) {
    Random random(seed);
    Network built = seed % 3 == 0 ? random_image_network(random, {.min_extent = 4, .max_extent = 6, .smooth = false})
                                  : random_network(random, {.max_width = 24});
    network = std::make_shared<const Network>(run_passes(std::move(built), operator_table()));
    const std::int64_t inputs = network->size_of(network->input());
    spec = random_spec(random, 4, inputs, network->size_of(network->output()), false);
    for (std::int64_t i = 0; i < inputs; ++i) {
      const double centre = random.uniform(-1, 1), radius = random.uniform(0, 0.1);
      box.lower.push_back(centre - radius);
      box.upper.push_back(centre + radius);
    }
  }
  // A random box within.
  InputBox part(Random& random) const {
    InputBox part;
    for (std::size_t i = 0; i < box.lower.size(); ++i) {
      const double a = random.uniform(box.lower[i], box.upper[i]), b = random.uniform(box.lower[i], box.upper[i]);
      part.lower.push_back(std::min(a, b));
      part.upper.push_back(std::max(a, b));
    }
    return part;
  }
  std::shared_ptr<const Network> network;
  LinearSpec spec;
  InputBox box;
};

TEST(Specialise, ComputesTheSameInTheBoxWithFewerNeurons) {
  std::int64_t removed = 0, smaller = 0;
  for (std::uint64_t seed = 0; seed < 90 / kSanitizerShare; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Case test(seed);
    const QueryEngine engine(test.network, make_native_executor(Precision::Float64), {});
    const FlatQuery whole(test.spec, {test.box}, Semantics::Float32);
    std::vector<ValueRange> ranges;
    for (const auto& bounds : engine.intermediate_bounds(whole.query)) {
      ranges.push_back({bounds.value, bounds.lower, bounds.upper});
    }
    const SpecialisedNetwork specialised = specialise(*test.network, operator_table(), ranges);
    verify_network(specialised.network);
    removed += specialised.removed;
    if (specialised.removed == 0) continue;
    ++smaller;
    const QueryEngine special(std::make_shared<const Network>(specialised.network),
                              make_native_executor(Precision::Float64), {});
    Random random(seed);
    const auto outputs = static_cast<std::size_t>(test.spec.outputs);
    std::vector<double> a(outputs), b(outputs);
    for (int trial = 0; trial < 20; ++trial) {
      std::vector<double> point;
      for (std::size_t i = 0; i < test.box.lower.size(); ++i) {
        point.push_back(random.uniform(test.box.lower[i], test.box.upper[i]));
      }
      engine.evaluate(point, 1, a);
      special.evaluate(point, 1, b);
      for (std::size_t j = 0; j < outputs; ++j) EXPECT_NEAR(a[j], b[j], 1e-11 * (1 + std::fabs(a[j])));
    }
    for (int trial = 0; trial < 5; ++trial) {
      const FlatQuery flat(test.spec, {test.part(random), test.part(random)}, Semantics::Float32);
      const BoundAnswer full = engine.bound(flat.query, Deadline());
      const BoundAnswer part = special.bound(flat.query, Deadline());
      for (std::size_t n = 0; n < full.nominal.size(); ++n) {
        EXPECT_NEAR(full.nominal[n], part.nominal[n], full.error[n] + part.error[n] + 1e-11) << "row " << n;
      }
    }
  }
  EXPECT_GT(smaller, 20 / kSanitizerShare);
  EXPECT_GT(removed, 100 / kSanitizerShare);
}

TEST(SpecialisingBounder, AnswersSmallerBoxesWithTheSpecialisedNetwork) {
  std::int64_t specialised = 0;
  for (std::uint64_t seed = 1; seed < 30 / kSanitizerShare; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Case test(seed);
    const std::shared_ptr<const Executor> executor = make_native_executor(Precision::Float32);
    const QueryEngine engine(test.network, executor, {});
    int prepared = 0;
    const SpecialisingBounder bounder(engine, operator_table(),
                                      {.network = test.network,
                                       .executor = executor,
                                       .options = {},
                                       .boxes = {test.box},
                                       .prepare = [&](QueryEngine&, const auto&) { ++prepared; }});
    const FlatQuery whole(test.spec, {test.box}, Semantics::Float32);
    EXPECT_EQ(bounder.bound(whole.query, Deadline()).nominal, engine.bound(whole.query, Deadline()).nominal);
    EXPECT_EQ(prepared, 0) << "the whole box needs no other network";
    Random random(seed);
    for (int trial = 0; trial < 3; ++trial) {
      const FlatQuery flat(test.spec, {test.part(random)}, Semantics::Float32);
      const BoundAnswer full = engine.bound(flat.query, Deadline());
      const BoundAnswer part = bounder.bound(flat.query, Deadline());
      for (std::size_t n = 0; n < full.nominal.size(); ++n) {
        EXPECT_NEAR(full.nominal[n], part.nominal[n], full.error[n] + part.error[n] + 1e-5) << "row " << n;
      }
    }
    EXPECT_EQ(prepared, bounder.removed() > 0 ? 1 : 0);
    specialised += prepared;
    // Beyond the box the specialised network says nothing.
    InputBox beyond = test.part(random);
    beyond.upper[0] = test.box.upper[0] + 1;
    const FlatQuery flat(test.spec, {beyond}, Semantics::Float32);
    EXPECT_EQ(bounder.bound(flat.query, Deadline()).nominal, engine.bound(flat.query, Deadline()).nominal);
  }
  EXPECT_GT(specialised, 5 / kSanitizerShare);
}

}  // namespace
}  // namespace boundflow
