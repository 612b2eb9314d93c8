#include "ops/piecewise_linear.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/error.hpp"
#include "ops/sound_lines.hpp"

namespace boundflow {

namespace {

double line_up(const LinePiece& line, double x) {
  const double product = line.slope == 0 ? 0 : std::fabs(line.slope) == 1 ? line.slope * x : round_up(line.slope * x);
  return line.offset == 0 ? product : product == 0 ? line.offset : add_up(product, line.offset);
}

double line_down(const LinePiece& line, double x) {
  return -line_up({-line.slope, -line.offset}, x);
}

// The smallest known t with slope x + t >= piece at x.
double intercept_up(const LinePiece& piece, double slope, double x) {
  if (piece.slope == slope) return piece.offset;
  if (slope == 0) return line_up(piece, x);
  const double difference = piece.slope - slope;
  const double product = std::max(mul_up(round_up(difference), x), mul_up(round_down(difference), x));
  return piece.offset == 0 ? product : add_up(product, piece.offset);
}

// At least the x where the line, whose slope is not zero, is y.
double argument_up(const LinePiece& line, double y) {
  const double height = line.slope > 0 ? sub_up(y, line.offset) : sub_down(y, line.offset);
  const double x = height / line.slope;
  return std::isinf(y) ? x : round_up(x);
}

double intercept_down(const LinePiece& piece, double slope, double x) {
  return -intercept_up({-piece.slope, -piece.offset}, -slope, x);
}

}  // namespace

PiecewiseLinearFunction::PiecewiseLinearFunction(std::string name, std::vector<double> kinks,
                                                 std::vector<LinePiece> pieces)
    : name_(std::move(name)), kinks_(std::move(kinks)), pieces_(std::move(pieces)) {
  ensure(kinks_.size() <= kMostKinks, "piecewise linear function: too many kinks");
  ensure(!kinks_.empty() && pieces_.size() == kinks_.size() + 1, "piecewise linear function: one kink per two pieces");
  ensure(std::adjacent_find(kinks_.begin(), kinks_.end(), std::greater_equal<>()) == kinks_.end(),
         "piecewise linear function: kinks must ascend");
  const auto [least, most] = std::minmax_element(
      pieces_.begin(), pieces_.end(), [](const LinePiece& a, const LinePiece& b) { return a.slope < b.slope; });
  least_slope_ = least->slope;
  most_slope_ = most->slope;
}

const LinePiece& PiecewiseLinearFunction::piece_at(double x) const {
  const auto kink = std::lower_bound(kinks_.begin(), kinks_.end(), x);
  return pieces_[static_cast<std::size_t>(kink - kinks_.begin())];
}

double PiecewiseLinearFunction::value(double x) const {
  if (std::isnan(x)) return x;
  const LinePiece& piece = piece_at(x);
  return piece.slope == 0 ? piece.offset : piece.slope * x + piece.offset;
}

double PiecewiseLinearFunction::derivative(double x) const {
  return std::isnan(x) ? x : piece_at(x).slope;
}

PiecewiseLinearFunction::Vertices PiecewiseLinearFunction::vertices(double l, double u) const {
  // The first piece is that on the right of l, should l be a kink.
  const auto first = std::upper_bound(kinks_.begin(), kinks_.end(), l) - kinks_.begin();
  Vertices result;
  result.add({l, value(l), pieces_[static_cast<std::size_t>(first)]});
  for (const double kink : kinks_) {
    if (kink > l && kink < u) result.add({kink, value(kink), piece_at(kink)});
  }
  result.add({u, value(u), piece_at(u)});
  return result;
}

void PiecewiseLinearFunction::image(double l, double u, double& image_l, double& image_u) const {
  image_l = image_u = kNan;
  if (std::isnan(l) || std::isnan(u)) return;
  image_l = kInfinity;
  image_u = -kInfinity;
  for (const Vertex& vertex : vertices(l, u)) {
    image_l = std::min(image_l, line_down(vertex.piece, vertex.x));
    image_u = std::max(image_u, line_up(vertex.piece, vertex.x));
  }
}

// The hull of what is left of each piece.
void PiecewiseLinearFunction::narrow(double image_l, double image_u, double& l, double& u) const {
  if (std::isnan(image_l) || std::isnan(image_u) || std::isnan(l) || std::isnan(u)) return;
  double least = kInfinity, most = -kInfinity;
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    double low = i == 0 ? l : std::max(l, kinks_[i - 1]);
    double high = i == kinks_.size() ? u : std::min(u, kinks_[i]);
    const auto [slope, offset] = pieces_[i];
    if (slope == 0) {
      if (offset < image_l || offset > image_u) continue;
    } else {
      low = std::max(low, -argument_up({-slope, offset}, slope > 0 ? image_l : image_u));
      high = std::min(high, argument_up(pieces_[i], slope > 0 ? image_u : image_l));
    }
    if (low > high) continue;
    least = std::min(least, low);
    most = std::max(most, high);
  }
  l = least;
  u = most;
}

bool PiecewiseLinearFunction::is_stable(double l, double u) const {
  return std::all_of(kinks_.begin(), kinks_.end(), [&](double kink) { return u <= kink || l >= kink; });
}

