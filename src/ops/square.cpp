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

Relaxation SquareFunction::relax(double l, double u, bool float32_slopes) const {
  if (!std::isfinite(l) || !std::isfinite(u)) return kNoLines;
  Relaxation lines;
  // Near (u^2 - l^2) / (u - l), and the derivative at (l + u) / 2.
  lines.lower_slope = lines.upper_slope = kernel_slope(l + u, float32_slopes);
  // x^2 - s x is nowhere below -(s / 2)^2.
  const double half = lines.lower_slope / 2;
  lines.lower_intercept = -mul_up(half, half);
  // A convex function stays below a line if it does so at both ends.
  lines.upper_intercept = max_or_nan(above_line(l, lines.upper_slope), above_line(u, lines.upper_slope));
  return lines;
}

double SquareFunction::deployed_error(double l, double u, double unit_roundoff) const {
  const double largest = max_or_nan(std::fabs(l), std::fabs(u));
  return product_deployed_error(largest, largest, unit_roundoff);
}

}  // namespace boundflow
