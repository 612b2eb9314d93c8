#include "ops/maximum.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "ops/sound_lines.hpp"

namespace boundflow {

namespace {

bool all_finite(std::span<const double> x) {
  return std::all_of(x.begin(), x.end(), [](double value) { return std::isfinite(value); });
}

double largest(std::span<const double> x) {
  double result = -kInfinity;
  for (const double value : x) result = max_or_nan(result, value);
  return result;
}

std::size_t largest_index(std::span<const double> x) {
  return static_cast<std::size_t>(std::max_element(x.begin(), x.end()) - x.begin());
}

// The variable with the largest lower bound, of equal ones that with the largest upper bound.
std::size_t index_below(std::span<const double> l, std::span<const double> u) {
  std::size_t best = 0;
  for (std::size_t j = 1; j < l.size(); ++j) {
    if (l[j] > l[best] || (l[j] == l[best] && u[j] > u[best])) best = j;
  }
  return best;
}

double largest_but(std::span<const double> x, std::size_t i) {
  return max_or_nan(largest(x.first(i)), largest(x.subspan(i + 1)));
}

// True if variable i is the maximum on the whole box.
bool dominates(std::span<const double> l, std::span<const double> u, std::size_t i) {
  return l[i] >= largest_but(u, i);
}

// -x in memory that the thread keeps, apart for the first and the second of two: queries call this without allocating.
template <int kSlot = 0>
std::span<const double> negated(std::span<const double> x) {
  thread_local std::vector<double> result;
  result.assign(x.begin(), x.end());
  for (double& value : result) value = -value;
  return result;
}

}  // namespace

double MaximumFunction::value(std::span<const double> x) const {
  return largest(x);
}

void MaximumFunction::gradient(std::span<const double> x, std::span<double> gradient) const {
  std::fill(gradient.begin(), gradient.end(), std::isnan(largest(x)) ? kNan : 0.0);
  gradient[largest_index(x)] += 1;
}

void MaximumFunction::image(std::span<const double> l, std::span<const double> u, double& image_l,
                            double& image_u) const {
  image_l = largest(l);
  image_u = largest(u);
  if (std::isnan(image_l) || std::isnan(image_u)) image_l = image_u = kNan;
}

bool MaximumFunction::is_stable(std::span<const double> l, std::span<const double> u) const {
  return dominates(l, u, index_below(l, u));
}

void MaximumFunction::relax(std::span<const double> l, std::span<const double> u, bool float32_slopes,
                            std::span<double> lower, double& lower_intercept, std::span<double> upper,
                            double& upper_intercept) const {
  if (!all_finite(l) || !all_finite(u)) {
    std::fill(lower.begin(), lower.end(), kNan);
    std::fill(upper.begin(), upper.end(), kNan);
    lower_intercept = upper_intercept = kNan;
    return;
  }
  std::fill(lower.begin(), lower.end(), 0.0);
  std::fill(upper.begin(), upper.end(), 0.0);
  const std::size_t j = index_below(l, u);
  lower[j] = 1;
  lower_intercept = 0;
  if (dominates(l, u, j)) {
    upper[j] = 1;
    upper_intercept = 0;
    return;
  }
  const std::size_t i = largest_index(u);
  const double others = largest_but(u, i);
  const double slope = kernel_slope(chord_slope(l[i], std::max(others, l[i]), u[i], u[i], 0, 1), float32_slopes);
  upper[i] = slope;
  // For any slope in [0, 1]: above the others if it is so at l_i, above x_i if it is so at both ends.
  if (slope == 0) {
    upper_intercept = u[i];
    return;
  }
  const double rest = slope == 1 ? 0.0 : round_up(1 - slope);
  const double rest_down = slope == 1 ? 0.0 : round_down(1 - slope);
  const auto own = [&](double x) { return mul_up(x >= 0 ? rest : rest_down, x); };
  upper_intercept = std::max({sub_up(others, mul_down(slope, l[i])), own(l[i]), own(u[i])});
}

double MinimumFunction::value(std::span<const double> x) const {
  return -maximum_.value(negated(x));
}

void MinimumFunction::gradient(std::span<const double> x, std::span<double> gradient) const {
  maximum_.gradient(negated(x), gradient);
}

void MinimumFunction::image(std::span<const double> l, std::span<const double> u, double& image_l,
                            double& image_u) const {
  double low = 0, high = 0;
  maximum_.image(negated(u), negated<1>(l), low, high);
  image_l = -high;
  image_u = -low;
}

bool MinimumFunction::is_stable(std::span<const double> l, std::span<const double> u) const {
  return maximum_.is_stable(negated(u), negated<1>(l));
}

void MinimumFunction::relax(std::span<const double> l, std::span<const double> u, bool float32_slopes,
                            std::span<double> lower, double& lower_intercept, std::span<double> upper,
                            double& upper_intercept) const {
  // max(-x) <= s (-x) + t turns into min(x) >= s x - t: the slopes stay, the planes trade places.
  maximum_.relax(negated(u), negated<1>(l), float32_slopes, upper, upper_intercept, lower, lower_intercept);
  lower_intercept = -lower_intercept;
  upper_intercept = -upper_intercept;
}

}  // namespace boundflow
