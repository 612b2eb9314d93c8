#pragma once
// Functions shaped like an S: increasing, convex below 0, concave above, and symmetric about (0, f(0)). Sigmoid and
// tanh.
//
// The lower line (the upper one mirrors it) on [l, u], after Zhang et al. 2018 (CROWN):
// - concave part only: the chord;
// - convex part only: the tangent at the midpoint m, the line with the least area, which depends on its height at m;
// - both: the chord if it does not leave the graph's lower side, that is if f'(l) is no smaller than its slope. Else
// the
//   tangent in the convex part that meets (u, f(u)), at d* < 0: every tangent at d <= d* is valid, and the one with the
//   least area is at min(d*, m).
// Which of the tangents is best for a query's rows may be chosen (alpha-CROWN).
// The intercept is then computed for the slope s as returned, and does not trust how well it was found: on the convex
// part f(x) >= f(d) + f'(d)(x - d), so s x + t with t = f(d) - s d + min_x (f'(d) - s)(x - d) stays below; on the
// concave part a line stays below if it does at both ends. Enclosures of f and f' stand for these.

#include "ir/scalar_function.hpp"
#include "ops/elementary_function.hpp"

namespace boundflow {

class SShapedFunction : public ScalarFunction {
 public:
  void image(double l, double u, double& image_l, double& image_u) const final;
  bool is_stable(double l, double u) const final { return l == u; }
  bool can_be_split() const final { return true; }
  bool choices(double l, double u, bool float32_slopes, LineChoices& found) const final;
  bool split_point(double l, double u, double& point) const final;
  Relaxation relax(double l, double u, bool float32_slopes) const final;
  double deployed_error(double l, double u, double unit_roundoff) const final;

 protected:
  // Sound enclosures of f(x) for any x, and of f'(x) for x <= 0.
  virtual ScalarEnclosure enclose(double x) const = 0;
  virtual ScalarEnclosure enclose_derivative(double x) const = 0;
  // f(x) + f(-x), exactly.
  virtual double symmetric_sum() const = 0;

 private:
  // Lines below, those above being their mirror images.
  Line line_below(double l, double u, double touching, double slope, bool float32_slopes) const;
  Line lower_line(double l, double u, bool float32_slopes) const;
  LineChoice lower_choice(double l, double u, bool float32_slopes) const;
  // Up to where tangents in the convex part hold; nothing if the chord is the best line.
  bool last_tangent(double l, double u, double& point) const;
  double chord(double l, double u) const;
  double tangent_point(double l, double u) const;
};

}  // namespace boundflow
