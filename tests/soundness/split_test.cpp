// Subproblems that differ in splits of neurons: at every point that lies on the sides of the splits the row is at least
// what was bounded, with whatever slopes and multipliers; and the gradients are those of the bounds.
#include <gtest/gtest.h>
#include <tbb/task_arena.h>

#include "exec/native/native_executor.hpp"
#include "support/layer_stack.hpp"
#include "support/split_case.hpp"

namespace boundflow {
namespace {

using Case = SplitCase;

struct Setting {
  const char* name;
  std::shared_ptr<const Executor> (*executor)();
  Semantics semantics;
};

std::shared_ptr<const Executor> float32() {
  return make_native_executor(Precision::Float32);
}
std::shared_ptr<const Executor> float64() {
  return make_native_executor(Precision::Float64);
}

class Splits : public testing::TestWithParam<Setting> {};

TEST_P(Splits, BoundsHoldAtPointsOnTheirSides) {
  std::int64_t checked = 0, split = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Case test(seed, GetParam().executor(), GetParam().semantics);
    if (!test.splits) continue;
    const QueryEngine exact(test.network, make_native_executor(Precision::Float64), {});
    Random random(seed + 1000);
    if (random.coin()) test.splits->refine({.effort = {.steps = 4}}, {Deadline()});
    for (const int steps : {0, 1, 6}) {
      std::vector<std::vector<double>> points;
      std::vector<SplitSubproblem> subproblems;
      for (int k = 0; k < 5; ++k) {
        points.push_back(test.point(random));
        subproblems.push_back(test.around(points.back(), random));
      }
      std::vector<SplitSubproblem*> pointers;
      for (SplitSubproblem& s : subproblems) pointers.push_back(&s);
      std::vector<SplitAnswer> answers;
      ASSERT_TRUE(test.splits->bound(test.spec, pointers, {.steps = steps, .stop_above_zero = random.coin()},
                                     Deadline(), answers));
      for (std::size_t k = 0; k < points.size(); ++k) {
        const double value = test.value(subproblems[k].row, points[k], exact);
        ASSERT_LE(answers[k].nominal - answers[k].error, value + slack(value)) << "seed " << seed << " steps " << steps;
        ++checked;
        split += std::ssize(subproblems[k].splits);
        // What was left in the subproblem is as good as the answer, but for the rounding of slopes.
        for (const NeuronSplit& s : subproblems[k].splits) EXPECT_GE(s.multiplier, 0);
      }
    }
  }
  EXPECT_GT(checked, 500);
  EXPECT_GT(split, 1000);
}

// Rows that a point violates, by little: what is left of any subproblem around the point holds it, at the input and at
// every other value, and the row's bound holds there.
TEST_P(Splits, NarrowingKeepsWhatViolates) {
  std::int64_t clipped = 0, contracted = 0, halves = 0, empty = 0;
  for (std::uint64_t seed = 0; seed < 120; ++seed) {
    Case test(seed, GetParam().executor(), GetParam().semantics);
    if (!test.splits) continue;
    const QueryEngine exact(test.network, make_native_executor(Precision::Float64), {});
    Random random(seed + 2000);
    const std::vector<double> point = test.point(random);
    for (std::int32_t row = 0; row < 3; ++row) {
      const double value = test.value(row, point, exact);
      const double margin = random.coin() ? slack(value) : random.uniform(0, 0.1) + slack(value);
      test.spec.constants[static_cast<std::size_t>(row)] -= value + margin;
    }
    const std::vector<std::int32_t> rows = {0, 1, 2};
    const std::span<const std::int32_t> violated =
        std::span(rows).first(static_cast<std::size_t>(random.integer(1, 3)));
    SplitSubproblem subproblem = test.around(point, random);
    subproblem.row = violated.back();
    subproblem.violated = violated;
    const auto inside = [&](const InputBox& box) {
      for (std::size_t i = 0; i < point.size(); ++i) {
        if (!(box.lower[i] <= point[i] && point[i] <= box.upper[i])) return false;
      }
      return true;
    };
    // More and more of the box is gone as it is bounded again.
    SplitSubproblem* const pointer = &subproblem;
    for (const int steps : {0, 1, 4, 8}) {
      std::vector<SplitAnswer> answers;
      ASSERT_TRUE(test.splits->bound(test.spec, {&pointer, 1}, {.steps = steps, .stop_above_zero = false}, Deadline(),
                                     answers));
      ASSERT_FALSE(answers[0].empty) << "seed " << seed << " steps " << steps;
      const double value = test.value(subproblem.row, point, exact);
      ASSERT_LE(answers[0].nominal - answers[0].error, value + slack(value)) << "seed " << seed;
      if (!subproblem.box) continue;
      ASSERT_TRUE(inside(*subproblem.box)) << "seed " << seed << " steps " << steps;
      ++clipped;
    }
    const std::vector<NeuronRange> at_point = test.splits->ranges_at(point, Deadline());
    std::vector<SplitPoint> places;
    for (std::size_t i = 0; i < at_point.size(); ++i) {
      places.push_back({static_cast<std::int32_t>(i), static_cast<float>(random.coin() ? 0 : random.uniform(-1, 1))});
    }
    const std::vector<Narrowed> narrowed = test.splits->narrow_halves(test.spec, subproblem, places, Deadline());
    for (std::size_t i = 0; i < narrowed.size() / 2; ++i) {
      for (const bool above : {false, true}) {
        const bool is_empty = narrowed[2 * i + static_cast<std::size_t>(above)].empty;
        empty += is_empty ? 1 : 0;
        ++halves;
        if (!at_point[i].fulfils(side_of(places[i], !above))) {
          ASSERT_FALSE(is_empty) << "seed " << seed << " neuron " << i;
        }
      }
    }
    const Contraction* contraction = test.engine->split_programs().contraction.get();
    if (contraction == nullptr) continue;
    const ContractionBase base = contraction->base(test.splits->given());
    ValueBounds bounds = base.bounds;
    const ValueBounds before = bounds;
    ASSERT_TRUE(contraction->contract(base, test.spec, violated, bounds)) << "seed " << seed;
    const SplitEngine at(test.engine, {point, point}, Semantics::Real, Deadline());
    for (std::size_t v = 0; v < at.given().size(); ++v) {
      const std::int64_t offset = contraction->offset(static_cast<ValueId>(v));
      for (std::size_t i = 0; i < at.given()[v].lower.size() && offset >= 0; ++i) {
        const std::size_t k = static_cast<std::size_t>(offset) + i;
        ASSERT_LE(bounds.lower[k], at.given()[v].upper[i]) << "seed " << seed << " value " << v;
        ASSERT_GE(bounds.upper[k], at.given()[v].lower[i]) << "seed " << seed << " value " << v;
        contracted += bounds.lower[k] > before.lower[k] || bounds.upper[k] < before.upper[k] ? 1 : 0;
      }
    }
  }
  EXPECT_GT(clipped, 30);
  EXPECT_GT(contracted, 200);
  EXPECT_GT(halves, 500);
  EXPECT_GT(empty, 20);
}

// An activation that reads the input is split there, which moves the corner that distances are measured from; with a
// product in the network, which is not contracted, nothing else narrows the box by the split.
TEST_P(Splits, ClippingMeasuresFromWhatSplitsOfTheInputLeave) {
  for (const bool contracted : {false, true}) {
    LayerStack stack;
    const ValueId r = stack.node("Relu", {stack.input({1, 2})});
    ValueId y = stack.dense(r, {1, 0, -1, 0}, {-0.5F, 0.2F});
    if (!contracted) {
      const ValueId a = stack.dense(r, {1e-3F, 1e-3F, 0, 1e-3F}, {0, 0});
      y = stack.node("Add", {y, stack.node("Mul", {a, stack.dense(r, {0, 1e-3F, 1e-3F, 0}, {0, 0})})});
    }
    const auto network = std::make_shared<const Network>(run_passes(stack.finish(y), operator_table()));
    const auto engine =
        std::make_shared<const QueryEngine>(network, GetParam().executor(), QueryEngine::Options{.splits = true});
    ASSERT_EQ(engine->split_programs().contraction != nullptr, contracted);
    const SplitEngine splits(engine, {{-1, -1}, {1, 1}}, GetParam().semantics, Deadline());
    LinearSpec spec;
    spec.rows = spec.inputs = spec.outputs = 2;
    spec.output_coefficients = {1, 0, 0, 1};
    spec.output_coefficient_errors.assign(4, 0);
    spec.constants = spec.constant_errors = {0, 0};
    // x_0 = 0.3 violates both rows; below zero nothing violates the second.
    for (const std::vector<std::int32_t>& violated : {std::vector<std::int32_t>{0, 1}, {0}, {1}}) {
      for (const std::int32_t row : violated) {
        for (const int steps : {0, 1, 8}) {
          SplitSubproblem half;
          half.row = row;
          half.violated = violated;
          half.splits = {side_of({0, 0}, true)};
          SplitSubproblem* const pointer = &half;
          std::vector<SplitAnswer> answers;
          ASSERT_TRUE(splits.bound(spec, {&pointer, 1}, {.steps = steps}, Deadline(), answers));
          EXPECT_FALSE(answers[0].empty) << "row " << row << " of " << violated.size() << ", steps " << steps;
          EXPECT_LE(sound_bound(answers[0]), row == 0 ? -0.2 + 1e-5 : -0.1 + 1e-5);
          if (!half.box) continue;
          EXPECT_LE(half.box->lower[0], 0.3);
          EXPECT_GE(half.box->upper[0], 0.3);
        }
      }
    }
  }
}

// What a workspace was used for before makes no difference.
TEST_P(Splits, AnswersDoNotDependOnEarlierQueries) {
  int compared = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const Case used(seed, GetParam().executor(), GetParam().semantics);
    if (!used.splits) continue;
    Random random(seed + 9000);
    for (int query = 0; query < 6; ++query) {
      std::vector<SplitSubproblem> subproblems;
      const std::int64_t count = random.integer(1, 5);
      for (std::int64_t k = 0; k < count; ++k) subproblems.push_back(used.around(used.point(random), random));
      std::vector<SplitSubproblem> again = subproblems;
      const SplitEffort effort{.steps = static_cast<int>(random.integer(0, 4)),
                               .candidates = random.coin(),
                               .minimizers = random.coin(),
                               .stop_above_zero = random.coin()};
      const Case fresh(seed, GetParam().executor(), GetParam().semantics);
      const auto bound = [&](const Case& test, std::vector<SplitSubproblem>& of) {
        std::vector<SplitSubproblem*> pointers;
        for (SplitSubproblem& s : of) pointers.push_back(&s);
        std::vector<SplitAnswer> answers;
        EXPECT_TRUE(test.splits->bound(test.spec, pointers, effort, Deadline(), answers));
        return answers;
      };
      const std::vector<SplitAnswer> one = bound(used, subproblems), other = bound(fresh, again);
      for (std::size_t k = 0; k < one.size(); ++k) {
        ASSERT_EQ(one[k].empty, other[k].empty);
        ASSERT_EQ(one[k].nominal, other[k].nominal) << "seed " << seed << " query " << query;
        ASSERT_EQ(one[k].error, other[k].error);
        ASSERT_EQ(one[k].minimizer, other[k].minimizer);
        ASSERT_EQ(one[k].outputs, other[k].outputs);
        ASSERT_EQ(one[k].candidates.size(), other[k].candidates.size());
        for (std::size_t c = 0; c < one[k].candidates.size(); ++c) {
          ASSERT_EQ(one[k].candidates[c].neuron, other[k].candidates[c].neuron);
        }
        for (std::size_t s = 0; s < again[k].splits.size(); ++s) {
          ASSERT_EQ(subproblems[k].splits[s].multiplier, again[k].splits[s].multiplier);
        }
        ASSERT_EQ(subproblems[k].slopes == nullptr, again[k].slopes == nullptr);
        if (again[k].slopes) ASSERT_EQ(*subproblems[k].slopes, *again[k].slopes);
        ++compared;
      }
    }
  }
  EXPECT_GT(compared, 300);
}

