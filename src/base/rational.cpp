#include "base/rational.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "base/limits.hpp"

namespace boundflow {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

mpz_class power_of(unsigned long base, std::uint64_t exponent) {
  mpz_class result;
  mpz_ui_pow_ui(result.get_mpz_t(), base, exponent);
  return result;
}

// The digits as an integer; `digits` holds nothing but digits.
mpz_class integer_of(const std::string& digits) {
  static_assert(sizeof(unsigned long) == 8, "18 digits must fit unsigned long");
  if (digits.size() > 18) return mpz_class(digits, 10);
  unsigned long value = 0;
  for (char c : digits) value = 10 * value + static_cast<unsigned long>(c - '0');
  return mpz_class(value);
}

enum class Rounding { TowardZero, AwayFromZero, Nearest };

// A binary floating-point format: a finite value is m * 2^e with m < 2^precision and e >= smallest_exponent.
struct Format {
  int precision;
  int smallest_exponent;
  int largest_exponent;  // of the leading bit
};
constexpr Format kDouble{53, -1074, 1023};
constexpr Format kFloat{24, -149, 127};

// |q| rounded to the format, in integers throughout: no library conversion whose rounding we would have to trust. What
// rounds beyond the format's range is infinity, or its largest finite value toward zero.
double round_magnitude(const Rational& q, const Format& format, Rounding rounding) {
  mpz_class numerator = abs(q.get_num());
  mpz_class denominator = q.get_den();
  if (numerator == 0) return 0.0;
  const double largest =
      std::ldexp(std::ldexp(1.0, format.precision) - 1.0, format.largest_exponent - format.precision + 1);
  const double beyond = rounding == Rounding::TowardZero ? largest : std::numeric_limits<double>::infinity();

  // leading = floor(log2(|q|)); the bit lengths leave two candidates.
  const auto bits = [](const mpz_class& z) { return static_cast<std::int64_t>(mpz_sizeinbase(z.get_mpz_t(), 2)); };
  std::int64_t leading = bits(numerator) - bits(denominator);
  const bool reaches = leading >= 0 ? numerator >= (denominator << static_cast<mp_bitcnt_t>(leading))
                                    : (numerator << static_cast<mp_bitcnt_t>(-leading)) >= denominator;
  if (!reaches) --leading;
  if (leading > format.largest_exponent) return beyond;

  const std::int64_t exponent = std::max<std::int64_t>(leading - format.precision + 1, format.smallest_exponent);
  if (exponent >= 0) {
    denominator <<= static_cast<mp_bitcnt_t>(exponent);
  } else {
    numerator <<= static_cast<mp_bitcnt_t>(-exponent);
  }
  mpz_class quotient, remainder;
  mpz_tdiv_qr(quotient.get_mpz_t(), remainder.get_mpz_t(), numerator.get_mpz_t(), denominator.get_mpz_t());
  bool increment = false;
  if (rounding == Rounding::AwayFromZero) increment = remainder != 0;
  if (rounding == Rounding::Nearest) {
    const int half = cmp(mpz_class(remainder * 2), denominator);
    increment = half > 0 || (half == 0 && mpz_odd_p(quotient.get_mpz_t()));
  }
  if (increment) ++quotient;  // may reach 2^precision, which is still exact
  const double result = std::ldexp(quotient.get_d(), static_cast<int>(exponent));
  return result > largest ? beyond : result;
}

double round_to(const Rational& q, const Format& format, Rounding rounding) {
  const double magnitude = round_magnitude(q, format, rounding);
  return sgn(q) < 0 ? -magnitude : magnitude;
}

// 0.digits * 10^point as text: positional where that stays short, else scientific.
std::string decimal_text(bool negative, std::string digits, std::int64_t point) {
  std::string text = negative ? "-" : "";
  const auto count = static_cast<std::int64_t>(digits.size());
  if (point > 21 || point <= -6) {
    text += digits[0];
    if (count > 1) text += "." + digits.substr(1);
    return text + "e" + std::to_string(point - 1);
  }
  if (point <= 0) return text + "0." + std::string(static_cast<std::size_t>(-point), '0') + digits;
  if (point >= count) return text + digits + std::string(static_cast<std::size_t>(point - count), '0');
  return text + digits.substr(0, static_cast<std::size_t>(point)) + "." +
         digits.substr(static_cast<std::size_t>(point));
}

// digits * 10^exponent, as a text says it.
struct Decimal {
  bool negative = false;
  std::string digits;
  std::int64_t exponent = 0;
  std::int64_t written_exponent = 0;  // the magnitude of what follows the e, or kMaxExponent + 1 where that is more
};

std::optional<Decimal> scan_decimal(std::string_view text) {
  Decimal decimal;
  std::size_t at = 0;
  decimal.negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) ++at;
  const std::size_t whole_end = skip_digits(text, at);
  if (whole_end == at) return std::nullopt;
  decimal.digits = text.substr(at, whole_end - at);
  at = whole_end;
  if (at < text.size() && text[at] == '.') {
    const std::size_t end = skip_digits(text, at + 1);
    if (end == at + 1) return std::nullopt;
    decimal.digits += text.substr(at + 1, end - at - 1);
    decimal.exponent -= static_cast<std::int64_t>(end - at - 1);
    at = end;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    const bool minus = at < text.size() && text[at] == '-';
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    const std::size_t end = skip_digits(text, at);
    if (end == at) return std::nullopt;
    std::int64_t& written = decimal.written_exponent;
    for (; at < end; ++at) written = std::min(10 * written + (text[at] - '0'), kMaxExponent + 1);
    decimal.exponent += minus ? -written : written;
  }
  if (at != text.size()) return std::nullopt;
  return decimal;
}

}  // namespace

