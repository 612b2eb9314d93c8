#pragma once
// x^2: convex, so the line above is the chord, the one below a tangent: that at the midpoint has the least area.

#include "ir/scalar_function.hpp"

namespace boundflow {

class SquareFunction : public ScalarFunction {
 public:
  std::string_view name() const override { return "square"; }
  double value(double x) const override { return x * x; }
  double derivative(double x) const override { return 2 * x; }
  void image(double l, double u, double& image_l, double& image_u) const override;
  bool is_stable(double l, double u) const override { return l == u; }
  bool can_be_split() const override { return true; }
  bool choices(double l, double u, bool float32_slopes, LineChoices& found) const override;
  bool split_point(double l, double u, double& point) const override;
  Relaxation relax(double l, double u, bool float32_slopes) const override;
  double deployed_error(double l, double u, double unit_roundoff) const override;
};

}  // namespace boundflow