TEST_P(Splits, RefinedBoundsHoldAndAreTighter) {
  std::int64_t better = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const Case test(seed, GetParam().executor(), GetParam().semantics);
    if (!test.splits) continue;
    const std::vector<GivenValue> before(test.splits->given().begin(), test.splits->given().end());
    const int splits = seed / 4 % 2 == 0 ? 0 : 6;  // some of each kind of network
    better +=
        test.splits->refine({.effort = {.steps = 6}, .splits = splits, .split_effort = {.steps = 6}}, {Deadline()});
    Random random(seed);
    for (std::size_t v = 0; v < before.size(); ++v) {
      const GivenValue& after = test.splits->given()[v];
      for (std::size_t i = 0; i < before[v].lower.size(); ++i) {
        ASSERT_LE(before[v].lower[i], after.lower[i]);
        ASSERT_GE(before[v].upper[i], after.upper[i]);
      }
    }
    for (int k = 0; k < 10; ++k) {
      const std::vector<double> point = test.point(random);
      const SplitEngine at(test.engine, {point, point}, Semantics::Real, Deadline());
      for (std::size_t v = 0; v < before.size(); ++v) {
        const GivenValue& known = test.splits->given()[v];
        for (std::size_t i = 0; i < known.lower.size(); ++i) {
          // Bounds over the point alone hold its value, so that an empty intersection shows a wrong bound.
          ASSERT_LE(known.lower[i], at.given()[v].upper[i]) << "seed " << seed << " value " << v;
          ASSERT_GE(known.upper[i], at.given()[v].lower[i]) << "seed " << seed << " value " << v;
        }
      }
    }
  }
  EXPECT_GT(better, 20);
}

