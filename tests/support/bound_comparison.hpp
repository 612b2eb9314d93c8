#pragma once
// Comparing the bounds of two executors or programs, which differ by rounding only.

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/query_engine.hpp"

namespace boundflow {

// True if a ReLU takes the same lines on both bounds. Where rounding decides between two lines (u and -l nearly equal,
// an end nearly zero), executors may rightly differ by as much as the lines do.
inline bool same_lines(double l, double u, double other_l, double other_u) {
  return (l >= 0) == (other_l >= 0) && (u <= 0) == (other_u <= 0) && (u > -l) == (other_u > -other_l);
}

inline bool same_lines(const QueryEngine::ValueBounds& a, const QueryEngine::ValueBounds& b) {
  for (std::size_t i = 0; i < a.lower.size(); ++i) {
    if (!same_lines(a.lower[i], a.upper[i], b.lower[i], b.upper[i])) return false;
  }
  return true;
}

// The largest magnitude that any activation's input can have: what cancels in float32 cancels from there.
inline double largest_activation(const std::vector<QueryEngine::ValueBounds>& values) {
  double largest = 0;
  for (const QueryEngine::ValueBounds& value : values) {
    for (const double l : value.lower) largest = std::max(largest, std::fabs(l));
    for (const double u : value.upper) largest = std::max(largest, std::fabs(u));
  }
  return largest;
}

}  // namespace boundflow
