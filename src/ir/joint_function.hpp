#pragma once
// JointFunction: a function of several variables that acts on a few coordinates at a time, described by what bound
// propagation needs of it. An operator of ops/ implements it.

#include <span>
#include <string_view>

namespace boundflow {

class JointFunction {
 public:
  virtual ~JointFunction() = default;
  virtual std::string_view name() const = 0;

  // f(x) and its gradient (any subgradient at a kink), not rigorous: for attacks and branching.
  virtual double value(std::span<const double> x) const = 0;
  virtual void gradient(std::span<const double> x, std::span<double> gradient) const = 0;

  // Sound image of the box [l, u], rounded outward. NaN in l or u gives NaN.
  virtual void image(std::span<const double> l, std::span<const double> u, double& image_l, double& image_u) const = 0;

  // True if f is affine on the box, so that the bounds of its operands need not be tight.
  virtual bool is_stable(std::span<const double> l, std::span<const double> u) const = 0;

  // Planes around f on the box: lower . x + lower_intercept <= f(x) <= upper . x + upper_intercept for every real x in
  // it. Slopes are float32 numbers if `float32_slopes`; intercepts are rounded outward for the very slopes returned.
  // Bounds that are not finite give NaN.
  virtual void relax(std::span<const double> l, std::span<const double> u, bool float32_slopes, std::span<double> lower,
                     double& lower_intercept, std::span<double> upper, double& upper_intercept) const = 0;

  // Half-width of what an execution of f may add at a point of the box under the deployed model, infinite where it may
  // overflow; 0 for selections such as the maximum, which are exact.
  virtual double deployed_error(std::span<const double> l, std::span<const double> u, double unit_roundoff) const = 0;
};

}  // namespace boundflow
