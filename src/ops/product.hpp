#pragma once
// The product of two variables, relaxed by the planes of McCormick 1976.

#include "ir/joint_function.hpp"

namespace boundflow {

// Below x y on a box lie l_y x + l_x y - l_x l_y and u_y x + u_x y - u_x u_y; above it u_y x + l_x y - l_x u_y and
// l_y x + u_x y - u_x l_y. The two of a pair are equally high at the box's midpoint, so neither encloses less volume.
// Taken are the first of each, which is what auto_LiRPA takes: choosing by the planes' extremes over the box gives
// narrower bounds on average, but some wider ones.
class ProductFunction final : public JointFunction {
 public:
  std::string_view name() const override { return "product"; }
  double value(std::span<const double> x) const override { return x[0] * x[1]; }
  void gradient(std::span<const double> x, std::span<double> gradient) const override;
  void image(std::span<const double> l, std::span<const double> u, double& image_l, double& image_u) const override;
  bool is_stable(std::span<const double> l, std::span<const double> u) const override;
  void relax(std::span<const double> l, std::span<const double> u, bool float32_slopes, std::span<double> lower,
             double& lower_intercept, std::span<double> upper, double& upper_intercept) const override;
  double deployed_error(std::span<const double> l, std::span<const double> u, double unit_roundoff) const override;
};

// What an execution of one multiplication x y may lose for |x| <= largest_x and |y| <= largest_y: one rounding, and
// underflow with operands and result flushed to zero. Infinite where the product may overflow.
double product_deployed_error(double largest_x, double largest_y, double unit_roundoff);

}  // namespace boundflow
