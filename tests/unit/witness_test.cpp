#include "check/witness.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "frontends/vnnlib/vnnlib.hpp"
#include "support/verify_case.hpp"

namespace boundflow {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

Rational decimal(const std::string& text) {
  return parse_decimal(text).value();
}

OnnxModel identity(int inputs = 1) {
  std::vector<float> weights(static_cast<std::size_t>(inputs * inputs), 0.0F);
  for (int i = 0; i < inputs; ++i) weights[static_cast<std::size_t>(i * inputs + i)] = 1;
  return dense_model(inputs, {{weights, std::vector<float>(static_cast<std::size_t>(inputs), 0.0F), false}});
}

struct Replay {
  ReplayResult result;
  Witness witness;
};

// Replays `point` on the only region of the property.
Replay replay(const OnnxModel& model, const std::string& assertions, const std::vector<double>& point) {
  const auto network = std::make_shared<const Network>(model.import());
  const std::int64_t inputs = network->size_of(network->input());
  const std::int64_t outputs = network->size_of(network->output());
  const std::string text = declarations(static_cast<int>(inputs), static_cast<int>(outputs)) + assertions;
  const Property property = parse_vnnlib(text, "p.vnnlib", inputs, outputs);
  Replay replay;
  // What no point can violate may have no region at all.
  if (property.regions.empty()) return {ReplayResult::Refuted, {}};
  EXPECT_EQ(property.regions.size(), 1u);
  replay.result =
      WitnessReplayer(network, operator_table()).replay(property.regions.at(0), point, replay.witness, Deadline());
  return replay;
}

TEST(Witness, TheNearestFloatInsideTheBoxIsChosen) {
  const std::string atom = "(assert (>= Y_0 -5))";
  struct Case {
    const char* lower;
    const char* upper;
    double point;
    float expected;
  };
  const Case cases[] = {
      {"0", "1", 0.3, 0.3F},
      {"0", "1", 7, 1},
      {"0", "1", -7, 0},
      {"0", "1", kNaN, 0},
      {"0.5", "1", -kInf, 0.5F},
      {"0.1", "1", 0, 0.1F},                        // fl(0.1) > 0.1
      {"0", "0.1", 1, std::nextafter(0.1F, 0.0F)},  // so it is outside here
      {"0.7", "1", 0, std::nextafter(0.7F, 1.0F)},  // fl(0.7) < 0.7
      {"0", "0.7", 1, 0.7F},
      {"-1e-50", "1", -1, -0.0F},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(std::string(c.lower) + " " + c.upper);
    const Replay found = replay(identity(), input_bounds(0, c.lower, c.upper) + atom, {c.point});
    EXPECT_EQ(found.result, ReplayResult::Violated);
    ASSERT_EQ(found.witness.input.size(), 1u);
    EXPECT_EQ(found.witness.input[0], Rational(c.expected));
    EXPECT_EQ(found.witness.output, std::vector<double>{c.expected});
  }
}

TEST(Witness, PinnedDecimalsStayDecimals) {
  const Replay found = replay(identity(), input_bounds(0, "0.1", "0.1") + "(assert (>= Y_0 0.0999))", {0.1});
  EXPECT_EQ(found.result, ReplayResult::Violated);
  EXPECT_EQ(found.witness.input.at(0), decimal("0.1"));
  EXPECT_EQ(found.witness.output.at(0), static_cast<double>(0.1F));  // it runs as its nearest float
}

TEST(Witness, NarrowBoxesWithoutAFloatGiveTheNearerEnd) {
  const std::string box = input_bounds(0, "0.3000000001", "0.3000000002");
  EXPECT_EQ(replay(identity(), box + "(assert (>= Y_0 0.2))", {0}).witness.input.at(0), decimal("0.3000000001"));
  EXPECT_EQ(replay(identity(), box + "(assert (>= Y_0 0.2))", {1}).witness.input.at(0), decimal("0.3000000002"));
}

// The violation must hold at the decimal and at its float32.
TEST(Witness, TheHullOfDecimalAndFloatDecides) {
  const std::string box = input_bounds(0, "0.1", "0.1");
  EXPECT_EQ(replay(identity(), box + "(assert (> Y_0 0.1))", {0.1}).result, ReplayResult::Refuted);
  EXPECT_EQ(replay(identity(), box + "(assert (<= Y_0 0.1))", {0.1}).result, ReplayResult::Refuted);
  EXPECT_EQ(replay(identity(), box + "(assert (<= Y_0 0.1000001))", {0.1}).result, ReplayResult::Violated);
}

TEST(Witness, StrictAtomsAreDecidedOnDecimals) {
  const std::string pinned = input_bounds(0, "0.5", "0.5");
  EXPECT_EQ(replay(identity(), pinned + "(assert (or (< X_0 0.5)))", {0.5}).result, ReplayResult::Refuted);
  EXPECT_EQ(replay(identity(), pinned + "(assert (or (<= X_0 0.5)))", {0.5}).result, ReplayResult::Violated);
  const std::string box = input_bounds(0, "0", "1");
  // The excluded end belongs to the closed box; a point there is no witness, one below it is.
  EXPECT_EQ(replay(identity(), box + "(assert (< X_0 0.5))(assert (>= Y_0 0.1))", {0.5}).result, ReplayResult::Refuted);
  EXPECT_EQ(replay(identity(), box + "(assert (< X_0 0.5))(assert (>= Y_0 0.1))", {0.25}).result,
            ReplayResult::Violated);
  const std::string decimals = input_bounds(0, "0.1", "0.1") + input_bounds(1, "0.2", "0.2");
  EXPECT_EQ(replay(identity(2), decimals + "(assert (or (> (+ X_0 X_1) 0.3)))", {0.1, 0.2}).result,
            ReplayResult::Refuted);
  EXPECT_EQ(replay(identity(2), decimals + "(assert (or (> (+ X_0 X_1) 0.29999)))", {0.1, 0.2}).result,
            ReplayResult::Violated);
}

TEST(Witness, AViolationOfTheRealsThatNoExecutionShows) {
  // y = (x + 2^25) - 2^25: 1 over the reals, 0 in float32.
  OnnxModel model;
  model.input("x", {1, 1});
  model.floats("plus", {1, 1}, {0x1p25F});
  model.node("Add", "up", {"x", "plus"}, {"s"});
  model.node("Sub", "down", {"s", "plus"}, {"y"});
  model.output("y", {1, 1});
  const std::string box = input_bounds(0, "0", "1");
  EXPECT_EQ(replay(model, box + "(assert (>= Y_0 0.5))", {1}).result, ReplayResult::ViolatedInRealsOnly);
  EXPECT_EQ(replay(model, box + "(assert (<= Y_0 0.5))", {1}).result, ReplayResult::Refuted);
}

// s - s with s beyond float32: 0 over the reals, NaN in an execution.
TEST(Witness, AnOutputThatIsNoNumberShowsNothing) {
  OnnxModel model;
  model.input("x", {1, 1});
  model.floats("W", {1, 1}, {3e38F});
  model.node("Gemm", "scale", {"x", "W"}, {"a"});
  model.node("Add", "twice", {"a", "a"}, {"s"});
  model.node("Sub", "difference", {"s", "s"}, {"y"});
  model.output("y", {1, 1});
  const Replay found = replay(model, input_bounds(0, "1", "1") + "(assert (>= Y_0 -1e30))", {1});
  EXPECT_EQ(found.result, ReplayResult::ViolatedInRealsOnly);
  EXPECT_TRUE(std::isnan(found.witness.output.at(0)));
  EXPECT_EQ(replay(model, input_bounds(0, "1", "1") + "(assert (>= Y_0 1e30))", {1}).result, ReplayResult::Refuted);
}

Atom output_at_most(std::int64_t output, int bound, bool strict = false) {
  Atom atom;
  atom.outputs = {{output, Rational(1)}};
  atom.constant = -bound;
  atom.strict = strict;
  return atom;
}

TEST(Proved, AtomsAreDecidedAtTheWorstEndOfTheEnclosure) {
  const Enclosure outputs{{-1, 2}, {1, 3}};
  const auto holds = [&](Atom atom) { return proved({{std::move(atom)}, {}}, {}, {}, outputs); };
  EXPECT_TRUE(holds(output_at_most(0, 1)));
  EXPECT_FALSE(holds(output_at_most(0, 1, true)));
  EXPECT_FALSE(holds(output_at_most(0, 0)));
  EXPECT_TRUE(holds(output_at_most(1, 4, true)));
  Atom negative;  // -y_1 + 2 <= 0
  negative.outputs = {{1, Rational(-1)}};
  negative.constant = 2;
  EXPECT_TRUE(holds(negative));
  negative.strict = true;
  EXPECT_FALSE(holds(negative));
}

TEST(Proved, NotANumberAndInfinityProveNothing) {
  for (const double bad : {kNaN, kInf, -kInf}) {
    const Enclosure outputs{{bad}, {bad}};
    EXPECT_FALSE(proved({{output_at_most(0, 100)}, {}}, {}, {}, outputs)) << bad;
    Atom negative;
    negative.outputs = {{0, Rational(-1)}};
    negative.constant = -100;
    EXPECT_FALSE(proved({{negative}, {}}, {}, {}, outputs)) << bad;
  }
}

TEST(Proved, EveryChoiceNeedsOneProvedOption) {
  const Enclosure outputs{{0, 0}, {0, 0}};
  const Clause yes{{output_at_most(0, 1)}, {}};
  const Clause no{{output_at_most(0, -1)}, {}};
  const auto holds = [&](std::vector<std::vector<Clause>> choices) {
    return proved({{output_at_most(1, 1)}, std::move(choices)}, {}, {}, outputs);
  };
  EXPECT_TRUE(holds({{no, yes}}));
  EXPECT_FALSE(holds({{no, no}}));
  EXPECT_FALSE(holds({{yes}, {no}}));
  EXPECT_TRUE(holds({{yes}, {no, yes}}));
  EXPECT_FALSE(holds({{}}));  // an empty disjunction is false
  const Clause nested{{}, {{no, yes}}};
  EXPECT_TRUE(holds({{nested}}));
  EXPECT_TRUE(proved({}, {}, {}, outputs));  // an empty conjunction is true
}

TEST(Proved, InputAtomsHoldAtBothEndsOfTheHull) {
  Atom atom;  // x_0 - 1/2 <= 0
  atom.inputs = {{0, Rational(1)}};
  atom.constant = Rational(-1, 2);
  const Clause clause{{atom}, {}};
  const std::vector<Rational> inside{Rational(1, 2)};
  const std::vector<Rational> outside{Rational(3, 4)};
  EXPECT_TRUE(proved(clause, inside, inside, {}));
  EXPECT_FALSE(proved(clause, inside, outside, {}));
  EXPECT_FALSE(proved(clause, outside, inside, {}));
}

}  // namespace
}  // namespace boundflow
