#include "engine/value_ranges.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace boundflow {

namespace {

// NaN if either is: nothing is known then.
double least(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? std::numeric_limits<double>::quiet_NaN() : std::min(a, b);
}

ValueRange hull(ValueId value, std::span<const double> lower, std::span<const double> upper, std::int64_t boxes) {
  const std::size_t size = lower.size() / static_cast<std::size_t>(boxes);
  const auto first = static_cast<std::ptrdiff_t>(size);
  ValueRange range{value, {lower.begin(), lower.begin() + first}, {upper.begin(), upper.begin() + first}};
  for (std::size_t j = size; j < lower.size(); ++j) {
    range.lower[j % size] = least(range.lower[j % size], lower[j]);
    range.upper[j % size] = -least(-range.upper[j % size], -upper[j]);
  }
  return range;
}

}  // namespace

std::vector<ValueRange> value_ranges(const QueryEngine& engine, const Network& network, const BoundQuery& query,
                                     const Deadline& deadline) {
  std::vector<ValueRange> ranges{hull(network.input(), query.lower, query.upper, query.subproblems)};
  for (const QueryEngine::ValueBounds& bounds : engine.intermediate_bounds(query, deadline)) {
    // Several activations may read a value.
    if (ranges.back().value == bounds.value) continue;
    ranges.push_back(hull(bounds.value, bounds.lower, bounds.upper, query.subproblems));
  }
  return ranges;
}

}  // namespace boundflow
