#pragma once
// Maximum and minimum of several variables: Max, Min, MaxPool.
//
// Below the maximum: the variable x_j with the largest lower bound; of equal ones that with the larger upper bound.
// Above it, for the variable i with the largest upper bound, m = max(largest other upper bound, l_i) and
// s = (u_i - m) / (u_i - l_i): the plane m + s (x_i - l_i), which is u_i at most, hence nowhere above the constant
// bound. Nor is the plane l_max + sum_j s_j (x_j - l_j), with s_j = max(u_j - l_max, 0) / (u_j - l_j), ever lower at
// the box's midpoint: there it is l_max + sum_j max(u_j - l_max, 0) / 2, and the two largest of these terms alone give
// (u_i + m) / 2.

#include "ir/joint_function.hpp"

namespace boundflow {

class MaximumFunction final : public JointFunction {
 public:
  std::string_view name() const override { return "maximum"; }
  double value(std::span<const double> x) const override;
  void gradient(std::span<const double> x, std::span<double> gradient) const override;
  void image(std::span<const double> l, std::span<const double> u, double& image_l, double& image_u) const override;
  bool is_stable(std::span<const double> l, std::span<const double> u) const override;
  void relax(std::span<const double> l, std::span<const double> u, bool float32_slopes, std::span<double> lower,
             double& lower_intercept, std::span<double> upper, double& upper_intercept) const override;
  double deployed_error(std::span<const double>, std::span<const double>, double) const override { return 0; }
};

// min(x) = -max(-x).
class MinimumFunction final : public JointFunction {
 public:
  std::string_view name() const override { return "minimum"; }
  double value(std::span<const double> x) const override;
  void gradient(std::span<const double> x, std::span<double> gradient) const override;
  void image(std::span<const double> l, std::span<const double> u, double& image_l, double& image_u) const override;
  bool is_stable(std::span<const double> l, std::span<const double> u) const override;
  void relax(std::span<const double> l, std::span<const double> u, bool float32_slopes, std::span<double> lower,
             double& lower_intercept, std::span<double> upper, double& upper_intercept) const override;
  double deployed_error(std::span<const double>, std::span<const double>, double) const override { return 0; }

 private:
  MaximumFunction maximum_;
};

}  // namespace boundflow