// A bounder within some splits knows more, of the points on their sides.
TEST_P(Splits, BoundsRefinedWithinSplitsHold) {
  std::int64_t better = 0, checked = 0, empty = 0;
  for (std::uint64_t seed = 0; seed < 120; ++seed) {
    const Case test(seed, GetParam().executor(), GetParam().semantics);
    if (!test.splits) continue;
    const QueryEngine exact(test.network, make_native_executor(Precision::Float64), {});
    Random random(seed + 5000);
    const std::vector<double> inside = test.point(random);
    const std::vector<NeuronSplit> assumed = test.around(inside, random).splits;
    const std::unique_ptr<SplitBounder> bounder = test.splits->within(assumed);
    auto& within = dynamic_cast<SplitEngine&>(*bounder);
    better += within.refine({.effort = {.steps = 6}, .splits = seed % 2 == 0 ? 0 : 6, .split_effort = {.steps = 6}},
                            {Deadline()});
    for (int k = 0; k < 12; ++k) {
      const std::vector<double> point = k == 0 ? inside : test.point(random);
      const std::vector<NeuronRange> ranges = test.splits->ranges_at(point, Deadline());
      const bool on_their_sides = std::all_of(assumed.begin(), assumed.end(), [&](const NeuronSplit& split) {
        return ranges[static_cast<std::size_t>(split.neuron)].fulfils(split);
      });
      if (!on_their_sides) continue;
      const SplitEngine at(test.engine, {point, point}, Semantics::Real, Deadline());
      for (std::size_t v = 0; v < within.given().size(); ++v) {
        const GivenValue& known = within.given()[v];
        for (std::size_t i = 0; i < known.lower.size(); ++i) {
          ASSERT_LE(known.lower[i], at.given()[v].upper[i]) << "seed " << seed << " value " << v;
          ASSERT_GE(known.upper[i], at.given()[v].lower[i]) << "seed " << seed << " value " << v;
        }
      }
      SplitSubproblem subproblem = test.around(point, random);
      subproblem.slopes = nullptr;
      subproblem.splits.insert(subproblem.splits.begin(), assumed.begin(), assumed.end());
      SplitSubproblem* const one[] = {&subproblem};
      std::vector<SplitAnswer> answers;
      ASSERT_TRUE(within.bound(test.spec, one, {.steps = 4, .stop_above_zero = false}, Deadline(), answers));
      const double value = test.value(subproblem.row, point, exact);
      ASSERT_FALSE(answers[0].empty) << "seed " << seed;
      ASSERT_LE(answers[0].nominal - answers[0].error, value + slack(value)) << "seed " << seed;
      ++checked;
      // Where no trajectory of the scope is, nothing is left.
      if (assumed.empty()) continue;
      NeuronSplit other = assumed.front();
      other.above = !other.above;
      other.point += other.above ? 0.5F : -0.5F;
      subproblem.splits.push_back(other);
      ASSERT_TRUE(within.bound(test.spec, one, {}, Deadline(), answers));
      EXPECT_TRUE(answers[0].empty);
      ++empty;
    }
  }
  EXPECT_GT(better, 20);
  EXPECT_GT(checked, 100);
  EXPECT_GT(empty, 50);
}

