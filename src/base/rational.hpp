#pragma once
// Exact decimals. Bounds and coefficients of a property are decimals and stay so (GMP rationals) until a rounding
// direction is known; nothing is parsed through a double.

#include <gmpxx.h>

#include <optional>
#include <string>
#include <string_view>

namespace boundflow {

using Rational = mpq_class;

// True for [+-]digits[.digits][(e|E)[+-]digits] of any length.
bool is_decimal(std::string_view text);
// Parses such text. Empty on anything else, and where there are more than kMaxDigits digits or the exponent's magnitude
// exceeds kMaxExponent (a short file must not ask for gigabytes).
std::optional<Rational> parse_decimal(std::string_view text);

// Bits of the numerator and the denominator together.
std::size_t bit_count(const Rational& q);

// The largest double that is not above q, the smallest that is not below q, the nearest (ties to even). Beyond the
// range of double: -/+infinity in the outward directions and for nearest, the largest finite double inward.
double to_double_down(const Rational& q);
double to_double_up(const Rational& q);
double to_double_nearest(const Rational& q);

// The float32 that is nearest to q, ties to even, subnormals included: what an execution of the network is fed with.
float to_float_nearest(const Rational& q);

// An upper bound of |q - x|.
double distance_up(const Rational& q, double x);

// Decimal text that denotes exactly x (x finite), without superfluous digits; positional from 1e-6 to below 1e21, else
// scientific. Negative zero keeps its sign.
std::string exact_decimal(double x);
// A decimal that denotes q exactly where q's denominator has only factors 2 and 5; else empty.
std::optional<std::string> exact_decimal(const Rational& q);

}  // namespace boundflow
