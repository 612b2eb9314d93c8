#include "ir/property.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"
#include "base/random.hpp"

namespace boundflow {
namespace {

Rational decimal(const char* text) {
  return parse_decimal(text).value();
}

TEST(OutwardBox, ContainsTheDecimalAndItsFloat) {
  Random random(7);
  for (int i = 0; i < 2000; ++i) {
    Rational low(static_cast<long>(random.integer(-1'000'000, 1'000'000)), 999'983UL);
    Rational high = low + Rational(static_cast<long>(random.integer(0, 3)), 99'999'989UL);
    const InputBox box = outward_box({{low}, {high}});
    ASSERT_LE(Rational(box.lower[0]), low);
    ASSERT_GE(Rational(box.upper[0]), high);
    ASSERT_LE(box.lower[0], to_float_nearest(low));
    ASSERT_GE(box.upper[0], to_float_nearest(high));
    // No wider than that.
    ASSERT_TRUE(box.lower[0] == to_double_down(low) || box.lower[0] == to_float_nearest(low));
    ASSERT_TRUE(box.upper[0] == to_double_up(high) || box.upper[0] == to_float_nearest(high));
  }
}

TEST(OutwardBox, PinnedDecimalWithoutFloatGetsWidth) {
  const InputBox box = outward_box({{decimal("0.1")}, {decimal("0.1")}});
  EXPECT_LT(box.lower[0], 0.1);  // the double 0.1 lies above the decimal
  EXPECT_EQ(box.upper[0], 0.1f);
}

TEST(OutwardBox, FloatsAreKeptAsTheyAre) {
  const InputBox box = outward_box({{Rational(-0.5), Rational(0)}, {Rational(0.25), Rational(0)}});
  EXPECT_EQ(box.lower, (std::vector<double>{-0.5, 0.0}));
  EXPECT_EQ(box.upper, (std::vector<double>{0.25, 0.0}));
}

TEST(OutwardBox, TinyBoundThatExecutesAsZeroIncludesZero) {
  const InputBox box = outward_box({{decimal("1e-60")}, {decimal("2e-60")}});
  EXPECT_EQ(box.lower[0], 0.0);
  EXPECT_GE(Rational(box.upper[0]), decimal("2e-60"));
}

TEST(OutwardBox, BoundBeyondFloatRangeIsRefusedByName) {
  // Rounds to the largest float: still fine.
  EXPECT_NO_THROW(outward_box({{Rational(0)}, {decimal("3.4028235e38")}}));
  try {
    outward_box({{Rational(0), Rational(0)}, {Rational(1), decimal("3.5e38")}});
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("X_1"));
    EXPECT_THAT(error.what(), testing::HasSubstr("float32"));
  }
  EXPECT_THROW(outward_box({{decimal("-1e400")}, {Rational(0)}}), InputError);
}

TEST(PrintProperty, ShowsBoundsAtomsAndChoices) {
  Property property{2, 2, {}};
  Region region;
  region.box = {{decimal("0.1"), Rational(-1)}, {Rational(1, 3), Rational(0)}};
  Clause clause;
  clause.atoms.push_back({{{0, 2}}, {{0, -1}, {1, Rational(-1, 3)}}, decimal("-0.5"), true});
  clause.atoms.push_back({{}, {}, 1, false});
  clause.choices.push_back({Clause{{{{}, {{1, 1}}, 0, false}}, {}}, Clause{}});
  region.clauses = {clause, Clause{}};
  property.regions.push_back(region);
  EXPECT_EQ(print(property),
            "property of 2 inputs and 2 outputs, 1 regions\n"
            "region 0\n"
            "  0.1 <= X_0 <= 1/3\n"
            "  -1 <= X_1 <= 0\n"
            "  clause\n"
            "    2*X_0 - Y_0 - 1/3*Y_1 - 0.5 < 0\n"
            "    1 <= 0\n"
            "    one of\n"
            "      clause\n"
            "        Y_1 <= 0\n"
            "      clause\n"
            "        true\n"
            "  clause\n"
            "    true\n");
}

}  // namespace
}  // namespace boundflow
