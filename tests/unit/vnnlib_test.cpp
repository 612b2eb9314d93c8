#include "frontends/vnnlib/vnnlib.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>

#include "base/error.hpp"

namespace boundflow {
namespace {

using testing::HasSubstr;

std::string declare(int inputs, int outputs) {
  std::string text;
  for (int i = 0; i < inputs; ++i) text += "(declare-const X_" + std::to_string(i) + " Real)\n";
  for (int i = 0; i < outputs; ++i) text += "(declare-const Y_" + std::to_string(i) + " Real)\n";
  return text;
}

// Declares, bounds every input to [0, 1], and adds `text`.
Property parse_in_unit_box(int inputs, int outputs, const std::string& text) {
  std::string all = declare(inputs, outputs);
  for (int i = 0; i < inputs; ++i) {
    const std::string x = "X_" + std::to_string(i);
    all += "(assert (>= " + x + " 0)) (assert (<= " + x + " 1))\n";
  }
  return parse_vnnlib(all + text, "unit.vnnlib", inputs, outputs);
}

// The regions as text, without the heading.
std::string regions(const Property& property) {
  const std::string text = print(property);
  return text.substr(text.find('\n') + 1);
}

std::string in_unit_box(const std::string& text, int inputs = 1, int outputs = 2) {
  return regions(parse_in_unit_box(inputs, outputs, text));
}

const std::string kUnit = "region 0\n  0 <= X_0 <= 1\n";

TEST(Vnnlib, SimpleFileGivesOneRegionWithOneClause) {
  EXPECT_EQ(in_unit_box("(assert (<= Y_0 -3.5)) (assert (>= Y_1 Y_0))"),
            kUnit + "  clause\n    Y_0 + 3.5 <= 0\n    Y_0 - Y_1 <= 0\n");
}

TEST(Vnnlib, CountsAreKept) {
  const Property property = parse_in_unit_box(3, 2, "");
  EXPECT_EQ(property.input_count, 3);
  EXPECT_EQ(property.output_count, 2);
}

TEST(Vnnlib, NoOutputConditionIsTrueEverywhereInTheBox) {
  EXPECT_EQ(in_unit_box(""), kUnit + "  clause\n    true\n");
}

TEST(Vnnlib, DeclarationsMayComeInAnyOrderAndAfterAssertions) {
  EXPECT_EQ(
      regions(parse_vnnlib("(declare-const Y_0 Real)(declare-const X_1 Real)\n(assert (<= X_1 1))(assert (>= X_1 0))"
                           "(declare-fun X_0 () Real)(assert (and (<= X_0 3) (>= X_0 2) (<= Y_0 0)))",
                           "f", 2, 1)),
      "region 0\n  2 <= X_0 <= 3\n  0 <= X_1 <= 1\n  clause\n    Y_0 <= 0\n");
}

TEST(Vnnlib, CommentsWindowsLinesAndByteOrderMarkAreBlank) {
  EXPECT_EQ(regions(parse_vnnlib("\xef\xbb\xbf; (assert\r\n(declare-const X_0 Real);x\r\n(declare-const Y_0 Real)\r\n"
                                 "(assert(and(<= X_0 1);)\n(>= X_0 0)(<= Y_0 0)));",
                                 "f", 1, 1)),
            kUnit + "  clause\n    Y_0 <= 0\n");
}

TEST(Vnnlib, HarmlessCommandsAreIgnored) {
  EXPECT_EQ(
      in_unit_box("(set-logic QF_LRA)(set-info :source |a ) (b\n|)(set-info :x \"(\")(set-option :produce-models true)"
                  "(assert (<= Y_0 0))(check-sat)(get-model)(exit)"),
      kUnit + "  clause\n    Y_0 <= 0\n");
}

TEST(Vnnlib, ArithmeticIsLinearAndExact) {
  EXPECT_EQ(in_unit_box("(assert (<= (+ (* 2 Y_0) (- Y_1) (* X_0 0.1 3) (- 1 0.1 0.2) -1e-3) (/ Y_1 4)))"),
            kUnit + "  clause\n    0.3*X_0 + 2*Y_0 - 1.25*Y_1 + 0.699 <= 0\n");
  EXPECT_EQ(in_unit_box("(assert (<= (/ (- Y_0) 3) (* (- 2) (+ Y_1 (/ 1 3)))))"),
            kUnit + "  clause\n    -1/3*Y_0 + 2*Y_1 + 2/3 <= 0\n");
  EXPECT_EQ(in_unit_box("(assert (< (* (- X_0 X_0 -2) Y_0) (+ Y_1)))"), kUnit + "  clause\n    2*Y_0 - Y_1 < 0\n");
}

TEST(Vnnlib, RelationsGetTheRightSignAndStrictness) {
  EXPECT_EQ(in_unit_box("(assert (< Y_0 1))(assert (> Y_0 2))(assert (<= Y_0 3))(assert (>= Y_0 4))"),
            kUnit + "  clause\n    Y_0 - 1 < 0\n    -Y_0 + 2 < 0\n    Y_0 - 3 <= 0\n    -Y_0 + 4 <= 0\n");
  EXPECT_EQ(in_unit_box("(assert (= Y_0 1))"), kUnit + "  clause\n    -Y_0 + 1 <= 0\n    Y_0 - 1 <= 0\n");
  EXPECT_EQ(in_unit_box("(assert (== Y_0 1))"), in_unit_box("(assert (= Y_0 1))"));
}

TEST(Vnnlib, ChainsRelateNeighbours) {
  EXPECT_EQ(in_unit_box("(assert (< 0 Y_0 Y_1 2))"),
            kUnit + "  clause\n    -Y_0 < 0\n    Y_0 - Y_1 < 0\n    Y_1 - 2 < 0\n");
  EXPECT_EQ(regions(parse_vnnlib(declare(1, 1) + "(assert (<= -1 X_0 2.5))", "f", 1, 1)),
            "region 0\n  -1 <= X_0 <= 2.5\n  clause\n    true\n");
}

TEST(Vnnlib, BoundsAreNormalisedExactly) {
  EXPECT_EQ(regions(parse_vnnlib(declare(1, 1) + "(assert (<= (+ (* 3 X_0) 1) 2))(assert (<= (- X_0) (* 2 0.05)))", "f",
                                 1, 1)),
            "region 0\n  -0.1 <= X_0 <= 1/3\n  clause\n    true\n");
  EXPECT_EQ(regions(parse_vnnlib(declare(1, 1) + "(assert (= X_0 0.1))", "f", 1, 1)),
            "region 0\n  0.1 <= X_0 <= 0.1\n  clause\n    true\n");
  EXPECT_EQ(in_unit_box("(assert (<= X_0 2))(assert (<= X_0 0.5))(assert (<= X_0 0.75))"),
            "region 0\n  0 <= X_0 <= 0.5\n  clause\n    true\n");
}

TEST(Vnnlib, StrictBoundTightensTheBoxAndStandsInTheClause) {
  EXPECT_EQ(in_unit_box("(assert (< X_0 0.5))"), "region 0\n  0 <= X_0 <= 0.5\n  clause\n    X_0 - 0.5 < 0\n");
  EXPECT_EQ(in_unit_box("(assert (or (> X_0 0.5) (<= Y_0 0)))"),
            "region 0\n  0.5 <= X_0 <= 1\n  clause\n    -X_0 + 0.5 < 0\n"
            "region 1\n  0 <= X_0 <= 1\n  clause\n    Y_0 <= 0\n");
}

TEST(Vnnlib, StrictBoundOnAPinnedInputHoldsNowhere) {
  EXPECT_EQ(in_unit_box("(assert (< X_0 0))"), "");
  EXPECT_EQ(in_unit_box("(assert (> X_0 1))"), "");
  EXPECT_EQ(in_unit_box("(assert (and (>= X_0 0.3) (< X_0 0.3)))"), "");
}

TEST(Vnnlib, BoxIsEmptyOnlyIfItsDecimalsCross) {
  EXPECT_EQ(in_unit_box("(assert (>= X_0 0.1000000000000000000000000000000001))(assert (<= X_0 0.1))"), "");
  EXPECT_EQ(in_unit_box("(assert (>= X_0 0.1))(assert (<= X_0 0.1))"),
            "region 0\n  0.1 <= X_0 <= 0.1\n  clause\n    true\n");
}

TEST(Vnnlib, AtomsOverSeveralInputsGoToTheClause) {
  EXPECT_EQ(in_unit_box("(assert (<= (+ X_0 X_1) 1))(assert (>= Y_0 X_1))", 2),
            "region 0\n  0 <= X_0 <= 1\n  0 <= X_1 <= 1\n  clause\n    X_0 + X_1 - 1 <= 0\n    X_1 - Y_0 <= 0\n");
}

TEST(Vnnlib, ConstantAtomsAreDecided) {
  EXPECT_EQ(in_unit_box("(assert (<= 1 2))(assert true)(assert (= X_0 X_0))"), kUnit + "  clause\n    true\n");
  EXPECT_EQ(in_unit_box("(assert (< 1 1))"), "");
  EXPECT_EQ(in_unit_box("(assert (or false (< (- Y_0 Y_0) 0) (<= Y_1 0)))"), kUnit + "  clause\n    Y_1 <= 0\n");
  EXPECT_EQ(in_unit_box("(assert (or (<= 0 0) (<= Y_1 0)))"), kUnit + "  clause\n    true\n");
}

TEST(Vnnlib, DisjunctionOfOutputsBecomesClauses) {
  EXPECT_EQ(in_unit_box("(assert (or (and (>= Y_0 1)) (and (>= Y_1 2) (<= Y_0 0))))"),
            kUnit + "  clause\n    -Y_0 + 1 <= 0\n  clause\n    -Y_1 + 2 <= 0\n    Y_0 <= 0\n");
}

// A tool that takes the last `or`, or unites both, answers wrongly.
TEST(Vnnlib, TwoDisjunctionsAreMultiplied) {
  EXPECT_EQ(in_unit_box("(assert (or (<= Y_0 1) (<= Y_0 2)))(assert (or (<= Y_1 3) (<= Y_1 4)))"),
            kUnit +
                "  clause\n    Y_0 - 1 <= 0\n    Y_1 - 3 <= 0\n  clause\n    Y_0 - 1 <= 0\n    Y_1 - 4 <= 0\n"
                "  clause\n    Y_0 - 2 <= 0\n    Y_1 - 3 <= 0\n  clause\n    Y_0 - 2 <= 0\n    Y_1 - 4 <= 0\n");
}

TEST(Vnnlib, ConjunctionOfBoundsBesideADisjunction) {
  EXPECT_EQ(regions(parse_vnnlib(
                declare(1, 1) + "(assert (and (<= X_0 1) (>= X_0 0)))(assert (or (<= Y_0 1) (>= Y_0 2)))", "f", 1, 1)),
            kUnit + "  clause\n    Y_0 - 1 <= 0\n  clause\n    -Y_0 + 2 <= 0\n");
}

TEST(Vnnlib, DisjunctsWithBoxesBecomeRegions) {
  EXPECT_EQ(regions(parse_vnnlib(declare(1, 1) + "(assert (or (and (<= X_0 1) (>= X_0 0) (<= Y_0 1))"
                                                 "            (and (<= X_0 3) (>= X_0 2) (<= Y_0 2))))",
                                 "f", 1, 1)),
            kUnit + "  clause\n    Y_0 - 1 <= 0\nregion 1\n  2 <= X_0 <= 3\n  clause\n    Y_0 - 2 <= 0\n");
}

TEST(Vnnlib, BoxesAndOutputsFromDifferentDisjunctionsAreMultiplied) {
  EXPECT_EQ(in_unit_box("(assert (or (<= X_0 0.25) (>= X_0 0.75)))(assert (or (<= Y_0 1) (<= Y_1 2)))"),
            "region 0\n  0 <= X_0 <= 0.25\n  clause\n    Y_0 - 1 <= 0\n  clause\n    Y_1 - 2 <= 0\n"
            "region 1\n  0.75 <= X_0 <= 1\n  clause\n    Y_0 - 1 <= 0\n  clause\n    Y_1 - 2 <= 0\n");
}

TEST(Vnnlib, EqualBoxesShareARegionHoweverTheyAreWritten) {
  EXPECT_EQ(
      regions(parse_vnnlib(declare(1, 1) + "(assert (or (and (<= X_0 1) (>= X_0 0) (<= Y_0 1))"
                                           "            (and (>= X_0 -5) (<= Y_0 2) (<= (* 2 X_0) 2.0) (>= X_0 0e3))))",
                           "f", 1, 1)),
      kUnit + "  clause\n    Y_0 - 1 <= 0\n  clause\n    Y_0 - 2 <= 0\n");
  // The bound of the disjunct does not tighten the common box.
  EXPECT_EQ(in_unit_box("(assert (or (and (<= X_0 7) (<= Y_0 1)) (<= Y_0 2)))"),
            kUnit + "  clause\n    Y_0 - 1 <= 0\n  clause\n    Y_0 - 2 <= 0\n");
}

TEST(Vnnlib, EmptyDisjunctsAreDropped) {
  EXPECT_EQ(in_unit_box("(assert (or (and (>= X_0 2) (<= Y_0 1)) (and (<= X_0 0.5) (<= Y_0 2))))"),
            "region 0\n  0 <= X_0 <= 0.5\n  clause\n    Y_0 - 2 <= 0\n");
  EXPECT_EQ(in_unit_box("(assert (or (>= X_0 2) (<= X_0 -1)))"), "");
}

TEST(Vnnlib, NestedDisjunctionsSplitOnlyWhereInputsAreBounded) {
  EXPECT_EQ(
      in_unit_box("(assert (or (and (or (<= X_0 0.25) (<= Y_0 0)) (or (<= Y_1 1) (<= Y_1 2))) (<= Y_0 9)))"),
      "region 0\n  0 <= X_0 <= 0.25\n  clause\n    Y_1 - 1 <= 0\n  clause\n    Y_1 - 2 <= 0\n"
      "region 1\n  0 <= X_0 <= 1\n  clause\n    Y_0 <= 0\n    Y_1 - 1 <= 0\n  clause\n    Y_0 <= 0\n    Y_1 - 2 <= 0\n"
      "  clause\n    Y_0 - 9 <= 0\n");
}

// n disjunctions of two outputs each.
std::string product_of(int n) {
  std::string text;
  for (int i = 0; i < n; ++i) {
    text += "(assert (or (<= Y_0 " + std::to_string(i) + ") (<= Y_1 " + std::to_string(i) + ")))";
  }
  return text;
}

TEST(Vnnlib, ProductsAreExpandedUpToTheLimitAndStayChoicesBeyond) {
  const Property expanded = parse_in_unit_box(1, 2, product_of(12) + "(assert (<= Y_0 99))");
  ASSERT_EQ(expanded.regions.size(), 1u);
  ASSERT_EQ(expanded.regions[0].clauses.size(), kMaxExpandedClauses);
  EXPECT_EQ(expanded.regions[0].clauses[0].atoms.size(), 13u);
  EXPECT_TRUE(expanded.regions[0].clauses[0].choices.empty());

  const Property kept = parse_in_unit_box(1, 2, product_of(13) + "(assert (<= Y_0 99))");
  ASSERT_EQ(kept.regions[0].clauses.size(), 1u);
  const Clause& clause = kept.regions[0].clauses[0];
  EXPECT_EQ(clause.atoms.size(), 1u);
  ASSERT_EQ(clause.choices.size(), 13u);
  EXPECT_EQ(clause.choices[12].size(), 2u);
}

TEST(Vnnlib, OneDisjunctionIsAUnionWhateverItsLength) {
  std::string text = "(assert (<= Y_1 0))(assert (or";
  for (int i = 0; i < 5000; ++i) text += " (<= Y_0 " + std::to_string(i) + ")";
  const Property property = parse_in_unit_box(1, 2, text + "))");
  ASSERT_EQ(property.regions[0].clauses.size(), 5000u);
  for (const Clause& clause : property.regions[0].clauses) {
    ASSERT_EQ(clause.atoms.size(), 2u);
    ASSERT_TRUE(clause.choices.empty());
  }
}

TEST(Vnnlib, ContradictoryDisjunctionsOfInputsAreCutEarly) {
  // 2^60 combinations, of which all but one are empty.
  std::string text;
  for (int i = 0; i < 60; ++i) text += "(assert (or (>= X_0 0.5) (>= X_1 2)))";
  EXPECT_EQ(in_unit_box(text + "(assert (<= Y_0 0))", 2),
            "region 0\n  0.5 <= X_0 <= 1\n  0 <= X_1 <= 1\n  clause\n    Y_0 <= 0\n");
}

// Processor seconds, which a busy machine does not stretch. The limit is ten times what an unoptimised build takes; it
// is there to catch a quadratic step. Sanitizers are too slow for limits of any kind.
void expect_fast(std::clock_t start) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC, 8.0);
#else
  static_cast<void>(start);
#endif
}

