#include "ops/product.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "ops/sound_lines.hpp"

namespace boundflow {

namespace {

struct Plane {
  double x = 0;
  double y = 0;
  double intercept = 0;
};

struct Box {
  double l_x, u_x, l_y, u_y;
};

// The plane with the given slopes under sign * x y, the intercept rounded down. x y minus a plane is linear in x and in
// y, so it is smallest at a corner.
Plane plane_below(const Box& box, double sign, double slope_x, double slope_y, bool float32_slopes) {
  Plane plane{kernel_slope(slope_x, float32_slopes), kernel_slope(slope_y, float32_slopes), kInfinity};
  for (const double x : {box.l_x, box.u_x}) {
    for (const double y : {box.l_y, box.u_y}) {
      const double above_x = sub_down(mul_down(sign * x, y), mul_up(plane.x, x));
      plane.intercept = min_or_nan(plane.intercept, sub_down(above_x, mul_up(plane.y, y)));
    }
  }
  return plane;
}

double largest_magnitude(double l, double u) {
  return max_or_nan(std::fabs(l), std::fabs(u));
}

}  // namespace

void ProductFunction::gradient(std::span<const double> x, std::span<double> gradient) const {
  gradient[0] = x[1];
  gradient[1] = x[0];
}

void ProductFunction::image(std::span<const double> l, std::span<const double> u, double& image_l,
                            double& image_u) const {
  image_l = kInfinity;
  image_u = -kInfinity;
  for (const double x : {l[0], u[0]}) {
    for (const double y : {l[1], u[1]}) {
      image_l = min_or_nan(image_l, mul_down(x, y));
      image_u = max_or_nan(image_u, mul_up(x, y));
    }
  }
  if (std::isnan(image_l) || std::isnan(image_u)) image_l = image_u = kNan;
}

bool ProductFunction::is_stable(std::span<const double> l, std::span<const double> u) const {
  return l[0] == u[0] || l[1] == u[1];
}

void ProductFunction::relax(std::span<const double> l, std::span<const double> u, bool float32_slopes,
                            std::span<double> lower, double& lower_intercept, std::span<double> upper,
                            double& upper_intercept) const {
  const Box box{l[0], u[0], l[1], u[1]};
  Plane below{kNan, kNan, kNan};
  Plane above = below;
  if (std::isfinite(l[0]) && std::isfinite(u[0]) && std::isfinite(l[1]) && std::isfinite(u[1])) {
    below = plane_below(box, 1, box.l_y, box.l_x, float32_slopes);
    // A plane above x y is a negated one below -x y.
    above = plane_below(box, -1, -box.u_y, -box.l_x, float32_slopes);
  }
  lower[0] = below.x;
  lower[1] = below.y;
  lower_intercept = below.intercept;
  upper[0] = -above.x;
  upper[1] = -above.y;
  upper_intercept = -above.intercept;
}

double product_deployed_error(double largest_x, double largest_y, double unit_roundoff) {
  const bool single = unit_roundoff == kUnitRoundoff32;
  const double largest = mul_up(largest_x, largest_y);
  // Written so that NaN counts as overflow.
  if (!(largest <= (single ? kLargest32 : kLargest64) / 2)) return kInfinity;
  const double underflow =
      mul_up(single ? kSmallestNormal32 : kSmallestNormal64, mul_up(add_up(1, largest_x), add_up(1, largest_y)));
  return add_up(mul_up(unit_roundoff, largest), underflow);
}

double ProductFunction::deployed_error(std::span<const double> l, std::span<const double> u,
                                       double unit_roundoff) const {
  return product_deployed_error(largest_magnitude(l[0], u[0]), largest_magnitude(l[1], u[1]), unit_roundoff);
}

}  // namespace boundflow