// From left to right, each vertex drops those before it that lie inside of the hull (Andrew's monotone chain).
PiecewiseLinearFunction::Hull PiecewiseLinearFunction::hull(const Vertices& vertices, bool upper) const {
  std::array<std::size_t, kMostKinks + 2> kept{};
  std::array<double, kMostKinks + 2> slopes{};  // of the edge that ends at each
  std::size_t size = 0;
  for (std::size_t b = 0; b < vertices.size(); ++b) {
    double slope = 0;
    for (; size > 0; --size) {
      const Vertex &left = vertices[kept[size - 1]], &right = vertices[b];
      // Between neighbours runs one piece, which both ends belong to, and the right one names.
      slope = b == kept[size - 1] + 1 ? right.piece.slope
                                      : chord_slope(left.x, left.y, right.x, right.y, least_slope_, most_slope_);
      if (size == 1 || (upper ? slope < slopes[size - 1] : slope > slopes[size - 1])) break;
    }
    kept[size] = b;
    slopes[size++] = slope;
  }
  Hull result;
  for (std::size_t k = 1; k < size; ++k) result.edges[result.size++] = {vertices[kept[k]].x, slopes[k]};
  return result;
}

// Of the edge over the midpoint.
double PiecewiseLinearFunction::hull_slope(const Vertices& vertices, bool upper) const {
  const double middle = vertices[0].x / 2 + vertices[vertices.size() - 1].x / 2;
  const Hull edges = hull(vertices, upper);
  for (std::size_t k = 0; k < edges.size; ++k) {
    if (middle <= edges.edges[k].right) return edges.edges[k].slope;
  }
  return vertices[0].piece.slope;
}

bool PiecewiseLinearFunction::choices(double l, double u, bool float32_slopes, LineChoices& found) const {
  if (!std::isfinite(l) || !std::isfinite(u) || is_stable(l, u)) return false;
  const Vertices points = vertices(l, u);
  const Relaxation start = relax(l, u, float32_slopes);
  found.clear();
  for (const bool upper : {false, true}) {
    LineChoice& choice = upper ? found.above : found.below;
    const Hull edges = hull(points, upper);
    const double preferred = upper ? start.upper_slope : start.lower_slope;
    for (std::size_t k = 0; k < edges.size; ++k) {
      const double slope = kernel_slope(edges.edges[k].slope, float32_slopes);
      if (slope == preferred) choice.start = static_cast<double>(k) / std::max<double>(1, edges.size - 1);
      choice.add({slope, upper ? intercept_above(l, u, slope) : intercept_below(l, u, slope)});
    }
  }
  return found.is_free();
}

// The kink inside that leaves the least to the longer side.
bool PiecewiseLinearFunction::split_point(double l, double u, double& point) const {
  if (!std::isfinite(l) || !std::isfinite(u)) return false;
  double best = kInfinity;
  for (std::size_t i = 0; i < kinks_.size(); ++i) {
    const double kink = kinks_[i];
    if (!(l < kink && kink < u) || pieces_[i].slope == pieces_[i + 1].slope) continue;
    if (static_cast<double>(static_cast<float>(kink)) != kink) continue;
    const double longer = std::max(kink - l, u - kink);
    if (longer >= best) continue;
    best = longer;
    point = kink;
  }
  return best < kInfinity;
}

bool PiecewiseLinearFunction::can_be_constant() const {
  return std::any_of(pieces_.begin(), pieces_.end(), [](const LinePiece& piece) { return piece.slope == 0; });
}

Relaxation PiecewiseLinearFunction::relax(double l, double u, bool float32_slopes) const {
  if (!std::isfinite(l) || !std::isfinite(u)) return kNoLines;
  const Vertices points = vertices(l, u);
  Relaxation lines;
  lines.lower_slope = kernel_slope(hull_slope(points, false), float32_slopes);
  lines.upper_slope = kernel_slope(hull_slope(points, true), float32_slopes);
  lines.lower_intercept = intercept_below(l, u, lines.lower_slope);
  lines.upper_intercept = intercept_above(l, u, lines.upper_slope);
  return lines;
}

// The function minus a line is linear between vertices, so its extremes are at them.
double PiecewiseLinearFunction::intercept_below(double l, double u, double slope) const {
  double intercept = kInfinity;
  for (const Vertex& vertex : vertices(l, u)) {
    intercept = min_or_nan(intercept, intercept_down(vertex.piece, slope, vertex.x));
  }
  return intercept;
}

double PiecewiseLinearFunction::intercept_above(double l, double u, double slope) const {
  double intercept = -kInfinity;
  for (const Vertex& vertex : vertices(l, u)) {
    intercept = max_or_nan(intercept, intercept_up(vertex.piece, slope, vertex.x));
  }
  return intercept;
}

std::shared_ptr<const ScalarFunction> clip_function(double lower, double upper) {
  ensure(lower <= upper && (std::isfinite(lower) || std::isfinite(upper)), "clip: the bounds must be an interval");
  std::vector<double> kinks;
  std::vector<LinePiece> pieces;
  if (std::isfinite(lower)) {
    pieces.push_back({0, lower});
    kinks.push_back(lower);
  }
  if (lower < upper) pieces.push_back({1, 0});
  if (std::isfinite(upper)) {
    pieces.push_back({0, upper});
    if (lower < upper) kinks.push_back(upper);
  }
  return std::make_shared<PiecewiseLinearFunction>("clip", std::move(kinks), std::move(pieces));
}

}  // namespace boundflow