// Thousands of disjuncts, each with a box of its own: about 5 MB.
TEST(Vnnlib, LargeFilesAreFast) {
  std::string many = declare(1, 1) + "(assert (or\n";
  for (int i = 0; i < 60'000; ++i) {
    const std::string low = std::to_string(i), high = std::to_string(i + 1);
    many += "(and (>= X_0 0." + std::string(8 - low.size(), '0') + low + ") (<= X_0 0." +
            std::string(8 - high.size(), '0') + high + ") (or (<= Y_0 123.25) (>= Y_0 " + low + ".75)))\n";
  }
  many += "))";
  ASSERT_GT(many.size(), 4'500'000u);
  const std::clock_t start = std::clock();
  const Property property = parse_vnnlib(many, "many", 1, 1);
  expect_fast(start);
  ASSERT_EQ(property.regions.size(), 60'000u);
  EXPECT_EQ(property.regions[59'999].box.lower[0], Rational(59'999, 100'000'000));
  EXPECT_EQ(property.regions[59'999].clauses.size(), 2u);
}

TEST(Vnnlib, ManyDisjunctsWithWideEqualBoxesAreFast) {
  std::string box;
  for (int i = 0; i < 784; ++i) {
    const std::string x = "X_" + std::to_string(i);
    box += "(>= " + x + " 0.1) (<= " + x + " 0.2) ";
  }
  std::string text = declare(784, 10) + "(assert (or\n";
  for (int i = 0; i < 150; ++i)
    text += "(and " + box + "(>= Y_" + std::to_string(i % 10) + " " + std::to_string(i) + "))\n";
  const std::clock_t start = std::clock();
  const Property property = parse_vnnlib(text + "))", "wide", 784, 10);
  expect_fast(start);
  ASSERT_EQ(property.regions.size(), 1u);
  EXPECT_EQ(property.regions[0].clauses.size(), 150u);
}

TEST(Vnnlib, ManySmallDisjunctionsOverInputsDoNotOverflowTheStack) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "(assert (or (<= X_0 2) (>= X_0 3)))";
  EXPECT_EQ(in_unit_box(text), kUnit + "  clause\n    true\n");
}

TEST(Vnnlib, ReadsPlainFilesAndNamesThemInErrors) {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("boundflow_" + std::to_string(getpid()) + ".vnnlib")).string();
  std::ofstream(path) << declare(1, 1) << "(assert (<= 0 X_0 1))(assert (<= Y_0 0))";
  EXPECT_EQ(regions(read_vnnlib(path, 1, 1)), kUnit + "  clause\n    Y_0 <= 0\n");
  std::ofstream(path) << "(assert";
  try {
    read_vnnlib(path, 1, 1);
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr(path + ":1:"));
  }
  std::filesystem::remove(path);
  EXPECT_THROW(read_vnnlib(path, 1, 1), InputError);
}

}  // namespace
}  // namespace boundflow