bool is_decimal(std::string_view text) {
  return scan_decimal(text).has_value();
}

std::optional<Rational> parse_decimal(std::string_view text) {
  std::optional<Decimal> decimal = scan_decimal(text);
  if (!decimal || decimal->digits.size() > kMaxDigits || decimal->written_exponent > kMaxExponent) return std::nullopt;
  std::string& digits = decimal->digits;
  std::int64_t& exponent = decimal->exponent;
  // Zeros at the end only make the fraction below larger before it is reduced.
  while (digits.size() > 1 && digits.back() == '0') {
    digits.pop_back();
    ++exponent;
  }
  mpz_class numerator = integer_of(digits);
  if (numerator == 0) return Rational(0);
  if (decimal->negative) numerator = -numerator;
  if (exponent >= 0) return Rational(numerator * power_of(10, static_cast<std::uint64_t>(exponent)));
  Rational result(numerator, power_of(10, static_cast<std::uint64_t>(-exponent)));
  result.canonicalize();
  return result;
}

std::size_t bit_count(const Rational& q) {
  return mpz_sizeinbase(q.get_num_mpz_t(), 2) + mpz_sizeinbase(q.get_den_mpz_t(), 2);
}

double to_double_down(const Rational& q) {
  return round_to(q, kDouble, sgn(q) < 0 ? Rounding::AwayFromZero : Rounding::TowardZero);
}

double to_double_up(const Rational& q) {
  return round_to(q, kDouble, sgn(q) < 0 ? Rounding::TowardZero : Rounding::AwayFromZero);
}

double to_double_nearest(const Rational& q) {
  return round_to(q, kDouble, Rounding::Nearest);
}

float to_float_nearest(const Rational& q) {
  return static_cast<float>(round_to(q, kFloat, Rounding::Nearest));
}

double distance_up(const Rational& q, double x) {
  if (!std::isfinite(x)) return std::numeric_limits<double>::infinity();
  return round_magnitude(q - Rational(x), kDouble, Rounding::AwayFromZero);
}

std::string exact_decimal(double x) {
  if (x == 0) return std::signbit(x) ? "-0" : "0";
  return exact_decimal(Rational(x)).value();  // the denominator is a power of two
}

std::optional<std::string> exact_decimal(const Rational& q) {
  if (q == 0) return "0";
  mpz_class rest = q.get_den();
  const mp_bitcnt_t twos = mpz_scan1(rest.get_mpz_t(), 0);
  rest >>= twos;
  const mpz_class five(5);
  const mp_bitcnt_t fives = mpz_remove(rest.get_mpz_t(), rest.get_mpz_t(), five.get_mpz_t());
  if (rest != 1) return std::nullopt;

  const std::uint64_t places = std::max(twos, fives);
  const mpz_class scaled = abs(q.get_num()) * power_of(2, places - twos) * power_of(5, places - fives);
  std::string digits = scaled.get_str();
  const std::int64_t point = static_cast<std::int64_t>(digits.size()) - static_cast<std::int64_t>(places);
  while (digits.size() > 1 && digits.back() == '0') digits.pop_back();
  return decimal_text(sgn(q) < 0, std::move(digits), point);
}

}  // namespace boundflow