// As many visits as are allowed give the same bounds with any number of threads; more of them none that are looser.
TEST_P(Splits, RefinementUpToACountIsTheSameForAllThreads) {
  std::vector<std::int64_t> better(3, 0);
  for (std::uint64_t seed = 0; seed < 15; ++seed) {
    const std::vector<std::int64_t> allowed = {0, 2'000, 2'000'000};
    for (std::size_t k = 0; k < allowed.size(); ++k) {
      std::vector<GivenValue> first;
      for (const int threads : {1, 4}) {
        const Case test(seed, GetParam().executor(), GetParam().semantics);
        if (!test.splits) continue;
        const Deadline far(1000);  // a share of it must not matter
        tbb::task_arena arena(threads);
        arena.execute([&] {
          better[k] += test.splits->refine({.effort = {.steps = 6}, .splits = 6, .split_effort = {.steps = 3}},
                                           {far, allowed[k]});
        });
        if (threads == 1) {
          first.assign(test.splits->given().begin(), test.splits->given().end());
          continue;
        }
        for (std::size_t v = 0; v < first.size(); ++v) {
          EXPECT_EQ(first[v].lower, test.splits->given()[v].lower) << "seed " << seed;
          EXPECT_EQ(first[v].upper, test.splits->given()[v].upper) << "seed " << seed;
        }
      }
    }
  }
  EXPECT_EQ(better[0], 0);
  EXPECT_GT(better[1], 0);
  EXPECT_GT(better[2], better[1]);
}

TEST_P(Splits, RefinementWithoutMemorySplitsNothing) {
  std::int64_t tighter = 0;
  for (std::uint64_t seed = 0; seed < 15; ++seed) {
    std::vector<std::vector<GivenValue>> given;
    for (const std::int64_t memory : {std::int64_t{0}, std::int64_t{1} << 30}) {
      for (const int splits : {0, 6}) {
        const Case test(seed, GetParam().executor(), GetParam().semantics);
        if (!test.splits) continue;
        const Deadline never;
        test.splits->refine({.effort = {.steps = 6}, .splits = splits, .split_effort = {.steps = 3}},
                            {.until = never, .memory_bytes = memory});
        given.emplace_back(test.splits->given().begin(), test.splits->given().end());
      }
    }
    for (std::size_t v = 0; !given.empty() && v < given[0].size(); ++v) {
      EXPECT_EQ(given[0][v].lower, given[1][v].lower) << "seed " << seed;
      EXPECT_EQ(given[0][v].upper, given[1][v].upper) << "seed " << seed;
      tighter += given[2][v].lower == given[3][v].lower ? 0 : 1;
    }
  }
  EXPECT_GT(tighter, 0);
}

TEST_P(Splits, StepsMakeBoundsBetter) {
  std::int64_t better = 0, all = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const Case test(seed, GetParam().executor(), GetParam().semantics);
    if (!test.splits || test.splits->choices() == 0) continue;
    Random random(seed);
    SplitSubproblem plain = test.around(test.point(random), random);
    for (NeuronSplit& s : plain.splits) s.multiplier = 0;
    SplitSubproblem improved = plain;
    std::vector<SplitAnswer> before, after, again;
    SplitSubproblem* pointer = &plain;
    ASSERT_TRUE(test.splits->bound(test.spec, {&pointer, 1}, {}, Deadline(), before));
    pointer = &improved;
    const SplitEffort effort{.steps = 12, .stop_above_zero = false};
    ASSERT_TRUE(test.splits->bound(test.spec, {&pointer, 1}, effort, Deadline(), after));
    EXPECT_GE(after[0].nominal - after[0].error, before[0].nominal - before[0].error);
    better += after[0].nominal > before[0].nominal ? 1 : 0;
    ++all;
    // The slopes and multipliers that it left give the bound again, but for slopes in steps of 1/255.
    ASSERT_TRUE(test.splits->bound(test.spec, {&pointer, 1}, {}, Deadline(), again));
    EXPECT_GE(again[0].nominal, before[0].nominal - 0.05 * (after[0].nominal - before[0].nominal) - 1e-4);
  }
  EXPECT_GT(better, all / 3);
}

