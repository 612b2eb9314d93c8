#pragma once
// Values of a specification's rows at points and the gradient, at each point, of a weighted sum of them. Not rigorous.

#include <functional>
#include <span>
#include <vector>

#include "search/specification.hpp"

namespace boundflow {

class RowGradients {
 public:
  // Writes the weights [rows] of point p's sum, given the values [rows] of all rows there.
  using Weigh = std::function<void(std::int64_t p, std::span<const double> values, std::span<double> weights)>;

  // For points [count, inputs]. False: stopped by the deadline, nothing is valid.
  bool compute(const LinearSpec& spec, const Evaluator& evaluator, std::span<const double> points, std::int64_t count,
               const Weigh& weigh, const Deadline& deadline);

  std::span<const double> values(std::int64_t p) const { return entry(values_, p, rows_); }
  std::span<const double> gradient(std::int64_t p) const { return entry(gradients_, p, inputs_); }

 private:
  static std::span<const double> entry(const std::vector<double>& all, std::int64_t p, std::int64_t size) {
    return std::span(all).subspan(static_cast<std::size_t>(p * size), static_cast<std::size_t>(size));
  }

  std::int64_t rows_ = 0;
  std::int64_t inputs_ = 0;
  std::vector<double> outputs_;
  std::vector<double> gradients_;
  std::vector<double> values_;
  std::vector<double> weights_;
};

}  // namespace boundflow
