// verify() against brute force on random tiny networks: a witness is checked in rationals, a proof at every point of a
// grid. With an observer, no bound may exclude it and no subproblem that holds it may be dropped.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <iostream>
#include <map>

#include "api/observation.hpp"
#include "engine/query_engine.hpp"
#include "engine/split_engine.hpp"
#include "exec/native/native_executor.hpp"
#include "frontends/vnnlib/vnnlib.hpp"
#include "passes/passes.hpp"
#include "search/search.hpp"
#include "support/npy_bytes.hpp"
#include "support/random_case.hpp"
#include "support/sanitized_time.hpp"

namespace boundflow {
namespace {

void check_witness(const RandomCase& c, const Counterexample& witness) {
  std::vector<Rational> x;
  for (const std::string& text : witness.input) {
    x.push_back(parse_decimal(text).value());
    EXPECT_LE(abs(x.back()), 1) << "outside the box";
  }
  ASSERT_EQ(x.size(), static_cast<std::size_t>(c.network.inputs));
  EXPECT_TRUE(c.formula.holds(x, c.network.evaluate(x))) << "the witness does not violate the property";
  ASSERT_EQ(witness.output.size(), static_cast<std::size_t>(c.network.outputs));
}

class Branching : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(, Branching, testing::Values("input", "activation", "auto"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(Branching, VerdictsOfRandomCasesAreRight) {
  constexpr int kCases = 300;
  std::map<std::string, int> counts;
  std::string undecided;
  for (int seed = 0; seed < kCases; ++seed) {
    const RandomCase c(static_cast<std::uint64_t>(seed));
    SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + c.property());
    Options options;
    options.timeout = 2 * kSanitizedTime;
    options.threads = 1;
    options.branching = GetParam();
    const VerifyResult result = verify_case(c.network.model(), c.property(), options);
    ++counts[result.verdict];
    if (result.verdict == "unknown" || result.verdict == "timeout") undecided += " " + std::to_string(seed);
    if (result.verdict == "sat") check_witness(c, result.counterexample);
    if (result.verdict == "unsat") {
      for (const std::vector<double>& point : c.points) {
        ASSERT_FALSE(c.violated_at(point)) << "a proof in spite of " << testing::PrintToString(point);
      }
    }
  }
  for (const auto& [verdict, count] : counts) std::cout << verdict << " " << count << "  ";
  std::cout << " undecided seeds:" << undecided << "\n";
  EXPECT_GT(counts["sat"], kCases / 5);
  EXPECT_GT(counts["unsat"], kCases / 5);
  // Properties that hold or fail by a hair (thresholds on attained values, strict) cannot be decided.
  EXPECT_LT(counts["unknown"] + counts["timeout"], kCases / 6);
}

// A formula in conjunctive normal form as a network: y0 = sum of relu(1 - clause's literals), y1 = sum of
// relu(x) - relu(2 x - 1), so that both are at most zero exactly at the inputs of zeros and ones that satisfy it.
struct Formula {
  static constexpr int kVariables = 10;
  explicit Formula(Random& random) {
    const std::int64_t count = random.integer(35, 65);
    for (std::int64_t k = 0; k < count; ++k) {
      std::map<int, bool> clause;
      while (clause.size() < 3) clause[static_cast<int>(random.integer(0, kVariables - 1))] = random.coin();
      clauses.push_back(clause);
    }
  }
  bool satisfiable() const {
    for (unsigned assignment = 0; assignment < 1U << kVariables; ++assignment) {
      const auto holds = [&](const std::map<int, bool>& clause) {
        return std::any_of(clause.begin(), clause.end(), [&](const auto& literal) {
          return (((assignment >> literal.first) & 1U) != 0) == literal.second;
        });
      };
      if (std::all_of(clauses.begin(), clauses.end(), holds)) return true;
    }
    return false;
  }
  OnnxModel model() const {
    const std::size_t hidden = clauses.size() + 2 * kVariables;
    DenseLayer first{std::vector<float>(hidden * kVariables, 0), std::vector<float>(hidden, 0), true};
    DenseLayer last{std::vector<float>(2 * hidden, 0), {0, 0}, false};
    const auto weight = [&](std::size_t variable, std::size_t neuron) -> float& {
      return first.weights[variable * hidden + neuron];
    };
    for (std::size_t k = 0; k < clauses.size(); ++k) {
      first.bias[k] = 1;
      last.weights[2 * k] = 1;
      for (const auto& [variable, positive] : clauses[k]) {
        weight(static_cast<std::size_t>(variable), k) = positive ? -1 : 1;
        if (!positive) first.bias[k] -= 1;
      }
    }
    for (std::size_t v = 0; v < kVariables; ++v) {
      const std::size_t x = clauses.size() + 2 * v;
      weight(v, x) = 1;
      weight(v, x + 1) = 2;
      first.bias[x + 1] = -1;
      last.weights[2 * x + 1] = 1;
      last.weights[2 * (x + 1) + 1] = -1;
    }
    return dense_model(kVariables, {first, last});
  }
  static std::string property() {
    std::string text;
    for (int v = 0; v < kVariables; ++v) text += fmt::format("(declare-const X_{} Real)\n", v);
    text += "(declare-const Y_0 Real)\n(declare-const Y_1 Real)\n";
    for (int v = 0; v < kVariables; ++v) text += fmt::format("(assert (>= X_{} 0))\n(assert (<= X_{} 1))\n", v, v);
    return text + "(assert (<= Y_0 0))\n(assert (<= Y_1 0))\n";
  }
  std::vector<std::map<int, bool>> clauses;
};

// Bounds see nothing here; that is for narrowing, from clause to clause, as unit propagation.
// `auto` begins with the inputs, which are few, and has to try signs.
class Formulas : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(, Formulas, testing::Values("activation", "auto"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(Formulas, AreSatisfiableOrNot) {
  int satisfiable = 0, decided = 0;
  for (int seed = 4000; seed < 4030; ++seed) {
    Random random(static_cast<std::uint64_t>(seed));
    const Formula formula(random);
    Options options;
    options.timeout = 10 * kSanitizedTime;
    options.branching = GetParam();
    const VerifyResult result = verify_case(formula.model(), Formula::property(), options);
    const bool holds = formula.satisfiable();
    satisfiable += holds ? 1 : 0;
    decided += result.verdict == "sat" || result.verdict == "unsat" ? 1 : 0;
    EXPECT_NE(result.verdict, holds ? "unsat" : "sat") << "seed " << seed;
  }
  EXPECT_GT(satisfiable, 5);
  EXPECT_LT(satisfiable, 25);
  EXPECT_EQ(decided, 30);
}

// Where the grid shows a violation with room to spare, the verdict is sat; the attack alone finds most.
TEST(BruteForce, ClearViolationsAreFound) {
  int clear = 0;
  for (int seed = 1000; seed < 1100; ++seed) {
    const RandomCase c(static_cast<std::uint64_t>(seed));
    const bool violated = std::any_of(c.points.begin(), c.points.end(),
                                      [&](const std::vector<double>& point) { return c.violated_at(point, 0.05); });
    if (!violated) continue;
    ++clear;
    Options options;
    options.timeout = 2 * kSanitizedTime;
    EXPECT_EQ(verify_case(c.network.model(), c.property(), options).verdict, "sat") << "seed " << seed;
  }
  EXPECT_GT(clear, 20);
}

// Through the command's own option: bounds of every box that holds the point must contain its activations.
TEST_P(Branching, NoBoundExcludesAnObservedPoint) {
  int observed = 0;
  for (int seed = 2000; seed < 2060; ++seed) {
    const RandomCase c(static_cast<std::uint64_t>(seed));
    SCOPED_TRACE("seed " + std::to_string(seed));
    const TempFolder folder;
    Random random(static_cast<std::uint64_t>(seed));
    std::vector<float> point;
    for (int i = 0; i < c.network.inputs; ++i) point.push_back(static_cast<float>(random.uniform(-1, 1)));
    Options options;
    options.timeout = 1 * kSanitizedTime;
    options.branching = GetParam();
    options.observe =
        folder.write("point.npy", npy_array("<f4", "(1, " + std::to_string(c.network.inputs) + ")", point));
    options.semantics = random.coin() ? "real" : "float32";
    EXPECT_NO_THROW(verify_case(c.network.model(), c.property(), options));
    ++observed;
  }
  EXPECT_EQ(observed, 60);
}

// Finds nothing, so that the search must go on.
class BlindReplayer final : public Replayer {
 public:
  ReplayResult replay(const Region&, std::span<const double>, Witness&, const Deadline&) const override {
    return ReplayResult::Refuted;
  }
};

// A search that may not stop at a counterexample goes on splitting: the subproblems around it must never close.
TEST_P(Branching, TheSearchNeverDropsAKnownViolation) {
  int searched = 0, split_regions = 0;
  std::int64_t subproblems = 0;
  for (int seed = 3000; seed < 3080; ++seed) {
    const RandomCase c(static_cast<std::uint64_t>(seed));
    const auto found = std::find_if(c.points.begin(), c.points.end(),
                                    [&](const std::vector<double>& point) { return c.violated_at(point, 0.001); });
    if (found == c.points.end()) continue;
    SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + c.property());
    const auto network = std::make_shared<const Network>(run_passes(c.network.model().import(), operator_table()));
    const Property property = parse_vnnlib(c.property(), "p.vnnlib", c.network.inputs, c.network.outputs);
    QueryEngine::Options engine_options;
    engine_options.lowering.input_terms = true;
    engine_options.splits = true;
    const auto shared =
        std::make_shared<QueryEngine>(network, make_native_executor(Precision::Float32), engine_options);
    QueryEngine& engine = *shared;
    QueryEngine precise(network, make_native_executor(Precision::Float64), engine_options);
    const Observation observation = observe_point(network, operator_table(), property, *found);
    ASSERT_TRUE(observation.violation.has_value());
    engine.observe(observation.observer);
    precise.observe(observation.observer);
    SearchOptions options;
    options.observed = observation.violation;
    options.attack_share = 0;
    const std::string branching = GetParam();
    if (branching == "activation") options.most_inputs_to_split = 0;
    options.splits_per_scope = seed % 2 == 0 ? 2 : 100;
    if (branching == "auto") options.first_try_of_signs = 1;
    const auto split_bounder = [&](const InputBox& box, const Deadline& until) -> std::unique_ptr<SplitBounder> {
      ++split_regions;
      return std::make_unique<SplitEngine>(shared, box, Semantics::Float32, until);
    };
    const bool splits = branching != "input" && !shared->split_programs().programs.empty();
    const BlindReplayer blind;
    const Deadline deadline(0.1);
    SearchResult result;
    EXPECT_NO_THROW(
        result = search(property,
                        {engine, precise, engine, blind, splits ? SearchTools::SplitBounderOf(split_bounder) : nullptr},
                        options, deadline));
    EXPECT_NE(result.verdict, Verdict::Unsat);
    EXPECT_NE(result.verdict, Verdict::Sat);
    subproblems += result.statistics.subproblems;
    ++searched;
  }
  EXPECT_GT(searched, 20);
  EXPECT_GT(subproblems, 10 * searched);
  EXPECT_EQ(split_regions > 0, std::string(GetParam()) != "input");
}

}  // namespace
}  // namespace boundflow