INSTANTIATE_TEST_SUITE_P(, Splits,
                         testing::Values(Setting{"float32", float32, Semantics::Float32},
                                         Setting{"float64", float64, Semantics::Real}),
                         [](const auto& info) { return std::string(info.param.name); });

// An execution of a smooth activation may be off by its deployed error, whichever lines are chosen.
TEST(SplitExecutions, OfSmoothActivationsCount) {
  for (const char* op : {"Sigmoid", "Tanh"}) {
    LayerStack stack;
    const ValueId x = stack.dense(stack.input({1, 1}), {1}, {0});
    const Network built = stack.finish(stack.dense(stack.node(op, {x}), {1}, {0}));
    const auto network = std::make_shared<const Network>(run_passes(built, operator_table()));
    const auto engine = std::make_shared<const QueryEngine>(network, float32(), QueryEngine::Options{.splits = true});
    LinearSpec spec{.rows = 1, .inputs = 1, .outputs = 1};
    spec.output_coefficients = {1};
    spec.output_coefficient_errors = spec.constants = spec.constant_errors = {0};
    const double l = -0.5, u = -0.499;
    const SplitEngine splits(engine, {{l}, {u}}, Semantics::Float32, Deadline());
    SplitSubproblem subproblem;
    subproblem.splits.push_back({.neuron = 0, .above = true, .multiplier = 0, .point = -0.5F});
    SplitSubproblem* const pointer = &subproblem;
    std::vector<SplitAnswer> answers;
    ASSERT_TRUE(splits.bound(spec, {&pointer, 1}, {.steps = 4, .stop_above_zero = false}, Deadline(), answers));
    const double value = op == std::string("Tanh") ? std::tanh(l) : 1 / (1 + std::exp(-l));
    // 8 ulp of the value and 2^-22.
    const double deployed = 0x1p-20 * std::fabs(value) + 0x1p-22;
    EXPECT_LE(answers[0].nominal - answers[0].error, value - deployed) << op;
    EXPECT_GE(answers[0].nominal - answers[0].error, value - 3 * deployed) << op;
  }
}

