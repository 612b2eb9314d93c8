#include "exec/error_model.hpp"

#include <algorithm>
#include <cmath>

namespace boundflow {

namespace {

// (1 + a)(1 + b) - 1, rounded up.
double compound(double a, double b) {
  return b == 0 ? a : add_up(add_up(a, b), mul_up(a, b));
}

}  // namespace

AffineErrorModel::AffineErrorModel(const AffineData& affine, std::int64_t columns, bool float32_kernels) {
  const double u = float32_kernels ? kUnitRoundoff32 : kUnitRoundoff64;
  const double smallest_subnormal = float32_kernels ? 0x1p-149 : 0x1p-1074;
  std::int64_t forward_terms = 2;  // rounding of the centre is covered by the radius; two for the bias and the last sum
  std::int64_t backward_terms = 0;
  double max_weight = 1;
  bool multiplies = false;
  for (const auto& map : affine.maps) {
    const std::int64_t rounded_weights = float32_kernels && !map->exact_in_float32() ? 1 : 0;
    forward_terms += map->terms() + rounded_weights;
    if (!affine.deployed_shifts_terms) terms += map->terms();
    if (map->transpose_rounds()) backward_terms = std::max(backward_terms, map->transpose_terms() + rounded_weights);
    max_weight = std::max(max_weight, map->max_abs_weight());
    multiplies = multiplies || map->rounds();
    weight_error = std::max(weight_error, map->weight_error());
  }
  backward_gamma = compound(gamma_up(backward_terms, u), weight_error);
  forward_gamma = compound(gamma_up(forward_terms, u), weight_error);
  // Packing a weight that is below the normal floats loses more of it than any gamma covers: prove nothing with it.
  if (float32_kernels && std::any_of(affine.maps.begin(), affine.maps.end(),
                                     [](const auto& map) { return map->loses_subnormals_in_float32(); })) {
    backward_gamma = forward_gamma = kInfinity;
  }
  forward_inflation = sum_inflation(forward_terms, u);
  forward_tiny = static_cast<double>(forward_terms) * smallest_subnormal;
  backward_tiny = 2 * static_cast<double>(backward_terms) * smallest_subnormal;
  dot_tiny = static_cast<double>(columns + 1) * smallest_subnormal;
  bias_gamma = affine.bias.empty() ? 0.0 : gamma_up(columns + 4, kUnitRoundoff64);
  products = affine.deployed_products;
  additions = affine.deployed_roundings - affine.deployed_products;
  operand_range = affine.deployed_operand_range;
  deployed_unit_roundoff = affine.deployed_unit_roundoff;
  // Products by powers of two are exact, unless an execution flushes a subnormal to zero or overflows.
  if (affine.deployed_roundings > 0 || multiplies) {
    deployed_tiny = static_cast<double>(forward_terms) * affine.deployed_smallest_normal * (1 + max_weight) *
                    affine.deployed_growth;
    // Half of the largest number: partial sums may exceed the exact ones by their rounding, which gamma_m < 1 bounds.
    deployed_range = round_down(affine.deployed_largest / 2 / affine.deployed_growth);
  }
}

std::int64_t AffineErrorModel::live_additions(std::int64_t live) const {
  return std::max<std::int64_t>(additions - std::max<std::int64_t>(terms - live, 0), 0);
}

ExecutionModel AffineErrorModel::executions(double max_abs_x, std::int64_t live_additions) const {
  const double u = deployed_unit_roundoff;
  ExecutionModel model;
  model.product_gamma = gamma_up(products, u);
  if (live_additions > 0) {
    model.relative = gamma_up(live_additions, u) / static_cast<double>(live_additions);
    model.additions_but_last = static_cast<double>(live_additions - 1);
  }
  model.underflow = deployed_tiny * (1 + max_abs_x);
  model.range = max_abs_x < operand_range ? deployed_range : 0;
  return model;
}

RowErrorModel::RowErrorModel(std::int64_t terms, double unit_roundoff)
    : inflation_(sum_inflation(terms + 64, unit_roundoff)), concretize_gamma_(gamma_up(terms + 4, kUnitRoundoff64)) {}

double RowErrorModel::finish(double error, double magnitude, double constant, double nominal) const {
  const double accumulators = 4 * kUnitRoundoff64 * (std::fabs(constant) + std::fabs(nominal));
  return (error * inflation_ + concretize_gamma_ * magnitude + accumulators) * (1 + 0x1p-48) + 0x1p-1000;
}

}  // namespace boundflow
