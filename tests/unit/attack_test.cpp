#include "search/attack.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "support/search_mocks.hpp"

namespace boundflow {
namespace {

Specification specification(int inputs, const std::string& assertions) {
  const Property property = identity_property(inputs, assertions);
  EXPECT_EQ(property.regions.size(), 1u);
  return make_specification(property.regions.at(0), inputs, inputs);
}

// y = f(x) per coordinate, without a gradient.
class FlatEvaluator final : public Evaluator {
 public:
  explicit FlatEvaluator(std::function<double(double)> f) : f_(std::move(f)) {}
  void evaluate(std::span<const double> points, std::int64_t, std::span<double> outputs) const override {
    ++calls;
    std::transform(points.begin(), points.end(), outputs.begin(), f_);
  }
  bool gradient(std::span<const double> points, std::int64_t count, const Choose& choose, std::span<double> outputs,
                std::span<double> gradients, const Deadline&) const override {
    evaluate(points, count, outputs);
    std::vector<double> ignored(outputs.size());
    choose(0, outputs, ignored);
    std::fill(gradients.begin(), gradients.end(), 0.0);
    return true;
  }
  mutable int calls = 0;

 private:
  std::function<double(double)> f_;
};

struct Attempt {
  bool found = false;
  std::vector<std::vector<double>> candidates;
};

Attempt run(const Specification& spec, const Evaluator& evaluator, bool accept, std::vector<double> seeds = {},
            const Deadline& deadline = Deadline(10)) {
  Attempt result;
  Random random(7);
  result.found = attack(spec, seeds, evaluator, {}, random, deadline, [&](std::span<const double> point) {
    result.candidates.emplace_back(point.begin(), point.end());
    return accept;
  });
  return result;
}

TEST(Attack, DescendsIntoACorner) {
  const Specification spec = specification(6, "(assert (>= (+ Y_0 Y_1 Y_2 (- Y_3) (- Y_4) (- Y_5)) 2.99))");
  const Attempt result = run(spec, IdentityEvaluator(), true);
  ASSERT_TRUE(result.found);
  ASSERT_EQ(result.candidates.size(), 1u);
  double sum = 0;
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_GE(result.candidates[0][i], 0);
    EXPECT_LE(result.candidates[0][i], 1);
    sum += (i < 3 ? 1 : -1) * result.candidates[0][i];
  }
  EXPECT_GE(sum, 2.99);
}

TEST(Attack, SatisfiesAllAtomsOfAClause) {
  const Specification spec =
      specification(3, "(assert (>= Y_0 0.95))(assert (<= Y_1 0.05))(assert (>= Y_2 0.45))(assert (<= Y_2 0.55))");
  const Attempt result = run(spec, IdentityEvaluator(), true);
  ASSERT_TRUE(result.found);
  EXPECT_GE(result.candidates[0][0], 0.95);
  EXPECT_LE(result.candidates[0][1], 0.05);
}

TEST(Attack, TriesEveryClause) {
  // Only the last of ten clauses can be met.
  std::string clauses = "(assert (or";
  for (int i = 0; i < 9; ++i) clauses += " (>= Y_0 " + std::to_string(i + 2) + ")";
  const Attempt result = run(specification(1, clauses + " (<= Y_0 0.01)))"), IdentityEvaluator(), true);
  EXPECT_TRUE(result.found);
}

TEST(Attack, OnlyPointsThatLookLikeViolationsAreReplayedAndNotTooOften) {
  const Specification spec = specification(2, "(assert (>= Y_0 0.5))");
  const Attempt result = run(spec, IdentityEvaluator(), false);
  EXPECT_FALSE(result.found);
  EXPECT_GT(result.candidates.size(), 0u);
  EXPECT_LE(result.candidates.size(), 3u * static_cast<std::size_t>(AttackOptions().restarts));
  for (const auto& point : result.candidates) EXPECT_GE(point[0], 0.5);
}

TEST(Attack, AnImpossiblePropertyHasNoCandidates) {
  EXPECT_TRUE(run(specification(2, "(assert (>= Y_0 1.5))"), IdentityEvaluator(), true).candidates.empty());
}

TEST(Attack, NotANumberIsNoViolation) {
  const FlatEvaluator nan([](double) { return std::numeric_limits<double>::quiet_NaN(); });
  for (const char* assertion :
       {"(assert (>= Y_0 0.5))", "(assert (<= Y_0 0.5))", "(assert (or (and (>= Y_0 0.5) (<= X_0 2)) (<= Y_0 0.5)))"}) {
    EXPECT_TRUE(run(specification(1, assertion), nan, true).candidates.empty()) << assertion;
  }
}

TEST(Attack, SeedsAreTriedAsTheyAre) {
  const FlatEvaluator needle([](double x) { return x == 0.123 ? 1.0 : 0.0; });
  const Specification spec = specification(1, "(assert (>= Y_0 0.5))");
  EXPECT_FALSE(run(spec, needle, true).found);
  const Attempt seeded = run(spec, needle, true, {0.4, 0.123});
  EXPECT_TRUE(seeded.found);
  EXPECT_EQ(seeded.candidates.at(0), std::vector<double>{0.123});
}

TEST(Attack, StopsAtTheDeadline) {
  const FlatEvaluator flat([](double) { return 0.0; });
  EXPECT_FALSE(run(specification(1, "(assert (>= Y_0 0.5))"), flat, true, {}, Deadline(0)).found);
  EXPECT_LE(flat.calls, 1);
}

TEST(Attack, PinnedCoordinatesStay) {
  const Property property = parse_vnnlib(
      declarations(2, 2) + input_bounds(0, "0.25", "0.25") + input_bounds(1, "0", "1") + "(assert (>= Y_1 0.9))", "p",
      2, 2);
  const Attempt result = run(make_specification(property.regions.at(0), 2, 2), IdentityEvaluator(), false);
  EXPECT_FALSE(result.candidates.empty());
  for (const auto& point : result.candidates) EXPECT_EQ(point[0], 0.25);
}

TEST(Attack, TheSameSeedGivesTheSamePoints) {
  const Specification spec = specification(2, "(assert (>= (+ Y_0 Y_1) 1.9))");
  EXPECT_EQ(run(spec, IdentityEvaluator(), false).candidates, run(spec, IdentityEvaluator(), false).candidates);
}

}  // namespace
}  // namespace boundflow
