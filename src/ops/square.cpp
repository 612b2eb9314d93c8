#include "ops/square.hpp"

#include <algorithm>
#include <cmath>

#include "ops/product.hpp"
#include "ops/sound_lines.hpp"

namespace boundflow {

namespace {

// x (x - slope), rounded up.
double above_line(double x, double slope) {
  return max_or_nan(mul_up(x, sub_up(x, slope)), mul_up(x, sub_down(x, slope)));
}

}  // namespace

void SquareFunction::image(double l, double u, double& image_l, double& image_u) const {
  image_l = l <= 0 && u >= 0 ? 0 : std::max(min_or_nan(mul_down(l, l), mul_down(u, u)), 0.0);
  image_u = max_or_nan(mul_up(l, l), mul_up(u, u));
  if (std::isnan(l) || std::isnan(u)) image_l = image_u = kNan;
}

namespace {

// x^2 - s x is nowhere below -(s / 2)^2.
Line line_below(double slope, bool float32_slopes) {
  slope = kernel_slope(slope, float32_slopes);
  return {slope, -mul_up(slope / 2, slope / 2)};
}

// Near (u^2 - l^2) / (u - l). A convex function stays below a line if it does so at both ends.
Line line_above(double l, double u, bool float32_slopes) {
  const double slope = kernel_slope(l + u, float32_slopes);
  return {slope, max_or_nan(above_line(l, slope), above_line(u, slope))};
}

}  // namespace

Relaxation SquareFunction::relax(double l, double u, bool float32_slopes) const {
  if (!std::isfinite(l) || !std::isfinite(u)) return kNoLines;
  const Line below = line_below(l + u, float32_slopes), above = line_above(l, u, float32_slopes);
  return {below.slope, below.intercept, above.slope, above.intercept};
}

bool SquareFunction::choices(double l, double u, bool float32_slopes, LineChoices& found) const {
  if (!(l < u) || !std::isfinite(l) || !std::isfinite(u)) return false;
  found.clear();
  for (int i = 0; i < kTangents; ++i) found.below.add(line_below(2 * tangent_at(l, u, i), float32_slopes));
  found.below.start = 0.5;
  found.above.add(line_above(l, u, float32_slopes));
  return true;
}

bool SquareFunction::split_point(double l, double u, double& point) const {
  return split_in_the_middle(l, u, point);
}

double SquareFunction::deployed_error(double l, double u, double unit_roundoff) const {
  const double largest = max_or_nan(std::fabs(l), std::fabs(u));
  return product_deployed_error(largest, largest, unit_roundoff);
}

}  // namespace boundflow
