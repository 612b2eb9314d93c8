#include "ops/s_shaped.hpp"

#include <algorithm>
#include <cmath>

#include "ops/sound_lines.hpp"

namespace boundflow {

void SShapedFunction::image(double l, double u, double& image_l, double& image_u) const {
  image_l = enclose(l).lower;
  image_u = enclose(u).upper;
  if (std::isnan(l) || std::isnan(u)) image_l = image_u = kNan;
}

double SShapedFunction::deployed_error(double l, double u, double unit_roundoff) const {
  const double largest = max_or_nan(std::fabs(enclose(l).lower), std::fabs(enclose(u).upper));
  return elementary_deployed_error(largest, unit_roundoff);
}

// Near the largest d in [l, 0] whose tangent is not above f at u > 0, by bisection. By symmetry the tangent at -u is
// not, nor is one so far out that f' vanishes.
double SShapedFunction::tangent_point(double l, double u) const {
  constexpr double kFarOut = 1024;
  const double target = value(u);
  double valid = std::max({l, -u, -kFarOut});
  double invalid = 0;
  for (int i = 0; i < 40; ++i) {
    const double d = valid / 2 + invalid / 2;
    (value(d) + derivative(d) * (u - d) <= target ? valid : invalid) = d;
  }
  return valid;
}

double SShapedFunction::chord(double l, double u) const {
  // No chord is steeper than the tangent at 0.
  return chord_slope(l, value(l), u, value(u), 0, derivative(0));
}

bool SShapedFunction::last_tangent(double l, double u, double& point) const {
  if (u <= 0) {
    point = u;
    return true;
  }
  if (!(l < 0 && derivative(l) < chord(l, u))) return false;
  point = tangent_point(l, u);
  return true;
}

// Of the given slope, best one near f' where it touches, in the convex part unless that is empty.
Line SShapedFunction::line_below(double l, double u, double touching, double slope, bool float32_slopes) const {
  slope = kernel_slope(slope, float32_slopes);
  // Where the line's rise overflows, the intercept is infinite or NaN and proves nothing.
  double intercept = kInfinity;
  if (l < 0) {
    const ScalarEnclosure tangent = enclose_derivative(touching);
    const double too_steep = mul_up(std::max(sub_up(tangent.upper, slope), 0.0), sub_up(touching, l));
    const double too_flat = mul_up(std::max(sub_up(slope, tangent.lower), 0.0), sub_up(std::min(u, 0.0), touching));
    const double at_touching = sub_down(enclose(touching).lower, mul_up(slope, touching));
    intercept = min_or_nan(intercept, sub_down(at_touching, max_or_nan(too_steep, too_flat)));
  } else {
    intercept = min_or_nan(intercept, sub_down(enclose(l).lower, mul_up(slope, l)));
  }
  if (u > 0) intercept = min_or_nan(intercept, sub_down(enclose(u).lower, mul_up(slope, u)));
  return {slope, intercept};
}

Line SShapedFunction::lower_line(double l, double u, bool float32_slopes) const {
  double last = 0;
  if (!last_tangent(l, u, last)) return line_below(l, u, l, chord(l, u), float32_slopes);
  const double touching = std::min(last, l / 2 + u / 2);
  return line_below(l, u, touching, derivative(touching), float32_slopes);
}

LineChoice SShapedFunction::lower_choice(double l, double u, bool float32_slopes) const {
  LineChoice choice;
  double last = 0;
  if (!last_tangent(l, u, last)) {
    choice.add(line_below(l, u, l, chord(l, u), float32_slopes));
    return choice;
  }
  for (int i = 0; i < kTangents; ++i) {
    const double touching = tangent_at(l, last, i);
    choice.add(line_below(l, u, touching, derivative(touching), float32_slopes));
  }
  choice.start = last > l ? std::clamp((l / 2 + u / 2 - l) / (last - l), 0.0, 1.0) : 1;
  return choice;
}

Relaxation SShapedFunction::relax(double l, double u, bool float32_slopes) const {
  if (!std::isfinite(l) || !std::isfinite(u)) return kNoLines;
  const Line below = lower_line(l, u, float32_slopes);
  // f(x) = sum - f(-x), and s (-x) + t is below f(-x).
  const Line above = lower_line(-u, -l, float32_slopes);
  return {below.slope, below.intercept, above.slope, sub_up(symmetric_sum(), above.intercept)};
}

bool SShapedFunction::choices(double l, double u, bool float32_slopes, LineChoices& found) const {
  if (!(l < u) || !std::isfinite(l) || !std::isfinite(u)) return false;
  found.below = lower_choice(l, u, float32_slopes);
  found.above = lower_choice(-u, -l, float32_slopes);
  found.above.mirror(symmetric_sum());
  return true;
}

// At 0, where the function bends from convex to concave, unless that leaves one side with little.
bool SShapedFunction::split_point(double l, double u, double& point) const {
  constexpr double kLeastShare = 0.25;
  if (!split_in_the_middle(l, u, point)) return false;
  if (std::min(-l, u) > kLeastShare * (u - l)) point = 0;
  return true;
}

}  // namespace boundflow
