#pragma once
// ScalarFunction: an elementwise function of one variable, described by what bound propagation needs of it. An operator
// of ops/ implements it; domains and executors use it through this interface only.

#include <cstdint>
#include <span>
#include <string_view>

#include "ir/line_choice.hpp"

namespace boundflow {

// Two lines around f on [l, u]: lower_slope x + lower_intercept <= f(x) <= upper_slope x + upper_intercept.
struct Relaxation {
  double lower_slope = 0;
  double lower_intercept = 0;
  double upper_slope = 0;
  double upper_intercept = 0;
};

// The lines of n neurons, an array for each number.
struct LineRows {
  double* lower_slope = nullptr;
  double* lower_intercept = nullptr;
  double* upper_slope = nullptr;
  double* upper_intercept = nullptr;

  void set(std::int64_t i, const Relaxation& line) const {
    lower_slope[i] = line.lower_slope;
    lower_intercept[i] = line.lower_intercept;
    upper_slope[i] = line.upper_slope;
    upper_intercept[i] = line.upper_intercept;
  }
};

class ScalarFunction {
 public:
  virtual ~ScalarFunction() = default;
  virtual std::string_view name() const = 0;

  // f(x) and f'(x) (any subgradient at a kink), not rigorous: for attacks and branching.
  virtual double value(double x) const = 0;
  virtual double derivative(double x) const = 0;

  // Sound image of [l, u], rounded outward. NaN in l or u gives NaN.
  virtual void image(double l, double u, double& image_l, double& image_u) const = 0;

  // Narrows [l, u] to no less than its points x with image_l <= f(x) <= image_u; l > u if there are none. NaN narrows
  // nothing, nor does a function that does not say how.
  virtual void narrow(double /*image_l*/, double /*image_u*/, double& /*l*/, double& /*u*/) const {}

  // True if f is a line on [l, u], so that no relaxation is needed and its bounds need not be tight.
  virtual bool is_stable(double l, double u) const = 0;
  // True if f is constant on some intervals of positive width.
  virtual bool can_be_constant() const { return false; }

  // True if f has lines to choose from on intervals like [l, u], and tighter ones on their parts: what `choices` and
  // `split_point` tell of each interval.
  virtual bool can_be_split() const { return false; }
  // The lines to choose from on [l, u]; false if there are none but the relaxation's. Their intercepts are as sound.
  virtual bool choices(double /*l*/, double /*u*/, bool /*float32_slopes*/, LineChoices& /*found*/) const {
    return false;
  }
  // Where to halve [l, u], at a float32 number inside; false if that would make no line tighter.
  virtual bool split_point(double /*l*/, double /*u*/, double& /*point*/) const { return false; }

  // Lines that hold for every real x in [l, u], l <= u finite. The slopes are float32 numbers if `float32_slopes`; the
  // intercepts are rounded outward for the very slopes returned, so rounding the slopes costs width, never soundness.
  virtual Relaxation relax(double l, double u, bool float32_slopes) const = 0;

  // Half-width of what a float32 (float64) execution of f may add at a point of [l, u] under the deployed model; 0 for
  // selections such as ReLU, which are exact.
  virtual double deployed_error(double l, double u, double unit_roundoff) const = 0;
  // True if deployed_error is 0 everywhere.
  virtual bool is_selection() const { return false; }

  // value and derivative at n points, and image and relax for n intervals at once; a function that is met often
  // overrides them with loops of its own.
  virtual void values(const double* x, std::int64_t n, double* y) const {
    for (std::int64_t i = 0; i < n; ++i) y[i] = value(x[i]);
  }
  virtual void derivatives(const double* x, std::int64_t n, double* y) const {
    for (std::int64_t i = 0; i < n; ++i) y[i] = derivative(x[i]);
  }
  virtual void images(const double* l, const double* u, std::int64_t n, double* image_l, double* image_u) const {
    for (std::int64_t i = 0; i < n; ++i) image(l[i], u[i], image_l[i], image_u[i]);
  }
  virtual void relaxations(const double* l, const double* u, std::int64_t n, bool float32_slopes,
                           const LineRows& lines) const {
    for (std::int64_t i = 0; i < n; ++i) lines.set(i, relax(l[i], u[i], float32_slopes));
  }
};

}  // namespace boundflow
