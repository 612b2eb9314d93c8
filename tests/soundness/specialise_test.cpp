// A network that is specialised to boxes is the same network there, with fewer neurons, and its bounds hold for
// executions of the network that it was.
#include <gtest/gtest.h>

#include "engine/specialising_bounder.hpp"
#include "engine/value_ranges.hpp"
#include "support/pass_checks.hpp"
#include "support/random_image_network.hpp"
#include "support/random_layers.hpp"
#include "support/random_network.hpp"

namespace boundflow {
namespace {

struct Case {
  explicit Case(std::uint64_t seed) {
    Random random(seed);
    Network built;
    switch (seed % 4) {
      case 0:
        built = random_image_network(random, {.min_extent = 4, .max_extent = 6, .smooth = false});
        break;
      case 1:
        built = random_network(random, {.max_width = 24});
        break;
      default:
        built = random_layers(random, random.integer(1, 12), random.integer(2, 5));
    }
    network = std::make_shared<const Network>(run_passes(std::move(built), operator_table()));
    const std::int64_t inputs = network->size_of(network->input());
    spec = random_spec(random, 4, inputs, network->size_of(network->output()), false);
    const bool some_fixed = random.coin();
    for (std::int64_t i = 0; i < inputs; ++i) {
      const auto centre = static_cast<double>(static_cast<float>(random.uniform(-1, 1)));
      const bool fixed = some_fixed && random.integer(0, 3) != 0;
      const double radius = fixed ? 0 : random.uniform(0, 0.1), end = random.integer(0, 3) == 0 && fixed ? 0 : centre;
      box.lower.push_back(end - radius);
      box.upper.push_back(end + radius);
    }
  }
  SpecialisedNetwork specialised(const QueryEngine& engine, bool merge) const {
    const FlatQuery whole(spec, {box}, Semantics::Float32);
    const std::vector<ValueRange> ranges = value_ranges(engine, *network, whole.query);
    SpecialisedNetwork result = specialise(*network, operator_table(), ranges, merge);
    expect_same_interface(*network, result.network);
    EXPECT_LE(result.products, result.products_before);
    return result;
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

// What both networks compute at points of the box.
void expect_same_values(const Case& test, const QueryEngine& engine, const QueryEngine& special, Random& random) {
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
}

void expect_same_bounds(const Case& test, const QueryEngine& engine, const QueryEngine& special, Random& random) {
  for (int trial = 0; trial < 5; ++trial) {
    const FlatQuery flat(test.spec, {test.part(random), test.part(random)}, Semantics::Float32);
    const BoundAnswer full = engine.bound(flat.query, Deadline());
    const BoundAnswer part = special.bound(flat.query, Deadline());
    for (std::size_t n = 0; n < full.nominal.size(); ++n) {
      EXPECT_NEAR(full.nominal[n], part.nominal[n], full.error[n] + part.error[n] + 1e-11) << "row " << n;
    }
  }
}

TEST(Specialise, ComputesTheSameInTheBoxWithFewerNeurons) {
  std::int64_t removed = 0, fixed = 0, smaller = 0;
  for (std::uint64_t seed = 0; seed < 120 / kSanitizerShare; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Case test(seed);
    const QueryEngine engine(test.network, make_native_executor(Precision::Float64), {});
    const SpecialisedNetwork specialised = test.specialised(engine, false);
    EXPECT_EQ(specialised.merged, 0);
    removed += specialised.removed;
    fixed += specialised.fixed;
    if (specialised.removed + specialised.fixed == 0) continue;
    ++smaller;
    const QueryEngine special(std::make_shared<const Network>(specialised.network),
                              make_native_executor(Precision::Float64), {});
    Random random(seed);
    expect_same_values(test, engine, special, random);
    expect_same_bounds(test, engine, special, random);
  }
  EXPECT_GT(smaller, 20 / kSanitizerShare);
  EXPECT_GT(removed, 100 / kSanitizerShare);
  EXPECT_GT(fixed, 20 / kSanitizerShare);
}

TEST(Specialise, ComputesTheSameThroughProductsOfMatrices) {
  std::int64_t merged = 0, compared = 0;
  for (std::uint64_t seed = 0; seed < 120 / kSanitizerShare; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Case test(seed);
    const QueryEngine engine(test.network, make_native_executor(Precision::Float64), {});
    const SpecialisedNetwork specialised = test.specialised(engine, true);
    merged += specialised.merged;
    if (specialised.merged == 0) continue;
    const QueryEngine special(std::make_shared<const Network>(specialised.network),
                              make_native_executor(Precision::Float64), {});
    Random random(seed);
    expect_same_values(test, engine, special, random);
    // An interval step through a product loses less than two steps, which shows where lines depend on it: not with a
    // single layer of them.
    if (count_op(*test.network, "Relu") > 1) continue;
    ++compared;
    expect_same_bounds(test, engine, special, random);
  }
  EXPECT_GT(merged, 200 / kSanitizerShare);
  // Too rare to be met in a few trials.
  if (kSanitizerShare == 1) {
    EXPECT_GT(compared, 5);
  }
}

TEST(Specialise, HoldsForExecutionsOfTheNetworkThatItWas) {
  std::int64_t merged = 0, fixed = 0, partly = 0;
  int finite = 0;
  for (std::uint64_t seed = 0; seed < 160 / kSanitizerShare && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Case test(seed);
    const QueryEngine engine(test.network, make_native_executor(Precision::Float64), {});
    const SpecialisedNetwork specialised = test.specialised(engine, true);
    merged += specialised.merged;
    fixed += specialised.fixed;
    if (specialised.merged + specialised.fixed == 0) continue;
    partly += count_op(specialised.network, "Concat") > count_op(*test.network, "Concat") ? 1 : 0;
    Random random(seed);
    PassTrial trial(*test.network, specialised.network, random);
    for (int part = 0; part < 3; ++part) {
      trial.box = part == 0 ? test.box : test.part(random);
      expect_same_function(trial, random);
      finite += expect_executions_inside(trial, random);
    }
  }
  EXPECT_GT(merged, 200 / kSanitizerShare);
  EXPECT_GT(fixed, 20 / kSanitizerShare);
  // Too rare to be met in a few trials.
  if (kSanitizerShare == 1) {
    EXPECT_GT(partly, 5);
  }
  EXPECT_GT(finite, 1000 / kSanitizerShare);
}

struct Products {
  explicit Products(std::int64_t inputs = 1) { x = network.add_input("x", {DType::Float32, {1, inputs}}); }
  ValueId constant(Shape shape, const std::vector<float>& values) {
    return network.add_constant("c" + std::to_string(names++), Tensor(std::move(shape), values));
  }
  ValueId node(const std::string& op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    const std::string name = op + std::to_string(names++);
    const NodeId id =
        append_node(network, operator_table(), op, name, std::move(inputs), {name}, std::move(attributes));
    return network.node(id).outputs.front();
  }
  ValueId product(ValueId operand, Shape shape, const std::vector<float>& weights, const std::vector<float>& bias) {
    const auto rows = static_cast<std::int64_t>(bias.size());
    return node("Gemm", {operand, constant(std::move(shape), weights), constant({rows}, bias)},
                {{"transB", std::int64_t{1}}});
  }

  Network network;
  ValueId x = kNoValue;
  int names = 0;
};

// Over one input in [1, 2], with products that become one matrix; returns the most that an execution was off.
double expect_executions_of_zero_inside(const Network& network, std::int64_t merged) {
  const auto shared = std::make_shared<const Network>(network);
  const QueryEngine engine(shared, make_native_executor(Precision::Float64), {});
  Random random(1);
  LinearSpec spec = random_spec(random, 1, 1, 1, false);
  const FlatQuery whole(spec, {{{1}, {2}}}, Semantics::Float32);
  const SpecialisedNetwork special =
      specialise(network, operator_table(), value_ranges(engine, network, whole.query), true);
  EXPECT_EQ(special.merged, merged) << print(special.network);
  EXPECT_EQ(count_op(special.network, "FoldedGemm"), 1);
  double most = 0;
  PassTrial trial(network, special.network, random);
  for (int point = 0; point < 50; ++point) {
    const auto x = static_cast<double>(static_cast<float>(random.uniform(1, 2)));
    trial.box = {{x}, {x}};
    EXPECT_GT(expect_executions_inside(trial, random), 0);
    most = std::max(
        most, std::fabs(Float32Execution(network, random).run({x})[static_cast<std::size_t>(network.output())][0]));
  }
  return most;
}

TEST(Specialise, ProductsThatCancelKeepWhatExecutionsLose) {
  // 3 (a x + b) - (3 a x + 3 b), with numbers of few bits, so that the weights and the bias of the product are zero.
  for (const auto& [a, b] : {std::pair(0x1.99ap-4F, 0x1.f412p9F), std::pair(0x1.99ap9F, 0.0F)}) {
    Products adjacent;
    const ValueId z = adjacent.product(adjacent.x, {2, 1}, {a, 3 * a}, {b, 3 * b});
    adjacent.network.set_outputs({adjacent.product(z, {1, 2}, {3, -1}, {0})});
    EXPECT_GT(expect_executions_of_zero_inside(adjacent.network, 2), 1e-5);

    Products active;
    const ValueId h = active.node("Relu", {active.product(active.x, {2, 1}, {a, 3 * a}, {b, 3 * b})});
    active.network.set_outputs({active.product(h, {1, 2}, {3, -1}, {0})});
    EXPECT_GT(expect_executions_of_zero_inside(active.network, 2), 1e-5);
  }
}

// Sums of x in [1, 2] and many numbers, each of which gets lost where it is added to x: executions are off by as much
// as the additions allow.
constexpr int kLost = 60;
constexpr float kTooSmall = 0x1.dp-25F;

// The network gives x and the numbers, which are inputs of their own or its.
void expect_lost_sums_inside(const Network& network, const SpecialisedNetwork& special, bool fixed_inputs) {
  Random random(1);
  PassTrial trial(network, special.network, random);
  double most = 0;
  for (int trial_number = 0; trial_number < 60; ++trial_number) {
    std::vector<double> point(fixed_inputs ? kLost + 1 : 1, kTooSmall);
    point[0] = static_cast<double>(static_cast<float>(random.uniform(1.5, 2)));
    trial.box = {point, point};
    EXPECT_GT(expect_executions_inside(trial, random), 0);
    const auto y = Float32Execution(network, random).run(point)[static_cast<std::size_t>(network.output())][0];
    most = std::max(most, point[0] + kLost * static_cast<double>(kTooSmall) - y);
  }
  EXPECT_GT(most, 0.7 * kLost * kTooSmall);
}

TEST(Specialise, SumsKeepTheirLengthWithoutTheirTerms) {
  constexpr int kRows = 40;
  const std::vector<float> ones(kRows * (kLost + 1), 1);
  std::vector<float> first(kRows, 0);
  first[0] = 1;
  std::vector<ValueRange> ranges{
      {0, std::vector<double>(kLost + 1, kTooSmall), std::vector<double>(kLost + 1, kTooSmall)}};
  ranges[0].lower[0] = 1;
  ranges[0].upper[0] = 2;

  Products fixed(kLost + 1);
  const ValueId sums = fixed.product(fixed.x, {kRows, kLost + 1}, ones, std::vector<float>(kRows, 0));
  fixed.network.set_outputs({sums});
  ranges[0].value = fixed.x;
  SpecialisedNetwork special = specialise(fixed.network, operator_table(), ranges);
  EXPECT_EQ(special.fixed, kLost);
  expect_lost_sums_inside(fixed.network, special, true);

  fixed.network.set_outputs({fixed.product(sums, {1, kRows}, first, {0})});
  special = specialise(fixed.network, operator_table(), ranges);
  EXPECT_EQ(special.fixed, kLost);
  EXPECT_EQ(special.merged, kRows);
  expect_lost_sums_inside(fixed.network, special, true);

  // The outer sum is the long one.
  Products outer;
  std::vector<float> weights(kLost + 1, 0), bias(kLost + 1, kTooSmall);
  weights[0] = 1;
  bias[0] = 0;
  const ValueId terms = outer.product(outer.x, {kLost + 1, 1}, weights, bias);
  outer.network.set_outputs({outer.product(terms, {1, kLost + 1}, std::vector<float>(kLost + 1, 1), {0})});
  special = specialise(outer.network, operator_table(), {{{outer.x, {1}, {2}}}});
  EXPECT_EQ(special.merged, kLost + 1);
  expect_lost_sums_inside(outer.network, special, false);
}

TEST(Specialise, FixedInputsThatCancelKeepWhatExecutionsLose) {
  // 0.1 x + 30000 f - 30000 g with f = g fixed.
  constexpr int kRows = 40;
  Products fixed(3);
  std::vector<float> weights;
  for (int row = 0; row < kRows; ++row) weights.insert(weights.end(), {0.1F, 30000.7F, -30000.7F});
  fixed.network.set_outputs({fixed.product(fixed.x, {kRows, 3}, weights, std::vector<float>(kRows, 0.3F))});
  const Network& network = fixed.network;
  const double f = 0.7F;
  const std::vector<ValueRange> ranges{{network.input(), {1, f, f}, {2, f, f}}};
  const SpecialisedNetwork special = specialise(network, operator_table(), ranges);
  EXPECT_EQ(special.fixed, 2);
  Random random(1);
  PassTrial trial(network, special.network, random);
  double most = 0;
  for (int point = 0; point < 50; ++point) {
    const auto x = static_cast<double>(static_cast<float>(random.uniform(1, 2)));
    trial.box = {{x, f, f}, {x, f, f}};
    EXPECT_GT(expect_executions_inside(trial, random), 0);
    const auto y = Float32Execution(network, random).run({x, f, f})[static_cast<std::size_t>(network.output())];
    most = std::max(most, std::fabs(y[0] - (0.1F * x + 0.3F)));
  }
  EXPECT_GT(most, 1e-4);
}

TEST(ValueRanges, AreTheHullOverAllBoxes) {
  std::int64_t values = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Case test(seed);
    const QueryEngine engine(test.network, make_native_executor(Precision::Float64), {});
    Random random(seed);
    const std::vector<InputBox> boxes{test.part(random), test.part(random), test.part(random)};
    const auto ranges = [&](const std::vector<InputBox>& of) {
      const FlatQuery flat(test.spec, of, Semantics::Float32);
      return value_ranges(engine, *test.network, flat.query);
    };
    const std::vector<ValueRange> hull = ranges(boxes);
    EXPECT_EQ(hull.at(0).value, test.network->input());
    for (std::size_t v = 0; v < hull.size(); ++v) {
      std::vector<double> lower(hull[v].lower.size(), kInfinity), upper(lower.size(), -kInfinity);
      for (const InputBox& box : boxes) {
        const ValueRange one = ranges({box}).at(v);
        EXPECT_EQ(one.value, hull[v].value);
        for (std::size_t j = 0; j < lower.size(); ++j) {
          lower[j] = std::min(lower[j], one.lower[j]);
          upper[j] = std::max(upper[j], one.upper[j]);
        }
      }
      EXPECT_EQ(hull[v].lower, lower);
      EXPECT_EQ(hull[v].upper, upper);
      ++values;
    }
  }
  EXPECT_GT(values, 40);
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
                                       .merge = false,
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
    EXPECT_EQ(prepared, bounder.saved() > 0 ? 1 : 0);
    EXPECT_EQ(bounder.special() != nullptr, bounder.saved() > 0);
    specialised += prepared;
    // Beyond the box the specialised network says nothing.
    InputBox beyond = test.part(random);
    beyond.upper[0] = test.box.upper[0] + 1;
    const FlatQuery flat(test.spec, {beyond}, Semantics::Float32);
    EXPECT_EQ(bounder.bound(flat.query, Deadline()).nominal, engine.bound(flat.query, Deadline()).nominal);
  }
  // Too rare to be met in a few trials.
  if (kSanitizerShare == 1) {
    EXPECT_GT(specialised, 5);
  }
}

}  // namespace
}  // namespace boundflow
