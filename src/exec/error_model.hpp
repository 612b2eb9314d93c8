#pragma once
// The arithmetic of section 7 of the design, in one place for all executors: what an affine node costs a row of Lambda
// that walks through it, and how far its interval bounds must be widened. docs/soundness.md derives each term.

#include <cstdint>
#include <optional>

#include "base/rounding.hpp"
#include "program/bound_program.hpp"

namespace boundflow {

// Constants of one affine node for kernels with unit roundoff u.
struct AffineErrorModel {
  AffineErrorModel() = default;
  AffineErrorModel(const AffineData& affine, std::int64_t columns, bool float32_kernels);

  // Additions that round where at most `live` coordinates of the operands can be non-zero: sums with zeros are exact.
  // Behind a ReLU, what is dead in a subproblem's box is zero in every execution there.
  std::int64_t live_additions(std::int64_t live) const;

  // How far an execution may be from the exact y with |y| <= abs_y, where sum |M||x| + |bias| <= sum_abs. Infinite
  // where it might overflow.
  double execution_error(double sum_abs, double abs_y, double max_abs_x, std::int64_t additions) const;

  double backward_gamma = 0;     // |fl(Lambda M) - Lambda M| <= backward_gamma |Lambda| |M|, weights' rounding included
  double forward_gamma = 0;      // the same of M x
  double forward_inflation = 1;  // covers computing sums of non-negative products by the same kernels
  double forward_tiny = 0;       // absolute: underflow of a forward product's terms
  double backward_tiny = 0;      // times sum |x|max: underflow of a backward product's terms
  double dot_tiny = 0;           // absolute: underflow in the error dot itself
  double bias_gamma = 0;         // rounding of the dot with the bias, in double, and of the bias itself
  double weight_error = 0;       // relative: how far the maps' weights may be from the numbers they stand for
  std::int64_t products = 0;     // roundings of each term of an execution outside its sum
  std::int64_t additions = 0;    // of an execution, all terms live
  std::int64_t terms = 0;        // the most terms that a component has
  double deployed_unit_roundoff = 0;
  double deployed_tiny = 0;           // times (1 + |x|max): underflow of an execution, flushed to zero or not
  double deployed_range = kInfinity;  // of sum |M||x| + |bias|: from here on an execution may overflow
};

// Rounded-to-nearest sums of the kernels for one coordinate of y: centre = sum M c, radius = sum |M| r,
// magnitude = sum |M| (|c| + r), with [c - r, c + r] covering x.
struct AffineSums {
  double centre = 0;
  double radius = 0;
  double magnitude = 0;
  double bias = 0;
  double bias_magnitude = 0;  // at least |bias|: see facet.hpp
  double max_abs_x = 0;
};

// Sound bounds of y and the weight that a row pays for it.
struct AffineCoordinate {
  double lower;
  double upper;
  double weight;
};

// `additions`: the model's live_additions for this subproblem, empty to leave executions out.
AffineCoordinate bound_affine_coordinate(const AffineErrorModel& model, const AffineSums& sums,
                                         std::optional<std::int64_t> additions);

// An upper bound of a row's whole error: `error` as the row ops accumulated it in at most `terms` additions,
// `magnitude` of the concretization and the accumulators themselves.
double finish_error(double error, double magnitude, double constant, double nominal, std::int64_t terms,
                    double unit_roundoff);

}  // namespace boundflow
