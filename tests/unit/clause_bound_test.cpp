// What linear forms decide about a clause: refutation by rows and by combinations, and clipping that never cuts off a
// possible violation, judged in exact arithmetic.
#include "search/clause_bound.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/random.hpp"
#include "base/rational.hpp"
#include "base/rounding.hpp"

namespace boundflow {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Rows form . x + constant over a box, all of one clause.
struct Rows {
  Rows(std::vector<std::vector<double>> rows, std::vector<double> constants, std::vector<double> box_lower,
       std::vector<double> box_upper)
      : coefficients(std::move(rows)), lower(std::move(box_lower)), upper(std::move(box_upper)) {
    forms.inputs = static_cast<std::int64_t>(lower.size());
    specification.spec.rows = static_cast<std::int64_t>(coefficients.size());
    specification.strict.assign(coefficients.size(), 0);
    for (std::size_t r = 0; r < coefficients.size(); ++r) {
      clause.rows.push_back(static_cast<std::int32_t>(r));
      Rational bound(constants[r]);
      for (std::size_t i = 0; i < lower.size(); ++i) {
        const double a = coefficients[r][i];
        bound += Rational(a) * Rational(a >= 0 ? lower[i] : upper[i]);
      }
      forms.bound.push_back(to_double_down(bound));
      forms.form.push_back(coefficients[r].data());
      forms.constant.push_back(constants[r]);
      forms.error.push_back(0);
    }
  }
  ClauseOutcome outcome(const CombinedRow& combined = {}) const {
    return bound_clause(specification, clause, forms, combined, lower, upper);
  }
  Rational value(std::size_t row, const std::vector<double>& x) const {
    Rational sum(forms.constant[row]);
    for (std::size_t i = 0; i < x.size(); ++i) sum += Rational(coefficients[row][i]) * Rational(x[i]);
    return sum;
  }

