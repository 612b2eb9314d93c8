#pragma once
// The arithmetic of section 7 of the design, in one place for all executors: what an affine node costs a row of Lambda
// that walks through it, and how far its interval bounds must be widened. docs/soundness.md derives each term.

#include <cstdint>

#include "base/rounding.hpp"
#include "program/bound_program.hpp"

namespace boundflow {

// Constants of one affine node for kernels with unit roundoff u.
struct AffineErrorModel {
  AffineErrorModel() = default;
  AffineErrorModel(const AffineData& affine, std::int64_t columns, bool float32_kernels);

  // gamma_m of an execution whose operands have at most `live` coordinates that can be non-zero: products and sums of
  // zeros are exact. Behind a ReLU, what is dead in a subproblem's box is zero in every execution there.
  double execution_gamma(std::int64_t live) const;

  double backward_gamma = 0;     // |fl(Lambda M) - Lambda M| <= backward_gamma |Lambda| |M|, weights' rounding included
  double forward_gamma = 0;      // the same of M x
  double forward_inflation = 1;  // covers computing sums of non-negative products by the same kernels
  double forward_tiny = 0;       // absolute: underflow of a forward product's terms
  double backward_tiny = 0;      // times sum |x|max: underflow of a backward product's terms
  double dot_tiny = 0;           // absolute: underflow in the error dot itself
  double bias_gamma = 0;         // rounding of the dot with the bias, in double
  std::int64_t deployed_roundings = 0;  // the m of gamma_m of an execution, all terms live
  std::int64_t terms = 0;               // the most terms that a component has
  double deployed_unit_roundoff = 0;
  double deployed_tiny = 0;           // times (1 + |x|max): underflow of an execution, flushed to zero or not
  double deployed_range = kInfinity;  // of sum |M||x| + |bias|: from here on an execution may overflow
};

// Sound bounds of y and the weight of one coordinate, given rounded-to-nearest sums of the kernels:
// centre = sum M c, radius = sum |M| r, magnitude = sum |M| (|c| + r) with [c - r, c + r] covering x. `execution_gamma`
// is that of the model for this subproblem; deployed = false leaves executions out.
struct AffineCoordinate {
  double lower;
  double upper;
  double weight;
  double execution;  // the part of half-width and weight that covers float32 (float64) executions of the node
};
AffineCoordinate bound_affine_coordinate(const AffineErrorModel& model, double centre, double radius, double magnitude,
                                         double bias, double max_abs_x, double execution_gamma, bool deployed);

// An upper bound of a row's whole error: `error` as the row ops accumulated it over at most `columns` terms an op,
// `magnitude` of the concretization and the accumulators themselves.
double finish_error(double error, double magnitude, double constant, double nominal, std::int64_t columns,
                    double unit_roundoff);

}  // namespace boundflow
