#include "search/row_gradients.hpp"

#include <algorithm>

namespace boundflow {

namespace {

// out[i] += sum_r weights[r] matrix[r, i].
void add_weighted_rows(std::span<const double> weights, const std::vector<double>& matrix, std::span<double> out) {
  for (std::size_t r = 0; r < weights.size(); ++r) {
    if (weights[r] == 0) continue;
    const double* row = matrix.data() + r * out.size();
    for (std::size_t i = 0; i < out.size(); ++i) out[i] += weights[r] * row[i];
  }
}

}  // namespace

bool RowGradients::compute(const LinearSpec& spec, const Evaluator& evaluator, std::span<const double> points,
                           std::int64_t count, const Weigh& weigh, const Deadline& deadline) {
  rows_ = spec.rows;
  inputs_ = spec.inputs;
  const auto rows = static_cast<std::size_t>(rows_);
  const auto inputs = static_cast<std::size_t>(inputs_);
  const auto outputs = static_cast<std::size_t>(spec.outputs);
  const auto points_count = static_cast<std::size_t>(count);
  outputs_.resize(points_count * outputs);
  gradients_.resize(points_count * inputs);
  values_.resize(points_count * rows);
  weights_.resize(points_count * rows);
  const auto choose = [&](std::int64_t first, std::span<const double> block, std::span<double> cotangents) {
    const auto at = static_cast<std::size_t>(first);
    const std::size_t size = outputs == 0 ? 0 : block.size() / outputs;
    row_values(spec, points.subspan(at * inputs), block, static_cast<std::int64_t>(size),
               std::span(values_).subspan(at * rows));
    std::fill(cotangents.begin(), cotangents.end(), 0.0);
    for (std::size_t p = 0; p < size; ++p) {
      const std::span<double> weights = std::span(weights_).subspan((at + p) * rows, rows);
      std::fill(weights.begin(), weights.end(), 0.0);
      weigh(static_cast<std::int64_t>(at + p), values(static_cast<std::int64_t>(at + p)), weights);
      add_weighted_rows(weights, spec.output_coefficients, cotangents.subspan(p * outputs, outputs));
    }
  };
  if (!evaluator.gradient(points, count, choose, outputs_, gradients_, deadline)) return false;
  if (spec.input_coefficients.empty()) return true;
  for (std::size_t p = 0; p < points_count; ++p) {
    add_weighted_rows(std::span(weights_).subspan(p * rows, rows), spec.input_coefficients,
                      std::span(gradients_).subspan(p * inputs, inputs));
  }
  return true;
}

}  // namespace boundflow
