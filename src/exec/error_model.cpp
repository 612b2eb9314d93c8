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
    terms += map->terms();
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

// Every partial sum, of whichever terms, lies between minus the negative terms and the positive ones, whose sums P and
// Q satisfy P + Q <= sum_abs and |P - Q| <= abs_y; so no partial sum exceeds (sum_abs + abs_y) / 2, and the last one is
// y itself. Each addition rounds its own result: the error E of the sum solves E = u ((a - 1)(H + E) + abs_y + E), with
// products already off by gamma_p relatively.
double AffineErrorModel::execution_error(double sum_abs, double abs_y, double max_abs_x,
                                         std::int64_t live_additions) const {
  // Infinity, and NaN after it, is beyond any error bound. Written so that NaN fails.
  if (!(sum_abs < deployed_range)) return kInfinity;
  const double u = deployed_unit_roundoff;
  const double product_gamma = gamma_up(products, u);
  const double product_error = product_gamma * sum_abs;
  double sum_error = 0;
  if (live_additions > 0) {
    const double largest_partial = std::min(0.5 * (sum_abs + abs_y), sum_abs) * (1 + product_gamma);
    const double root = std::min(abs_y + product_error, sum_abs * (1 + product_gamma));
    const double relative = gamma_up(live_additions, u) / static_cast<double>(live_additions);  // >= u / (1 - a u)
    sum_error = relative * (static_cast<double>(live_additions - 1) * largest_partial + root);
  }
  return (product_error + sum_error + deployed_tiny * (1 + max_abs_x)) * (1 + 0x1p-46);
}

AffineCoordinate bound_affine_coordinate(const AffineErrorModel& model, const AffineSums& sums,
                                         std::optional<std::int64_t> additions) {
  constexpr double kBiasError = 8 * kUnitRoundoff64;  // of a computed bias, times the magnitude it is computed from
  constexpr double kSlack = 1 + 0x1p-48;  // covers the few double operations of this function, all on positive numbers
  const double sum_abs =
      (sums.magnitude * model.forward_inflation + model.forward_tiny) * (1 + 2 * model.weight_error) * kSlack;
  const double abs_bias = std::max(std::fabs(sums.bias), sums.bias_magnitude);
  const double bias_error = sums.bias_magnitude * kBiasError;
  const double exact_half_width =
      (sums.radius * model.forward_inflation + model.forward_gamma * sum_abs + 2 * model.forward_tiny + bias_error) *
      kSlack;
  double execution = 0;
  if (additions) {
    const double abs_y = (std::fabs(sums.centre + sums.bias) + exact_half_width) * kSlack +
                         2 * kUnitRoundoff64 * (std::fabs(sums.centre) + abs_bias);
    execution = model.execution_error((sum_abs + abs_bias) * kSlack, abs_y, sums.max_abs_x, *additions);
  }
  const double half_width = (exact_half_width + execution) * kSlack;
  AffineCoordinate result;
  result.lower = sub_down(add_down(sums.centre, sums.bias), half_width);
  result.upper = add_up(add_up(sums.centre, sums.bias), half_width);
  result.weight = (model.backward_gamma * sum_abs + model.bias_gamma * abs_bias + bias_error + execution) * kSlack;
  return result;
}

double finish_error(double error, double magnitude, double constant, double nominal, std::int64_t terms,
                    double unit_roundoff) {
  const double summed = error * sum_inflation(terms + 64, unit_roundoff);
  const double concretized = gamma_up(terms + 4, kUnitRoundoff64) * magnitude;
  const double accumulators = 4 * kUnitRoundoff64 * (std::fabs(constant) + std::fabs(nominal));
  return (summed + concretized + accumulators) * (1 + 0x1p-48) + 0x1p-1000;
}

}  // namespace boundflow
