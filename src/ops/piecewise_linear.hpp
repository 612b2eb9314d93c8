#pragma once
// Continuous piecewise linear functions: LeakyRelu, Abs, Clip.
//
// Of all lines above such a function on [l, u] the one with the least area between is an edge of its upper hull: the
// edge over the interval's midpoint, since the area depends on the line's height there alone. Below likewise. For ReLU
// this is the triangle of Ehlers 2017 with CROWN's choice of the lower line (Zhang et al. 2018).

#include <array>
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
  static constexpr std::size_t kMostKinks = 6;

  // f(x) = pieces[i].slope x + pieces[i].offset for kinks[i - 1] <= x <= kinks[i]. Kinks ascend, there is one fewer
  // than pieces, at least one and at most kMostKinks; neighbouring pieces meet exactly.
  PiecewiseLinearFunction(std::string name, std::vector<double> kinks, std::vector<LinePiece> pieces);

  std::string_view name() const override { return name_; }
  double value(double x) const override;
  double derivative(double x) const override;
  void image(double l, double u, double& image_l, double& image_u) const override;
  void narrow(double image_l, double image_u, double& l, double& u) const override;
  bool is_stable(double l, double u) const override;
  bool can_be_constant() const override;
  bool can_be_split() const override { return true; }
  bool choices(double l, double u, bool float32_slopes, LineChoices& found) const override;
  bool split_point(double l, double u, double& point) const override;
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
  // Of an interval: its ends and the kinks between them.
  class Vertices {
   public:
    void add(const Vertex& vertex) { vertices_[size_++] = vertex; }
    std::size_t size() const { return size_; }
    const Vertex& operator[](std::size_t i) const { return vertices_[i]; }
    const Vertex* begin() const { return vertices_.data(); }
    const Vertex* end() const { return vertices_.data() + size_; }

   private:
    std::array<Vertex, kMostKinks + 2> vertices_;
    std::size_t size_ = 0;
  };
  const LinePiece& piece_at(double x) const;
  Vertices vertices(double l, double u) const;
  // Edges of the hull of the function's graph over an interval, from left to right. Not rigorous, which costs tightness
  // only.
  struct Edge {
    double right = 0;  // where it ends
    double slope = 0;
  };
  struct Hull {
    std::array<Edge, kMostKinks + 1> edges{};
    std::size_t size = 0;
  };
  Hull hull(const Vertices& vertices, bool upper) const;
  double hull_slope(const Vertices& vertices, bool upper) const;
  double intercept_above(double l, double u, double slope) const;

  std::string name_;
  std::vector<double> kinks_;
  std::vector<LinePiece> pieces_;
  double least_slope_ = 0;
  double most_slope_ = 0;
};

// min(max(x, lower), upper) with lower <= upper, of which at most one is infinite.
std::shared_ptr<const ScalarFunction> clip_function(double lower, double upper);

}  // namespace boundflow
