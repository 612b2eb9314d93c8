#include "ops/exact_arithmetic.hpp"

#include <algorithm>
#include <cmath>

namespace boundflow {

namespace {

// Below this the residual of a product may itself underflow, and exactness cannot be told.
constexpr double kSmallestCheckable = 0x1p-900;

// The exponent of the lowest set bit of x != 0.
int lowest_bit(double x) {
  int exponent = 0;
  const double mantissa = std::frexp(x, &exponent);
  auto bits = static_cast<long long>(std::ldexp(mantissa, 53));
  int zeros = 0;
  while ((bits & 1) == 0) {
    bits /= 2;
    ++zeros;
  }
  return exponent - 53 + zeros;
}

}  // namespace

std::optional<double> exact_product(double a, double b) {
  if (a == 0 || b == 0) return 0.0;
  if (a == 1) return b;
  if (b == 1) return a;
  const double product = a * b;
  if (!std::isfinite(product) || std::abs(product) < kSmallestCheckable) return std::nullopt;
  if (std::fma(a, b, -product) != 0) return std::nullopt;
  return product;
}

ExactTerms::ExactTerms(DType dtype)
    : precision_(dtype == DType::Float32 ? 24 : 53),
      smallest_exponent_(dtype == DType::Float32 ? -126 : -1022),
      largest_exponent_(dtype == DType::Float32 ? 127 : 1023),
      unit_(largest_exponent_) {}

void ExactTerms::add(double term) {
  if (term == 0) return;
  if (!std::isfinite(term)) {
    valid_ = false;
    return;
  }
  unit_ = std::min(unit_, lowest_bit(term));
  magnitude_ += std::abs(term);
}

void ExactTerms::add_product(double a, double b) {
  const std::optional<double> product = exact_product(a, b);
  if (product) {
    add(*product);
  } else {
    valid_ = false;
  }
}

bool ExactTerms::exact() const {
  if (!valid_ || unit_ < smallest_exponent_) return false;
  // Sums of doubles below the limit are exact, and rounding is monotone: an excess shows in `magnitude_`.
  return magnitude_ < std::ldexp(1.0, std::min(unit_ + precision_, largest_exponent_));
}

}  // namespace boundflow
