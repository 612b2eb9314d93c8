#include "base/rational.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "base/random.hpp"

namespace boundflow {
namespace {

Rational decimal(const std::string& text) {
  const std::optional<Rational> q = parse_decimal(text);
  EXPECT_TRUE(q.has_value()) << text;
  return q.value_or(Rational(0));
}

// A rational of random sign and magnitude, from far below the subnormals of double to beyond its range.
Rational random_rational(Random& random) {
  Rational q(static_cast<long>(random.integer(-1'000'000'000'000, 1'000'000'000'000)),
             static_cast<unsigned long>(random.integer(1, 1'000'000'000'000)));
  q.canonicalize();
  const std::int64_t shift = random.integer(-1110, 1030);
  if (shift >= 0) return q << static_cast<mp_bitcnt_t>(shift);
  return q >> static_cast<mp_bitcnt_t>(-shift);
}

TEST(ParseDecimal, ReadsDecimalsExactly) {
  EXPECT_EQ(decimal("0.1"), Rational(1, 10));
  EXPECT_EQ(decimal("-0.250"), Rational(-1, 4));
  EXPECT_EQ(decimal("+12.5e1"), Rational(125));
  EXPECT_EQ(decimal("1200"), Rational(1200));
  EXPECT_EQ(decimal("5E-2"), Rational(1, 20));
  EXPECT_EQ(decimal("000.000"), Rational(0));
  EXPECT_EQ(decimal("-0"), Rational(0));
  EXPECT_EQ(decimal("1e+0003"), Rational(1000));
  EXPECT_EQ(decimal("123456789012345678901234567890"), Rational("123456789012345678901234567890"));
  EXPECT_EQ(decimal("0.1234567890123456789"), Rational("1234567890123456789/10000000000000000000"));
  EXPECT_EQ(decimal("0.000000000000000000000000"), Rational(0));
}

TEST(ParseDecimal, RefusesEverythingElse) {
  for (const char* text : {"",   "-",  "+",   ".5",  "5.",  "1e",  "1e+",   "e5",  "1.2.3", "0x10", "1f",
                           " 1", "1 ", "--1", "+-1", "nan", "inf", "1_000", "1,5", "1e5.5", "1ee5"}) {
    EXPECT_FALSE(parse_decimal(text).has_value()) << text;
  }
  EXPECT_FALSE(parse_decimal(std::string_view("1\0", 2)).has_value());
}

TEST(ParseDecimal, BoundsTheExponent) {
  EXPECT_TRUE(parse_decimal("1e2000").has_value());
  EXPECT_TRUE(parse_decimal("1e-2000").has_value());
  EXPECT_FALSE(parse_decimal("1e2001").has_value());
  EXPECT_FALSE(parse_decimal("1e-2001").has_value());
  EXPECT_FALSE(parse_decimal("0e99999999999999999999999").has_value());
}

TEST(ParseDecimal, BoundsTheDigits) {
  const std::string digits(1999, '7');
  EXPECT_EQ(decimal("0." + digits), Rational(digits) / decimal("1e1999"));
  EXPECT_TRUE(parse_decimal(digits + "7").has_value());
  EXPECT_FALSE(parse_decimal(digits + "77").has_value());
  EXPECT_FALSE(parse_decimal("7." + digits + "7").has_value());
}

TEST(IsDecimal, WhateverTheLength) {
  for (const std::string& text : {std::string("1e10001"), std::string("-1e-99999999999999999999"),
                                  std::string(20'000, '7'), std::string("0.5")}) {
    EXPECT_TRUE(is_decimal(text));
  }
  for (const char* text : {"", "1.2.3", "e5", "nan", "0x10", "1e"}) EXPECT_FALSE(is_decimal(text)) << text;
}

TEST(BitCount, OfNumeratorAndDenominator) {
  EXPECT_EQ(bit_count(Rational(5, 8)), 3U + 4U);
  EXPECT_GT(bit_count(decimal("1e-2000")), 6'600U);
}

TEST(ToDouble, DirectedResultsAreTheTightestDoubles) {
  Random random(1);
  for (int i = 0; i < 5000; ++i) {
    const Rational q = random_rational(random);
    const double down = to_double_down(q);
    const double up = to_double_up(q);
    ASSERT_LE(down, up);
    if (std::isfinite(down)) {
      ASSERT_LE(Rational(down), q);
      const double next = std::nextafter(down, INFINITY);
      if (std::isfinite(next)) {
        ASSERT_GT(Rational(next), q);
      }
    } else {
      ASSERT_LT(q, Rational(std::numeric_limits<double>::lowest()));
    }
    if (std::isfinite(up)) {
      ASSERT_GE(Rational(up), q);
      const double next = std::nextafter(up, -INFINITY);
      if (std::isfinite(next)) {
        ASSERT_LT(Rational(next), q);
      }
    } else {
      ASSERT_GT(q, Rational(std::numeric_limits<double>::max()));
    }
  }
}

TEST(ToDouble, ExactValuesStayInEveryDirection) {
  for (double x :
       {0.0, 1.0, -1.0, 0.1, 0x1p-1074, -0x1p-1074, 0x1.fffffffffffffp-1023, 0x1p-1022, 0x1.fffffffffffffp1023}) {
    const Rational q(x);
    EXPECT_EQ(to_double_down(q), x);
    EXPECT_EQ(to_double_up(q), x);
    EXPECT_EQ(to_double_nearest(q), x);
  }
}

TEST(ToDouble, NearestAgreesWithTheCLibraryOnDecimals) {
  for (const char* text :
       {"0.1", "-0.3", "3.141592653589793238462643", "9007199254740993", "9007199254740995", "2.2250738585072011e-308",
        "4.9406564584124654e-324", "2.4703282292062327e-324", "2.4703282292062328e-324", "1e-400",
        "1.7976931348623157e308", "1.7976931348623158e308", "1.7976931348623159e308", "-1e400"}) {
    EXPECT_EQ(to_double_nearest(decimal(text)), std::strtod(text, nullptr)) << text;
  }
  Random random(2);
  for (int i = 0; i < 3000; ++i) {
    const std::string text = std::to_string(random.integer(-1'000'000'000'000, 1'000'000'000'000)) + "." +
                             std::to_string(random.integer(0, 1'000'000'000)) + "e" +
                             std::to_string(random.integer(-340, 300));
    ASSERT_EQ(to_double_nearest(decimal(text)), std::strtod(text.c_str(), nullptr)) << text;
  }
}

TEST(ToDouble, BeyondTheRangeIsInfiniteOutwardAndFiniteInward) {
  const double largest = std::numeric_limits<double>::max();
  const Rational huge = decimal("1e2000");
  EXPECT_EQ(to_double_up(huge), INFINITY);
  EXPECT_EQ(to_double_down(huge), largest);
  EXPECT_EQ(to_double_nearest(huge), INFINITY);
  EXPECT_EQ(to_double_up(-huge), -largest);
  EXPECT_EQ(to_double_down(-huge), -INFINITY);
  EXPECT_EQ(to_double_nearest(-huge), -INFINITY);
  // Just above the largest double, and at half a step above it, where nearest turns into infinity.
  const Rational step = Rational(largest) - Rational(std::nextafter(largest, 0.0));
  EXPECT_EQ(to_double_up(Rational(largest) + step / 4), INFINITY);
  EXPECT_EQ(to_double_down(Rational(largest) + step / 4), largest);
  EXPECT_EQ(to_double_nearest(Rational(largest) + step / 4), largest);
  EXPECT_EQ(to_double_nearest(Rational(largest) + step / 2), INFINITY);
}

TEST(ToDouble, TinyValuesRoundOutwardToTheSmallestSubnormal) {
  const Rational tiny = decimal("1e-2000");
  EXPECT_EQ(to_double_up(tiny), 0x1p-1074);
  EXPECT_EQ(to_double_down(tiny), 0.0);
  EXPECT_EQ(to_double_up(-tiny), 0.0);
  EXPECT_EQ(to_double_down(-tiny), -0x1p-1074);
  EXPECT_EQ(to_double_nearest(tiny), 0.0);
}

TEST(ToFloat, NearestAgreesWithTheCLibrary) {
  for (const char* text :
       {"0.1", "0.7", "-0.129289109", "16777217", "16777219", "1e-45", "7.0064923216240853e-46",
        "7.0064923216240854e-46", "1.1754942e-38", "3.4028235e38", "3.4028235677973366e38", "1e39", "-1e39"}) {
    EXPECT_EQ(to_float_nearest(decimal(text)), std::strtof(text, nullptr)) << text;
  }
  Random random(3);
  for (int i = 0; i < 3000; ++i) {
    const std::string text = std::to_string(random.integer(-100'000'000, 100'000'000)) + "." +
                             std::to_string(random.integer(0, 1'000'000'000)) + "e" +
                             std::to_string(random.integer(-55, 35));
    ASSERT_EQ(to_float_nearest(decimal(text)), std::strtof(text.c_str(), nullptr)) << text;
  }
}

TEST(ToFloat, IsNotRoundedTwice) {
  // 1 + 2^-24 is a tie between floats; a little above it, beyond the precision of double, must round up.
  const Rational tie = 1 + Rational(1) / (1 << 24);
  EXPECT_EQ(to_float_nearest(tie), 1.0f);
  EXPECT_EQ(to_float_nearest(tie + decimal("1e-40")), 1.0f + 0x1p-23f);
  EXPECT_EQ(to_float_nearest(tie - decimal("1e-40")), 1.0f);
}

TEST(ToFloat, TiesGoToEven) {
  EXPECT_EQ(to_float_nearest(Rational(16777217)), 16777216.0f);
  EXPECT_EQ(to_float_nearest(Rational(16777219)), 16777220.0f);
  EXPECT_EQ(to_float_nearest(Rational(0x1p-150)), 0.0f);           // half the smallest subnormal
  EXPECT_EQ(to_float_nearest(Rational(3 * 0x1p-150)), 0x1p-148f);  // between one and two of them
}

TEST(DistanceUp, IsAnUpperBoundOfTheDistanceAndTight) {
  const Rational q(1, 10);
  const double distance = distance_up(q, 0.1);
  EXPECT_GT(distance, 0.0);
  EXPECT_GE(Rational(distance), abs(q - Rational(0.1)));
  EXPECT_LT(distance, 0x1p-56);
  EXPECT_EQ(distance_up(Rational(1, 2), 0.5), 0.0);
  EXPECT_EQ(distance_up(Rational(1, 2), 2.0), 1.5);
  EXPECT_EQ(distance_up(Rational(1, 2), INFINITY), INFINITY);
  EXPECT_EQ(distance_up(Rational(1, 2), NAN), INFINITY);
}

TEST(ExactDecimal, OfDoublesDenotesTheDouble) {
  EXPECT_EQ(exact_decimal(0.5), "0.5");
  EXPECT_EQ(exact_decimal(-0.0), "-0");
  EXPECT_EQ(exact_decimal(100.0), "100");
  EXPECT_EQ(exact_decimal(-1.25), "-1.25");
  EXPECT_EQ(exact_decimal(0x1p-10), "0.0009765625");
  EXPECT_EQ(exact_decimal(0x1p-20), "9.5367431640625e-7");
  EXPECT_EQ(exact_decimal(1e22), "1e22");
  EXPECT_EQ(exact_decimal(0.1), "0.1000000000000000055511151231257827021181583404541015625");
  Random random(4);
  for (int i = 0; i < 500; ++i) {
    const std::uint64_t bits = random.next();
    double x;
    std::memcpy(&x, &bits, sizeof x);
    if (!std::isfinite(x)) continue;
    ASSERT_EQ(decimal(exact_decimal(x)), Rational(x)) << x;
  }
}

TEST(ExactDecimal, OfRationalsExistsForDecimalsOnly) {
  for (const char* text : {"0", "1", "-1", "0.1", "123.456", "-0.000001", "1.5e-7", "1200", "1.23e30"}) {
    EXPECT_EQ(exact_decimal(decimal(text)), std::optional<std::string>(text));
  }
  EXPECT_EQ(exact_decimal(Rational(1, 3)), std::nullopt);
  EXPECT_EQ(exact_decimal(Rational(7, 30)), std::nullopt);
  EXPECT_EQ(exact_decimal(Rational(3, 40)), std::optional<std::string>("0.075"));
}

}  // namespace
}  // namespace boundflow
