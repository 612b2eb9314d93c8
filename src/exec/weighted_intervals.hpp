#pragma once
// The interval of a weighted sum of variables that lie in intervals: the loop of constraint propagation, compiled to
// vector code for each instruction set and dispatched at run time.

#include <cstdint>

namespace boundflow {

// To nearest, added up in an order that depends on the number of terms and the instruction set: the caller covers the
// rounding. NaN in a bound gives NaN in `low` or in `high`.
struct WeightedInterval {
  double low = 0;
  double high = 0;
  double magnitude = 0;  // the sum of the largest magnitudes of the terms
  double widest = 0;     // of the terms' intervals
};

// Of weights[e] x[columns[e]], e < n, where lower[i] <= x[i] <= upper[i]; of weights[e] x[e] if `columns` is nullptr.
WeightedInterval weighted_interval(const double* weights, const std::int32_t* columns, std::int64_t n,
                                   const double* lower, const double* upper);

// What happens to n such sums when one of their variables' lower ends moves up by `change`, with its weights in each:
// low[r] += max(weights[r], 0) change and high[r] += min(weights[r], 0) change. For an upper end low and high change
// places.
void move_lower_end(const double* weights, std::int64_t n, double change, double* low, double* high);

}  // namespace boundflow