  std::vector<std::vector<double>> coefficients;
  std::vector<double> lower, upper;
  Specification specification;
  RowClause clause;
  RowForms forms;
};

TEST(ClauseBound, OnePositiveRowRefutes) {
  EXPECT_TRUE(Rows({{1}, {-1}}, {0.5, 0}, {0}, {1}).outcome().refuted);
  EXPECT_FALSE(Rows({{1}, {-1}}, {-0.5, 0}, {0}, {1}).outcome().refuted);
}

// x + 0.1 <= 0 and -x + 0.1 <= 0: each can hold somewhere on [-1, 1], both nowhere.
TEST(ClauseBound, ACombinationRefutesWhereNoRowDoes) {
  const Rows rows({{1}, {-1}}, {0.1, 0.1}, {-1}, {1});
  EXPECT_LT(rows.forms.bound[0], 0);
  EXPECT_LT(rows.forms.bound[1], 0);
  EXPECT_TRUE(rows.outcome().refuted);
  // With uneven slopes the weights are uneven as well; clipping alone would need many passes.
  EXPECT_TRUE(Rows({{5, 1}, {-1, -5}, {-4, 4}}, {0.05, 0.05, 0.05}, {-1, -1}, {1, 1}).outcome().refuted);
}

TEST(ClauseBound, TheCombinationIsReported) {
  const Rows rows({{1, 0}, {-1, 1}}, {0, -0.5}, {-1, -1}, {1, 1});
  const ClauseOutcome outcome = rows.outcome();
  ASSERT_FALSE(outcome.refuted);
  ASSERT_EQ(outcome.lambda.size(), 2U);
  EXPECT_NEAR(outcome.lambda[0] + outcome.lambda[1], 1, 1e-9);
  EXPECT_LE(outcome.bound, 0);
  // It is a bound of the largest row.
  for (const double a : {-1.0, -0.5, 0.0, 0.5, 1.0}) {
    for (const double b : {-1.0, 0.0, 1.0}) {
      EXPECT_LE(Rational(outcome.bound), std::max(rows.value(0, {a, b}), rows.value(1, {a, b})));
    }
  }
}

// Bounded as one row of its own it is tighter than the combination of forms.
TEST(ClauseBound, ACombinedRowRefutesAndClips) {
  const Rows rows({{1}, {-1}}, {-0.5, -0.5}, {-1}, {1});
  EXPECT_FALSE(rows.outcome().refuted);
  const double flat[] = {0};
  EXPECT_TRUE(rows.outcome({.bound = 0.1, .form = flat, .constant = 0.1}).refuted);
  EXPECT_FALSE(rows.outcome({.bound = 0, .form = flat, .constant = 0}).refuted);
  for (const double bad : {kNan, kInfinity, -kInfinity}) {
    EXPECT_FALSE(rows.outcome({.bound = bad, .form = flat, .constant = bad}).refuted) << bad;
    const double bad_form[] = {bad};
    EXPECT_FALSE(rows.outcome({.bound = -1, .form = bad_form, .constant = 0}).refuted) << bad;
  }
  const double steep[] = {1};
  EXPECT_LE(rows.outcome({.bound = -1.25, .form = steep, .constant = 0.25}).upper[0], -0.25 + 1e-9);
}

TEST(ClauseBound, StrictRowsAreRefutedAtZero) {
  Rows rows({{1}, {0}}, {0, -1}, {0}, {1});
  rows.forms.bound[0] = 0;
  EXPECT_FALSE(rows.outcome().refuted);
  rows.specification.strict[0] = 1;
  EXPECT_TRUE(rows.outcome().refuted);
}

TEST(ClauseBound, NanAndInfinityNeverRefute) {
  for (const double bad : {kNan, kInfinity, -kInfinity}) {
    for (int where = 0; where < 3; ++where) {
      Rows rows({{1, 1}, {-1, -1}}, {-0.5, -0.5}, {-1, -1}, {1, 1});
      if (where == 0) rows.forms.bound[0] = bad;
      if (where == 1) rows.forms.constant[0] = bad;
      if (where == 2) rows.coefficients[0][1] = bad;
      const ClauseOutcome outcome = rows.outcome();
      EXPECT_FALSE(outcome.refuted) << bad << " in place " << where;
    }
  }
  // A box without a number for an end is no empty box.
  Rows rows({{1, 1}, {-1, -1}}, {-0.5, -0.5}, {-1, -1}, {1, 1});
  rows.upper[1] = kNan;
  EXPECT_FALSE(rows.outcome().refuted);
}

TEST(ClauseBound, AnEmptyClauseAndRowsWithoutFormsStayOpen) {
  Rows rows({{1}, {-1}}, {0.1, 0.1}, {-1}, {1});
  rows.forms.form[1] = nullptr;
  rows.forms.bound[1] = kNan;
  EXPECT_FALSE(rows.outcome().refuted);
  rows.clause.rows.clear();
  const ClauseOutcome outcome = rows.outcome();
  EXPECT_FALSE(outcome.refuted);
  EXPECT_EQ(outcome.lower, rows.lower);
  EXPECT_EQ(outcome.upper, rows.upper);
}

TEST(ClauseBound, AChoiceIsRefutedWhenEveryOptionIs) {
  Rows rows({{1}, {1}, {1}}, {0.5, -0.5, -0.5}, {0}, {1});  // only row 0 is positive
  const auto option = [](std::int32_t row) { return RowClause{{row}, {}}; };
  rows.clause.rows = {1};
  rows.clause.choices = {{option(0), option(2)}};
  EXPECT_FALSE(rows.outcome().refuted);
  rows.clause.choices = {{option(0), option(0)}};
  EXPECT_TRUE(rows.outcome().refuted);
  rows.clause.choices = {{option(1)}, {option(0)}};
  EXPECT_TRUE(rows.outcome().refuted);
}

std::vector<double> random_point(Random& random, const std::vector<double>& lower, const std::vector<double>& upper) {
  std::vector<double> x;
  for (std::size_t i = 0; i < lower.size(); ++i) {
    const std::int64_t kind = random.integer(0, 5);
    x.push_back(kind == 0 ? lower[i] : kind == 1 ? upper[i] : random.uniform(lower[i], upper[i]));
    x.back() = std::min(std::max(x.back(), lower[i]), upper[i]);
  }
  return x;
}

// A point that satisfies every row <= 0 stays inside, and its clause open, whatever the scales.
TEST(ClauseBound, NeverCutsOffAViolation) {
  std::int64_t violations = 0, clipped = 0, refuted = 0;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    Random random(seed);
    const auto inputs = static_cast<std::size_t>(random.integer(1, 4));
    std::vector<double> lower, upper;
    for (std::size_t i = 0; i < inputs; ++i) {
      lower.push_back(random.uniform(-1, 1) * std::ldexp(1, static_cast<int>(random.integer(-20, 20))));
      upper.push_back(lower.back() + (random.integer(0, 5) == 0
                                          ? 0.0
                                          : std::ldexp(random.uniform(), static_cast<int>(random.integer(-20, 5)))));
    }
    // All rows are zero or nearly so at one point of the box, which is therefore on the edge of being cut off.
    const std::vector<double> edge = random_point(random, lower, upper);
    std::vector<std::vector<double>> coefficients;
    std::vector<double> constants;
    for (std::int64_t r = random.integer(1, 4); r > 0; --r) {
      std::vector<double>& row = coefficients.emplace_back();
      Rational sum = 0;
      for (std::size_t i = 0; i < inputs; ++i) {
        row.push_back(random.integer(0, 4) == 0
                          ? 0.0
                          : std::ldexp(random.uniform(-1, 1), static_cast<int>(random.integer(-30, 10))));
        sum += Rational(row.back()) * Rational(edge[i]);
      }
      constants.push_back(to_double_down(-sum));
      if (random.integer(0, 3) == 0) constants.back() += std::ldexp(random.uniform(-1, 1), -25);
    }
    const Rows rows(coefficients, constants, lower, upper);
    const ClauseOutcome outcome = rows.outcome();
    refuted += outcome.refuted ? 1 : 0;
    std::vector<std::vector<double>> points{edge};
    for (int p = 0; p < 12; ++p) points.push_back(random_point(random, lower, upper));
    for (const std::vector<double>& x : points) {
      bool violates = true;
      for (std::size_t r = 0; r < coefficients.size(); ++r) violates = violates && rows.value(r, x) <= 0;
      if (!violates) continue;
      ++violations;
      ASSERT_FALSE(outcome.refuted) << "seed " << seed;
      for (std::size_t i = 0; i < inputs; ++i) {
        ASSERT_LE(outcome.lower[i], x[i]) << "seed " << seed;
        ASSERT_GE(outcome.upper[i], x[i]) << "seed " << seed;
        clipped += outcome.lower[i] > lower[i] || outcome.upper[i] < upper[i] ? 1 : 0;
      }
    }
  }
  EXPECT_GT(violations, 2000);
  EXPECT_GT(clipped, 1000);
  EXPECT_GT(refuted, 20);
}

TEST(ClauseBound, ClipsToWhereTheRowsCanHold) {
  const ClauseOutcome outcome = Rows({{1, 1}}, {-0.5}, {0, 0}, {1, 1}).outcome();  // x + y <= 0.5
  ASSERT_FALSE(outcome.refuted);
  EXPECT_NEAR(outcome.upper[0], 0.5, 1e-9);
  EXPECT_NEAR(outcome.upper[1], 0.5, 1e-9);
  EXPECT_GE(outcome.upper[0], 0.5);
  EXPECT_EQ(outcome.lower, (std::vector<double>{0, 0}));
  EXPECT_EQ(outcome.minimizer, (std::vector<double>{0, 0}));
  const ClauseOutcome negative = Rows({{-2}}, {1}, {0}, {1}).outcome();  // x >= 0.5
  EXPECT_NEAR(negative.lower[0], 0.5, 1e-9);
  EXPECT_LE(negative.lower[0], 0.5);
  EXPECT_EQ(negative.minimizer, (std::vector<double>{1}));
}

}  // namespace
}  // namespace boundflow
