#pragma once

namespace boundflow {

// Where the bounds of one value in one subproblem lie.
struct BoundsRow {
  const double* lower = nullptr;
  const double* upper = nullptr;
};

}  // namespace boundflow
