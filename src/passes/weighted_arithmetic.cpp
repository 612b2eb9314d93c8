#include "passes/weighted_arithmetic.hpp"

#include <algorithm>

namespace boundflow {

namespace {

constexpr double kSmallestWeight = 0x1p-126;  // of computed ones: below, rounding to float32 has no relative bound

}  // namespace

bool in_range(const std::vector<double>& values, double smallest) {
  return std::all_of(values.begin(), values.end(),
                     [&](double v) { return v == 0 || (std::fabs(v) >= smallest && std::fabs(v) <= kLargestNumber); });
}

bool is_sound(const WeightedNode& node) {
  return in_range(node.weights, kSmallestWeight) && in_range(node.bias, 0) && in_range(node.magnitude, 0) &&
         node.growth <= kLargestGrowth && node.bias_roundings <= kMostBiasRoundings;
}

std::int64_t in_roundings(double error) {
  return static_cast<std::int64_t>(std::ceil(error / kSmallestError));
}

}  // namespace boundflow
