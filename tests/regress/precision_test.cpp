// No "almost": boxes of any width, pinned decimals, bounds that no float32 equals, strict bounds. A counterexample lies
// in the decimal box exactly.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rational.hpp"
#include "support/sanitized_time.hpp"
#include "support/verify_case.hpp"

namespace boundflow {
namespace {

OnnxModel identity_model() {
  return dense_model(1, {{{1}, {0}, false}});
}

Rational decimal(const std::string& text) {
  const std::optional<Rational> value = parse_decimal(text);
  EXPECT_TRUE(value.has_value()) << text;
  return value.value_or(Rational(0));
}

std::string property(const std::string& lower, const std::string& upper, const std::string& atoms) {
  return declarations(1, 1) + input_bounds(0, lower, upper) + atoms;
}

struct Case {
  const char* lower;
  const char* upper;
  const char* atom;
  const char* verdict;
};

class NarrowBoxes : public testing::TestWithParam<Case> {};

TEST_P(NarrowBoxes, AreDecidedAndWitnessesLieInside) {
  const Case& c = GetParam();
  const VerifyResult result = verify_case(identity_model(), property(c.lower, c.upper, c.atom));
  ASSERT_EQ(result.verdict, c.verdict) << result.reason;
  if (result.verdict != "sat") return;
  const Rational x = decimal(result.counterexample.input.at(0));
  EXPECT_LE(decimal(c.lower), x);
  EXPECT_LE(x, decimal(c.upper));
}

INSTANTIATE_TEST_SUITE_P(
    Widths, NarrowBoxes,
    testing::Values(
        // A property that flips inside a box of width 1e-6.
        Case{"0.5", "0.500001", "(assert (>= Y_0 0.5000005))", "sat"},
        Case{"0.5", "0.500001", "(assert (<= Y_0 0.5000005))", "sat"},
        Case{"0.5", "0.500001", "(assert (>= Y_0 0.5000015))", "unsat"},
        Case{"0.5", "0.500001", "(assert (<= Y_0 0.4999995))", "unsat"},
        // No float32 lies in these boxes; fl(0.3) = 0.300000012.
        Case{"0.3", "0.300000001", "(assert (>= Y_0 0.2999))", "sat"},
        Case{"0.3", "0.300000001", "(assert (>= Y_0 0.3001))", "unsat"},
        Case{"0.3", "0.300000000000000000000000000001", "(assert (<= Y_0 0.3001))", "sat"},
        Case{"0.3", "0.300000000000000000000000000001", "(assert (<= Y_0 0.2999))", "unsat"},
        Case{"0.3", "0.3", "(assert (>= Y_0 0.2999))", "sat"}, Case{"0.3", "0.3", "(assert (>= Y_0 0.3001))", "unsat"},
        Case{"-0.7", "-0.7", "(assert (<= Y_0 -0.6999))", "sat"},
        Case{"-0.7", "-0.7", "(assert (<= Y_0 -0.7001))", "unsat"}, Case{"0", "0", "(assert (>= Y_0 1e-9))", "unsat"},
        Case{"0", "1e-30", "(assert (>= Y_0 1e-29))", "unsat"}, Case{"0", "1e-30", "(assert (>= Y_0 5e-31))", "sat"},
        Case{"1e-30", "1e-30", "(assert (>= Y_0 1e-29))", "unsat"},
        // 16777217 is no float32: rounded to 16777216, the first two would be sat.
        Case{"16777215", "16777216", "(assert (>= Y_0 16777225))", "unsat"},
        Case{"16777214", "16777216", "(assert (<= Y_0 16777215))", "sat"}));

// A decimal that the box excludes by less than the distance of two floats.
TEST(DecimalBox, BoundsBetweenTwoFloatsAreKept) {
  // The largest float32 below 0.1 is 0.0999999940..., fl(0.1) lies above 0.1.
  const VerifyResult result = verify_case(identity_model(), property("0", "0.1", "(assert (>= Y_0 0.09999999))"));
  ASSERT_EQ(result.verdict, "sat");
  EXPECT_LE(decimal(result.counterexample.input.at(0)), decimal("0.1"));
}

// Over the reals y <= 0.1 in this box, but 0.1 runs as the float32 above it: neither a proof nor a witness.
TEST(DecimalBox, AProofCoversTheFloatOfEachDecimal) {
  Options options;
  options.timeout = 1 * kSanitizedTime;
  const VerifyResult result = verify_case(identity_model(), property("0", "0.1", "(assert (> Y_0 0.1))"), options);
  EXPECT_THAT(result.verdict, testing::AnyOf("unknown", "timeout")) << result.reason;
}

TEST(DecimalBox, StrictBoundsExcludeTheirEnd) {
  const VerifyResult result =
      verify_case(identity_model(), property("0", "1", "(assert (< X_0 0.5))(assert (>= Y_0 0.4999999))"));
  ASSERT_EQ(result.verdict, "sat") << result.reason;
  EXPECT_LT(decimal(result.counterexample.input.at(0)), decimal("0.5"));
}

TEST(DecimalBox, AStrictBoundThatLeavesNothingIsNeverSat) {
  for (const std::string atoms :
       {"(assert (< X_0 0.5))(assert (>= X_0 0.5))", "(assert (> X_0 1))", "(assert (< X_0 0))(assert (<= Y_0 5))",
        "(assert (> X_0 0.5))(assert (< X_0 0.5))"}) {
    const VerifyResult result = verify_case(identity_model(), property("0", "1", atoms));
    EXPECT_THAT(result.verdict, testing::AnyOf("unsat", "unknown")) << atoms;
  }
}

TEST(DecimalBox, PinnedDecimalsAreReportedAsTheyAre) {
  const OnnxModel sum = dense_model(3, {{{1, 1, 1}, {0}, false}});
  const std::string text = declarations(3, 1) + input_bounds(0, "0.1", "0.1") + input_bounds(1, "-0.3", "-0.3") +
                           input_bounds(2, "0", "1") + "(assert (>= Y_0 0.5))";
  const VerifyResult result = verify_case(sum, text);
  ASSERT_EQ(result.verdict, "sat");
  EXPECT_EQ(decimal(result.counterexample.input.at(0)), decimal("0.1"));
  EXPECT_EQ(decimal(result.counterexample.input.at(1)), decimal("-0.3"));
  EXPECT_GE(decimal(result.counterexample.input.at(2)), decimal("0.7"));
}

// A violation that misses by less than any tolerance is none, and one that only touches is not denied.
TEST(DecimalBox, NoToleranceAtTheBoundary) {
  EXPECT_NE(verify_case(identity_model(), property("0", "1", "(assert (>= Y_0 1))")).verdict, "unsat");
  EXPECT_NE(verify_case(identity_model(), property("0", "1", "(assert (> Y_0 1))")).verdict, "sat");
  EXPECT_NE(verify_case(identity_model(), property("0", "1", "(assert (>= Y_0 1.000000000001))")).verdict, "sat");
  EXPECT_NE(verify_case(identity_model(), property("0", "1", "(assert (<= Y_0 -1e-20))")).verdict, "sat");
  // 3 x <= 3, but a product that rounds could reach 3.0000001 (the next float32 after 3 is 3.0000002).
  const OnnxModel triple = dense_model(1, {{{3}, {0}, false}});
  const std::string above = property("0", "1", "(assert (>= Y_0 3.0000001))");
  Options real;
  real.semantics = "real";
  EXPECT_EQ(verify_case(triple, above, real).verdict, "unsat");
  const VerifyResult both = verify_case(triple, above);
  EXPECT_EQ(both.verdict, "unknown");
  EXPECT_THAT(both.reason, testing::StartsWith("proved for real arithmetic"));
}

// Branches that cancel: rows must be added at the fork before they are relaxed or concretized.
TEST(Residual, BranchesThatCancelAreSeenToCancel) {
  OnnxModel model;
  model.input("x", {1, 2});
  model.floats("W", {2, 2}, {1, 2, -1, 1});
  model.node("Gemm", "mix", {"x", "W"}, {"h"});
  model.node("Relu", "relu", {"h"}, {"r"});
  model.node("Add", "skip", {"r", "h"}, {"s"});
  model.node("Sub", "back", {"s", "r"}, {"t"});  // = h
  model.node("Relu", "relu2", {"t"}, {"u"});     // = r
  model.node("Sub", "difference", {"u", "r"}, {"y"});
  model.output("y", {1, 2});
  const std::string box = declarations(2, 2) + input_bounds(0, "-1", "1") + input_bounds(1, "-1", "1");
  EXPECT_EQ(verify_case(model, box + "(assert (or (>= Y_0 0.01) (<= Y_0 -0.01) (>= Y_1 0.01)))").verdict, "unsat");
  EXPECT_EQ(verify_case(model, box + "(assert (>= Y_0 0))").verdict, "sat");
}

// s = relu(h) + h over h in [-1, 1] lies in [-1, 2]; the degenerate bounds that other tools kept were those of one
// branch.
TEST(Residual, BoundsOfASumAreThoseOfBothBranches) {
  OnnxModel model;
  model.input("x", {1, 1});
  model.node("Relu", "relu", {"x"}, {"r"});
  model.node("Add", "sum", {"r", "x"}, {"s"});
  model.node("Relu", "relu2", {"s"}, {"y"});
  model.output("y", {1, 1});
  const std::string box = declarations(1, 1) + input_bounds(0, "-1", "1");
  EXPECT_EQ(verify_case(model, box + "(assert (>= Y_0 1.99))").verdict, "sat");
  EXPECT_EQ(verify_case(model, box + "(assert (>= Y_0 2.01))").verdict, "unsat");
  EXPECT_EQ(verify_case(model, box + "(assert (<= Y_0 0))(assert (>= X_0 0.01))").verdict, "unsat");
}

// Y_0 = 1 - |x_0 + x_1 - 1| and Y_1 = min(x_0, 1 - x_0): both thresholds are met at two corners of the box alone, as in
// encodings of logic. The attack ends in corners, and the replay rounds nothing that is exact.
TEST(Precision, AViolationThatMeetsItsThresholdsAtACornerIsFound) {
  const DenseLayer hidden{{-1, 1, 1, 2, -1, 1, 0, 0}, {1, -1, 0, -1}, true};
  const DenseLayer out{{-1, 0, -1, 0, 0, 1, 0, -1}, {1, 0}, false};
  const std::string text = declarations(2, 2) + input_bounds(0, "0", "1") + input_bounds(1, "0", "1");
  const OnnxModel model = dense_model(2, {hidden, out});
  const VerifyResult result = verify_case(model, text + "(assert (>= Y_0 1.0))(assert (<= Y_1 0.0))");
  EXPECT_EQ(result.verdict, "sat");
  ASSERT_EQ(result.counterexample.input.size(), 2U);
  EXPECT_NE(result.counterexample.input[0], result.counterexample.input[1]);
  // Nothing reaches beyond.
  Options options;
  options.timeout = 1;
  EXPECT_NE(verify_case(model, text + "(assert (> Y_0 1.0))", options).verdict, "sat");
}

}  // namespace
}  // namespace boundflow
