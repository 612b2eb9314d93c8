#include "search/combination.hpp"

#include <cmath>
#include <vector>

#include "base/rounding.hpp"

namespace boundflow {

namespace {

// Appends sum_j lambda_j row_j to a matrix of coefficients; what rounding loses goes to the errors.
void append_combination(std::span<const std::int32_t> rows, std::span<const float> lambda, std::size_t columns,
                        std::vector<double>& coefficients, std::vector<double>& errors) {
  const std::size_t start = coefficients.size();
  coefficients.resize(start + columns, 0.0);
  errors.resize(start + columns, 0.0);
  const double gamma = gamma_up(static_cast<std::int64_t>(rows.size()) + 2, kUnitRoundoff64);
  for (std::size_t i = 0; i < columns; ++i) {
    double magnitude = 0;
    double lost = 0;
    for (std::size_t j = 0; j < rows.size(); ++j) {
      const std::size_t at = static_cast<std::size_t>(rows[j]) * columns + i;
      const double weight = static_cast<double>(lambda[j]);
      coefficients[start + i] += weight * coefficients[at];
      magnitude += weight * std::fabs(coefficients[at]);
      lost += weight * errors[at];
    }
    errors[start + i] = magnitude == 0 && lost == 0 ? 0.0 : (gamma * magnitude + lost) * (1 + 0x1p-40) + 0x1p-1000;
  }
}

}  // namespace

std::int32_t append_combination(LinearSpec& spec, std::span<const std::int32_t> rows, std::span<const float> lambda) {
  append_combination(rows, lambda, static_cast<std::size_t>(spec.outputs), spec.output_coefficients,
                     spec.output_coefficient_errors);
  if (!spec.input_coefficients.empty()) {
    append_combination(rows, lambda, static_cast<std::size_t>(spec.inputs), spec.input_coefficients,
                       spec.input_coefficient_errors);
  }
  append_combination(rows, lambda, 1, spec.constants, spec.constant_errors);
  return static_cast<std::int32_t>(spec.rows++);
}

}  // namespace boundflow
