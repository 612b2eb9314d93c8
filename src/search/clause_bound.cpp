#include "search/clause_bound.hpp"

#include <algorithm>
#include <cmath>

#include "base/rounding.hpp"

namespace boundflow {

namespace {

constexpr int kCombinationSteps = 24;
constexpr int kClipPasses = 2;

// min over the box of a . x, rounded down, and where it is attained.
struct Minimum {
  double value;
  double magnitude;  // sum |a_i| max(|l_i|, |u_i|): scales the rounding error
};

Minimum minimum_over_box(std::span<const double> a, std::span<const double> lower, std::span<const double> upper) {
  Minimum result{0, 0};
  for (std::size_t i = 0; i < a.size(); ++i) {
    result.value += a[i] >= 0 ? a[i] * lower[i] : a[i] * upper[i];
    result.magnitude += std::fabs(a[i]) * std::max(std::fabs(lower[i]), std::fabs(upper[i]));
  }
  return result;
}

bool refuted_by_rows(const Specification& specification, const RowClause& clause, const RowForms& forms) {
  for (const std::int32_t row : clause.rows) {
    if (specification.refuted(row, forms.bound[static_cast<std::size_t>(row)])) return true;
  }
  // A choice is refuted when every option is.
  return std::any_of(clause.choices.begin(), clause.choices.end(), [&](const std::vector<RowClause>& choice) {
    return std::all_of(choice.begin(), choice.end(),
                       [&](const RowClause& option) { return refuted_by_rows(specification, option, forms); });
  });
}

// A convex combination of the clause's rows, as a form.
class Combination {
 public:
  Combination(const RowClause& clause, const RowForms& forms, std::span<const double> lower,
              std::span<const double> upper)
      : clause_(clause), forms_(forms), lower_(lower), upper_(upper), slope_(lower.size()) {}

  // A sound lower bound of sum_j lambda_j row_j; also leaves slope() behind.
  double bound(const std::vector<double>& lambda) {
    std::fill(slope_.begin(), slope_.end(), 0.0);
    double constant = 0;
    double magnitude = 0;
    for (std::size_t j = 0; j < lambda.size(); ++j) {
      if (lambda[j] == 0) continue;
      const auto row = static_cast<std::size_t>(clause_.rows[j]);
      const double* form = forms_.form[row];
      for (std::size_t i = 0; i < slope_.size(); ++i) {
        const double term = lambda[j] * form[i];
        slope_[i] += term;
        magnitude += std::fabs(term) * std::max(std::fabs(lower_[i]), std::fabs(upper_[i]));
      }
      constant += lambda[j] * forms_.constant[row];
      magnitude += std::fabs(lambda[j] * forms_.constant[row]);
    }
    const Minimum minimum = minimum_over_box(slope_, lower_, upper_);
    const auto terms = static_cast<std::int64_t>(slope_.size() + lambda.size());
    const double error = gamma_up(2 * terms + 8, kUnitRoundoff64) * (magnitude + minimum.magnitude) * 2;
    return round_down(constant + minimum.value - error);
  }

  const std::vector<double>& slope() const { return slope_; }

  // The value of row j's form at the minimiser of the current slope: d bound / d lambda_j.
  double row_at_minimizer(std::size_t j) const {
    const auto row = static_cast<std::size_t>(clause_.rows[j]);
    double value = forms_.constant[row];
    for (std::size_t i = 0; i < slope_.size(); ++i)
      value += forms_.form[row][i] * (slope_[i] >= 0 ? lower_[i] : upper_[i]);
    return value;
  }

