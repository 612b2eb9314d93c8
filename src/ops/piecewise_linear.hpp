#pragma once
// Continuous piecewise linear functions: LeakyRelu, Abs, Clip.
//
// Of all lines above such a function on [l, u] the one with the least area between is an edge of its upper hull: the
// edge over the interval's midpoint, since the area depends on the line's height there alone. Below likewise. For ReLU
// this is the triangle of Ehlers 2017 with CROWN's choice of the lower line (Zhang et al. 2018).

#include <memory>
#include <string>
#include <vector>

#include "ir/scalar_function.hpp"

namespace boundflow {

struct LinePiece {
  double slope = 0;
  double offset = 0;
};

class PiecewiseLinearFunction : public ScalarFunction {
 public:
  // f(x) = pieces[i].slope x + pieces[i].offset for kinks[i - 1] <= x <= kinks[i]. Kinks ascend, there is one fewer
  // than pieces and at least one; neighbouring pieces meet exactly.
  PiecewiseLinearFunction(std::string name, std::vector<double> kinks, std::vector<LinePiece> pieces);

  std::string_view name() const override { return name_; }
  double value(double x) const override;
  double derivative(double x) const override;
  void image(double l, double u, double& image_l, double& image_u) const override;
  bool is_stable(double l, double u) const override;
  Relaxation relax(double l, double u, bool float32_slopes) const override;
  // That of a selection; the functions that compute something override it.
  double deployed_error(double, double, double) const override { return 0; }

 protected:
  // The largest known intercept with which a line of this slope is below f on [l, u], both finite.
  double intercept_below(double l, double u, double slope) const;

 private:
  struct Vertex {
    double x = 0;
    double y = 0;
    LinePiece piece;  // one that x belongs to
  };
  const LinePiece& piece_at(double x) const;
  std::vector<Vertex> vertices(double l, double u) const;
  double hull_slope(const std::vector<Vertex>& vertices, bool upper) const;

  std::string name_;
  std::vector<double> kinks_;
  std::vector<LinePiece> pieces_;
  double least_slope_ = 0;
  double most_slope_ = 0;
};

// min(max(x, lower), upper) with lower <= upper, of which at most one is infinite.
std::shared_ptr<const ScalarFunction> clip_function(double lower, double upper);

}  // namespace boundflow
