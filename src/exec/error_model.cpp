#include "exec/error_model.hpp"

#include <algorithm>
#include <cmath>

namespace boundflow {

AffineErrorModel::AffineErrorModel(const AffineData& affine, std::int64_t columns, bool float32_kernels) {
  const double u = float32_kernels ? kUnitRoundoff32 : kUnitRoundoff64;
  const double smallest_subnormal = float32_kernels ? 0x1p-149 : 0x1p-1074;
  std::int64_t forward_terms = 2;  // rounding of the centre is covered by the radius; two for the bias and the last sum
  std::int64_t backward_terms = 0;
  double max_weight = 1;
  bool products = false;
  for (const auto& map : affine.maps) {
    const std::int64_t rounded_weights = float32_kernels && !map->exact_in_float32() ? 1 : 0;
    forward_terms += map->terms() + rounded_weights;
    terms += map->terms();
    if (map->transpose_rounds()) backward_terms = std::max(backward_terms, map->transpose_terms() + rounded_weights);
    max_weight = std::max(max_weight, map->max_abs_weight());
    products = products || map->rounds();
  }
  backward_gamma = gamma_up(backward_terms, u);
  forward_gamma = gamma_up(forward_terms, u);
  forward_inflation = sum_inflation(forward_terms, u);
  forward_tiny = static_cast<double>(forward_terms) * smallest_subnormal;
  // Weights that are subnormal floats lose up to half a subnormal each when rounded, hence the factor 2.
  backward_tiny = 2 * static_cast<double>(backward_terms) * smallest_subnormal;
  dot_tiny = static_cast<double>(columns + 1) * smallest_subnormal;
  bias_gamma = affine.bias.empty() ? 0.0 : gamma_up(columns + 4, kUnitRoundoff64);
  deployed_roundings = affine.deployed_roundings;
  deployed_unit_roundoff = affine.deployed_unit_roundoff;
  // Products by powers of two are exact, unless an execution flushes a subnormal to zero or overflows.
  if (affine.deployed_roundings > 0 || products) {
    deployed_tiny = static_cast<double>(forward_terms) * affine.deployed_smallest_normal * (1 + max_weight);
    // Half of the largest number: partial sums may exceed the exact ones by their rounding, which gamma_m < 1 bounds.
    deployed_range = round_down(affine.deployed_largest / 2 / affine.deployed_growth);
  }
}

double AffineErrorModel::execution_gamma(std::int64_t live) const {
  const std::int64_t absent = std::max<std::int64_t>(terms - live, 0);
  return gamma_up(std::max<std::int64_t>(deployed_roundings - absent, 0), deployed_unit_roundoff);
}

AffineCoordinate bound_affine_coordinate(const AffineErrorModel& model, double centre, double radius, double magnitude,
                                         double bias, double max_abs_x, double execution_gamma, bool deployed) {
  constexpr double kSlack = 1 + 0x1p-48;  // covers the few double operations of this function, all on positive numbers
  const double sum_abs = (magnitude * model.forward_inflation + model.forward_tiny) * kSlack;
  double execution = 0;
  if (deployed) {
    execution = (execution_gamma * (sum_abs + std::fabs(bias)) + model.deployed_tiny * (1 + max_abs_x)) * kSlack;
    // Infinity, and NaN after it, is beyond any error bound. Written so that NaN fails.
    if (!(sum_abs + std::fabs(bias) < model.deployed_range)) execution = kInfinity;
  }
  const double half_width =
      (radius * model.forward_inflation + model.forward_gamma * sum_abs + 2 * model.forward_tiny + execution) * kSlack;
  AffineCoordinate result;
  result.lower = sub_down(add_down(centre, bias), half_width);
  result.upper = add_up(add_up(centre, bias), half_width);
  result.weight = (model.backward_gamma * sum_abs + model.bias_gamma * std::fabs(bias) + execution) * kSlack;
  result.execution = execution;
  return result;
}

double finish_error(double error, double magnitude, double constant, double nominal, std::int64_t columns,
                    double unit_roundoff) {
  const double summed = error * sum_inflation(columns + 64, unit_roundoff);
  const double concretized = gamma_up(columns + 4, kUnitRoundoff64) * magnitude;
  const double accumulators = 4 * kUnitRoundoff64 * (std::fabs(constant) + std::fabs(nominal));
  return (summed + concretized + accumulators) * (1 + 0x1p-48) + 0x1p-1000;
}

}  // namespace boundflow