 private:
  const RowClause& clause_;
  const RowForms& forms_;
  std::span<const double> lower_;
  std::span<const double> upper_;
  std::vector<double> slope_;
};

bool all_finite(const RowClause& clause, const RowForms& forms) {
  return std::all_of(clause.rows.begin(), clause.rows.end(), [&](std::int32_t row) {
    const auto r = static_cast<std::size_t>(row);
    if (forms.form[r] == nullptr || !std::isfinite(forms.constant[r])) return false;
    return std::all_of(forms.form[r], forms.form[r] + forms.inputs, [](double a) { return std::isfinite(a); });
  });
}

// Maximises the concave bound over the simplex by exponentiated supergradient steps; stops as soon as it refutes.
void optimize_combination(Combination& combination, std::vector<double>& best_lambda, double& best) {
  const std::size_t rows = best_lambda.size();
  std::vector<double> lambda(rows, 1.0 / static_cast<double>(rows));
  std::vector<double> gradient(rows);
  for (int step = 0; step < kCombinationSteps; ++step) {
    const double value = combination.bound(lambda);
    if (value > best) {
      best = value;
      best_lambda = lambda;
    }
    if (best > 0) return;
    double largest = 0;
    for (std::size_t j = 0; j < rows; ++j) {
      gradient[j] = combination.row_at_minimizer(j);
      largest = std::max(largest, std::fabs(gradient[j]));
    }
    if (!(largest > 0)) return;
    double sum = 0;
    const double rate = 2.0 / (largest * std::sqrt(1.0 + step));
    for (std::size_t j = 0; j < rows; ++j) {
      lambda[j] *= std::exp(rate * gradient[j]);
      sum += lambda[j];
    }
    for (double& weight : lambda) weight /= sum;
  }
}

// Shrinks the box to where form . x + constant <= 0 can hold. False if nowhere. Every quantity is rounded so that the
// box stays too large.
bool clip(const double* form, double constant, std::vector<double>& lower, std::vector<double>& upper) {
  const std::size_t n = lower.size();
  const Minimum minimum = minimum_over_box({form, n}, lower, upper);
  const double error =
      gamma_up(static_cast<std::int64_t>(n) + 8, kUnitRoundoff64) * (minimum.magnitude + std::fabs(constant)) * 2;
  const double slack = -(constant + minimum.value) + error;  // >= 0 wherever the row can be violated
  if (slack < 0) return false;
  if (!std::isfinite(slack)) return true;
  for (std::size_t i = 0; i < n; ++i) {
    const double a = form[i];
    if (a == 0) continue;
    // a (x_i - end) <= slack, where end is the box's end with the smallest a x_i.
    const double reach = round_up(slack / std::fabs(a));
    if (a > 0) {
      upper[i] = std::min(upper[i], add_up(lower[i], reach));
    } else {
      lower[i] = std::max(lower[i], sub_down(upper[i], reach));
    }
  }
  return true;
}

// Where form . x is smallest over [lower, upper]; the middle of inputs that it does not depend on.
std::vector<double> minimizer_of(const double* form, std::span<const double> lower, std::span<const double> upper) {
  std::vector<double> point(lower.size());
  for (std::size_t i = 0; i < point.size(); ++i) {
    point[i] = form[i] > 0 ? lower[i] : (form[i] < 0 ? upper[i] : 0.5 * lower[i] + 0.5 * upper[i]);
  }
  return point;
}

bool usable(const CombinedRow& combined, std::size_t inputs) {
  return combined.form != nullptr && std::isfinite(combined.constant) &&
         std::all_of(combined.form, combined.form + inputs, [](double a) { return std::isfinite(a); });
}

}  // namespace

ClauseOutcome bound_clause(const Specification& specification, const RowClause& clause, const RowForms& forms,
                           const CombinedRow& combined, std::span<const double> lower, std::span<const double> upper) {
  ClauseOutcome outcome;
  outcome.refuted = refuted_by_rows(specification, clause, forms);
  // A convex combination of rows that must all be <= 0 cannot be positive.
  if (combined.form != nullptr && std::isfinite(combined.bound) && combined.bound > 0) outcome.refuted = true;
  if (outcome.refuted) return outcome;
  outcome.lower.assign(lower.begin(), lower.end());
  outcome.upper.assign(upper.begin(), upper.end());
  outcome.bound = -kInfinity;
  if (clause.rows.size() > 1) outcome.lambda.assign(clause.rows.size(), 0.0);
  const std::vector<double> flat(lower.size(), 0.0);
  outcome.minimizer = minimizer_of(flat.data(), lower, upper);
  if (clause.rows.empty() || !all_finite(clause, forms)) return outcome;

  Combination combination(clause, forms, lower, upper);
  std::vector<double> lambda(clause.rows.size(), 0.0);
  std::size_t best_row = 0;
  for (std::size_t j = 1; j < clause.rows.size(); ++j) {
    if (forms.bound[static_cast<std::size_t>(clause.rows[j])] >
        forms.bound[static_cast<std::size_t>(clause.rows[best_row])]) {
      best_row = j;
    }
  }
  lambda[best_row] = 1;
  outcome.bound = combination.bound(lambda);
  if (clause.rows.size() > 1) optimize_combination(combination, lambda, outcome.bound);
  if (std::isfinite(outcome.bound) && outcome.bound > 0) {
    outcome.refuted = true;
    return outcome;
  }
  combination.bound(lambda);
  for (std::size_t j = 0; j < lambda.size(); ++j) {
    outcome.error += lambda[j] * forms.error[static_cast<std::size_t>(clause.rows[j])];
  }
  if (clause.rows.size() > 1) outcome.lambda = lambda;

  const bool with_combined = usable(combined, lower.size());
  for (int pass = 0; pass < kClipPasses; ++pass) {
    bool possible = !with_combined || clip(combined.form, combined.constant, outcome.lower, outcome.upper);
    for (const std::int32_t row : clause.rows) {
      const auto r = static_cast<std::size_t>(row);
      possible = possible && clip(forms.form[r], forms.constant[r], outcome.lower, outcome.upper);
    }
    // Rounding may leave a sliver with crossed ends; nothing lies inside it. Written so that NaN is no empty box.
    for (std::size_t i = 0; i < outcome.lower.size(); ++i) {
      possible = possible && !(outcome.lower[i] > outcome.upper[i]);
    }
    if (!possible) {
      outcome.refuted = true;
      return outcome;
    }
  }
  const bool combined_is_best = with_combined && combined.bound > outcome.bound;
  if (combined_is_best) {
    outcome.bound = combined.bound;
    outcome.error = combined.error;
  }
  outcome.minimizer =
      minimizer_of(combined_is_best ? combined.form : combination.slope().data(), outcome.lower, outcome.upper);
  return outcome;
}

}  // namespace boundflow