// By finite differences in double: where the two one-sided ones agree, the bound has a derivative, and it is this one.
TEST(SplitGradients, AreThoseOfTheBound) {
  std::int64_t checked = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Case test(seed, float64(), Semantics::Nominal);
    if (!test.splits || test.splits->choices() == 0) continue;
    Random random(seed);
    SplitSubproblem subproblem = test.around(test.point(random), random);
    std::vector<std::uint8_t> slopes;
    for (std::int64_t k = 0; k < test.splits->choices(); ++k) {
      slopes.push_back(static_cast<std::uint8_t>(random.integer(1, 254)));
    }
    const auto bound = [&](const std::vector<std::uint8_t>& of, const std::vector<NeuronSplit>& splits) {
      SplitSubproblem moved = subproblem;
      moved.slopes = std::make_shared<const std::vector<std::uint8_t>>(of);
      moved.splits = splits;
      return test.splits->gradients(test.spec, moved, Deadline());
    };
    const auto here = bound(slopes, subproblem.splits);
    ASSERT_TRUE(here.complete);
    const auto check = [&](double gradient, double below, double above, double step, const char* what) {
      const double left = (here.answer.nominal - below) / step, right = (above - here.answer.nominal) / step;
      if (std::fabs(left - right) > 1e-4 * (1e-3 + std::fabs(left))) return;
      EXPECT_NEAR(gradient, left, 1e-3 * (1e-2 + std::fabs(left))) << what << " seed " << seed;
      checked += left != 0 ? 1 : 0;
    };
    for (std::size_t k = 0; k < std::min<std::size_t>(slopes.size(), 20); ++k) {
      std::vector<std::uint8_t> below = slopes, above = slopes;
      --below[k];
      ++above[k];
      check(static_cast<double>(here.slopes[k]), bound(below, subproblem.splits).answer.nominal,
            bound(above, subproblem.splits).answer.nominal, 1.0 / 255, "slope");
    }
    for (std::size_t s = 0; s < std::min<std::size_t>(subproblem.splits.size(), 10); ++s) {
      constexpr float kStep = 1.0F / 1024;
      std::vector<NeuronSplit> at = subproblem.splits, below = at, above = at;
      if (at[s].multiplier < kStep) continue;
      below[s].multiplier -= kStep;
      above[s].multiplier += kStep;
      check(static_cast<double>(here.multipliers[s]), bound(slopes, below).answer.nominal,
            bound(slopes, above).answer.nominal, static_cast<double>(kStep), "multiplier");
    }
  }
  EXPECT_GT(checked, 200);
}

}  // namespace
}  // namespace boundflow
