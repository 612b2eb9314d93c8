#pragma once
// Linear programs over a box, solved by the library Clp in float64 with tolerances. What comes out is a guess: no
// verdict may rest on it before it was checked by other means (a bound with these multipliers, a replay of the point).

#include <cstdint>
#include <optional>
#include <vector>

#include "base/deadline.hpp"

namespace boundflow {

// The least cost x over lower <= x <= upper with rows x >= at_least.
struct LinearProgram {
  std::vector<double> lower, upper, cost;  // [columns]; ends may be infinite
  std::vector<double> rows;                // [rows, columns]
  std::vector<double> at_least;            // [rows]
};

struct LinearOptimum {
  std::vector<double> point;        // [columns]
  std::vector<double> multipliers;  // [rows], >= 0: what the least cost gains where a row has to be one more
};

// Nothing where there is no optimum, where the deadline passes, or where it takes more than `most_steps` steps of the
// simplex method.
std::optional<LinearOptimum> solve(const LinearProgram& program, int most_steps, const Deadline& deadline);

}  // namespace boundflow
