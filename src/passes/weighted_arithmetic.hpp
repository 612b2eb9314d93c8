#pragma once
// What passes compute new weights and biases of weighted nodes with, and the range in which the error model of the
// result is true.

#include <cmath>
#include <vector>

#include "passes/weighted_node.hpp"

namespace boundflow {

// Beyond these, relative errors need not hold, or an execution may overflow in between.
inline constexpr double kLargestNumber = 0x1p60;     // of weights, scales, shifts and operands
inline constexpr double kSmallestNumber = 0x1p-149;  // of the same; zero is none of them
inline constexpr double kLargestGrowth = 0x1p40;
inline constexpr double kSmallestError = 0x1p-53;

// True if every value is zero or has a magnitude in [smallest, kLargestNumber].
bool in_range(const std::vector<double>& values, double smallest);

// False if the computed weights or errors leave the range in which all of this is true.
bool is_sound(const WeightedNode& node);

// A relative error in units of 2^-53, rounded up.
std::int64_t in_roundings(double error);

// The sum of products with twice the precision, so that its error is hardly more than one rounding of `sum`
// (Ogita, Rump and Oishi 2005).
class Accumulator {
 public:
  explicit Accumulator(double start) : sum_(start) {}
  void add_product(double a, double b) {
    const double product = a * b;
    const double sum = sum_ + product;
    const double part = sum - sum_;
    low_ += ((sum_ - (sum - part)) + (product - part)) + std::fma(a, b, -product);
    sum_ = sum;
  }
  double sum() const { return sum_ + low_; }

 private:
  double sum_;
  double low_ = 0;
};

}  // namespace boundflow
