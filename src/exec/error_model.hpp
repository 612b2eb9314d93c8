#pragma once
// The arithmetic of section 7 of the design, in one place for all executors: what an affine node costs a row of Lambda
// that walks through it, and how far its interval bounds must be widened. docs/soundness.md derives each term.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>

#include "base/rounding.hpp"
#include "program/bound_program.hpp"

namespace boundflow {

// What an execution may add to every coordinate of an affine node's result alike, in one subproblem. Every partial sum,
// of whichever terms, lies between minus the negative terms and the positive ones, whose sums P and Q satisfy P + Q <=
// sum_abs and |P - Q| <= abs_y; so no partial sum exceeds (sum_abs + abs_y) / 2, and the last one is y itself. Each
// addition rounds its own result: the error E of the sum solves E = u ((a - 1)(H + E) + abs_y + E), with products
// already off by gamma_p relatively.
struct ExecutionModel {
  double product_gamma = 0;       // gamma_p of the roundings of each term outside its sum
  double relative = 0;            // >= u / (1 - a u) where there are additions, else 0
  double additions_but_last = 0;  // a - 1
  double underflow = 0;           // absolute
  double range = kInfinity;       // of sum_abs: from here on an execution may overflow

  // How far an execution may be from the exact y with |y| <= abs_y, where sum |M||x| + |bias| <= sum_abs. Infinite
  // where it might overflow: infinity, and NaN after it, is beyond any error bound. Written so that NaN fails.
  [[gnu::always_inline]] double error(double sum_abs, double abs_y) const {
    const double product_error = product_gamma * sum_abs;
    const double largest_partial = std::min(0.5 * (sum_abs + abs_y), sum_abs) * (1 + product_gamma);
    const double root = std::min(abs_y + product_error, sum_abs * (1 + product_gamma));
    const double sum_error = relative * (additions_but_last * largest_partial + root);
    const double all = (product_error + sum_error + underflow) * (1 + 0x1p-46);
    return sum_abs < range ? all : kInfinity;
  }
};

// Constants of one affine node for kernels with unit roundoff u.
struct AffineErrorModel {
  AffineErrorModel() = default;
  AffineErrorModel(const AffineData& affine, std::int64_t columns, bool float32_kernels);

  // Additions that round where at most `live` coordinates of the operands can be non-zero: sums with zeros are exact.
  // Behind a ReLU, what is dead in a subproblem's box is zero in every execution there.
  std::int64_t live_additions(std::int64_t live) const;

  // What executions may add in a subproblem where no coordinate exceeds `max_abs_x`.
  ExecutionModel executions(double max_abs_x, std::int64_t additions) const;

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
  std::int64_t terms = 0;        // the most terms of a component that an execution does not add where they are zero
  double deployed_unit_roundoff = 0;
  double deployed_tiny = 0;           // times (1 + |x|max): underflow of an execution, flushed to zero or not
  double deployed_range = kInfinity;  // of sum |M||x| + |bias|: from here on an execution may overflow
  double operand_range = kInfinity;   // of |x|max: the same
};

// Rounded-to-nearest sums of the kernels for one coordinate of y: centre = sum M c, radius = sum |M| r,
// magnitude = sum |M| (|c| + r), with [c - r, c + r] covering x.
struct AffineSums {
  double centre = 0;
  double radius = 0;
  double magnitude = 0;
  double bias = 0;
  double bias_magnitude = 0;  // at least |bias|: see facet.hpp
};

// Sound bounds of y and the weight that a row pays for it.
struct AffineCoordinate {
  double lower;
  double upper;
  double weight;
};

// `executions` is left out unless `deployed`. Free of branches, so that loops over coordinates become vector code.
template <bool deployed>
[[gnu::always_inline]] inline AffineCoordinate bound_affine_coordinate(const AffineErrorModel& model,
                                                                       const AffineSums& sums,
                                                                       const ExecutionModel& executions) {
  constexpr double kSlack = 1 + 0x1p-48;  // covers the few double operations of this function, all on positive numbers
  const double sum_abs =
      (sums.magnitude * model.forward_inflation + model.forward_tiny) * (1 + 2 * model.weight_error) * kSlack;
  const double abs_bias = std::max(std::fabs(sums.bias), sums.bias_magnitude);
  const double bias_error = sums.bias_magnitude * kBiasError;
  const double exact_half_width =
      (sums.radius * model.forward_inflation + model.forward_gamma * sum_abs + 2 * model.forward_tiny + bias_error) *
      kSlack;
  double execution = 0;
  if constexpr (deployed) {
    const double abs_y = (std::fabs(sums.centre + sums.bias) + exact_half_width) * kSlack +
                         2 * kUnitRoundoff64 * (std::fabs(sums.centre) + abs_bias);
    execution = executions.error((sum_abs + abs_bias) * kSlack, abs_y);
  }
  const double half_width = (exact_half_width + execution) * kSlack;
  AffineCoordinate result;
  result.lower = sub_down(add_down(sums.centre, sums.bias), half_width);
  result.upper = add_up(add_up(sums.centre, sums.bias), half_width);
  result.weight = (model.backward_gamma * sum_abs + model.bias_gamma * abs_bias + bias_error + execution) * kSlack;
  return result;
}

// What a row's whole error comes to, where it was accumulated in at most `terms` additions with this unit roundoff.
class RowErrorModel {
 public:
  RowErrorModel() = default;
  RowErrorModel(std::int64_t terms, double unit_roundoff);

  // An upper bound, from the `error` that the row ops accumulated, the `magnitude` of the concretization, and the
  // accumulators themselves.
  double finish(double error, double magnitude, double constant, double nominal) const;

 private:
  double inflation_ = kInfinity;
  double concretize_gamma_ = kInfinity;
};

}  // namespace boundflow
