#pragma once
// The lines that an elementwise function may be relaxed by, of which each query takes what is best for its rows: the
// optimised slopes of alpha-CROWN (Xu et al. 2021), and for smooth functions the points of their tangents.

#include <algorithm>
#include <array>
#include <cmath>

#include "base/rounding.hpp"

namespace boundflow {

struct Line {
  double slope = 0;
  double intercept = 0;
};

// Lines that all hold on one interval, on one side of the function, their slopes ascending or all descending. A convex
// combination of two neighbours holds as well: between them a share in [0, 1], from the first to the last, moves
// continuously.
class LineChoice {
 public:
  static constexpr int kMost = 7;

  void clear() { count_ = 0; }
  void add(const Line& line) { lines_[static_cast<std::size_t>(count_++)] = line; }
  int count() const { return count_; }
  bool is_free() const { return count_ > 1; }
  // -f(-x) for the function f that the lines are for, plus a constant: above what they were below. The sums are rounded
  // up.
  void mirror(double constant) {
    for (int i = 0; i < count_; ++i) {
      Line& line = lines_[static_cast<std::size_t>(i)];
      line.intercept = constant == 0 ? -line.intercept : sub_up(constant, line.intercept);
    }
  }

  // The line at a share, to nearest; and the derivatives of its slope and intercept by the share. `count` must be
  // positive, and shares numbers.
  Line at(double share) const {
    if (!is_free()) return lines_[0];
    const Place place = place_of(share);
    return mix(lines_[place.first], lines_[place.first + 1], place.fraction);
  }
  Line change(double share) const {
    if (!is_free()) return {};
    const std::size_t first = place_of(share).first;
    const Line &a = lines_[first], &b = lines_[first + 1];
    return {(count_ - 1) * (b.slope - a.slope), (count_ - 1) * (b.intercept - a.intercept)};
  }

  // The line at a share of a free choice, its slope a float32 number if `float32_slope`, as the lines' own have to be
  // then. Its intercept is for this very slope: for any |x| <= `extent` it holds below (above) where the lines do. Not
  // finite where the lines' intercepts or the share are not.
  Line sound_below(double share, double extent, bool float32_slope) const {
    return sound(share, extent, float32_slope, -1);
  }
  Line sound_above(double share, double extent, bool float32_slope) const {
    return sound(share, extent, float32_slope, 1);
  }

  double start = 0;  // the share of the line that the function's relaxation would take

 private:
  struct Place {
    std::size_t first = 0;  // of the two neighbours
    double fraction = 0;    // of the way to the next
  };
  Place place_of(double share) const {
    const double scaled = std::clamp(share, 0.0, 1.0) * (count_ - 1);
    const int first = std::min(static_cast<int>(scaled), count_ - 2);
    return {static_cast<std::size_t>(first), scaled - first};
  }
  static Line mix(const Line& a, const Line& b, double fraction) {
    return {a.slope + fraction * (b.slope - a.slope), a.intercept + fraction * (b.intercept - a.intercept)};
  }
  Line sound(double share, double extent, bool float32_slope, int outward) const {
    if (std::isnan(share)) return {share, share};
    const Place place = place_of(share);
    const Line &a = lines_[place.first], &b = lines_[place.first + 1];
    const Line exact = mix(a, b, place.fraction);  // but for its rounding
    double slope = float32_slope ? static_cast<double>(static_cast<float>(exact.slope)) : exact.slope;
    slope = std::clamp(slope, std::min(a.slope, b.slope), std::max(a.slope, b.slope));
    // Lines that meet at zero, such as ReLU's: so do all between them.
    if (a.intercept == b.intercept) return {slope, a.intercept};
    // The mix rounds three times, in numbers no larger than both lines' together; where the slope is another, the line
    // moves by that at the ends.
    constexpr double kMixRoundoff = 8 * kUnitRoundoff64;
    const double turned = std::fabs(exact.slope - slope) + kMixRoundoff * (std::fabs(a.slope) + std::fabs(b.slope));
    const double moved = turned * extent + kMixRoundoff * (std::fabs(a.intercept) + std::fabs(b.intercept));
    const double slack = moved * (1 + 0x1p-40) + 0x1p-1000;
    return {slope, outward > 0 ? add_up(exact.intercept, slack) : sub_down(exact.intercept, slack)};
  }

  int count_ = 0;
  std::array<Line, kMost> lines_;
};

// What there is to choose on one interval. Without lines on a side, the function's relaxation is all there is.
struct LineChoices {
  LineChoice below;
  LineChoice above;
  bool is_free() const { return below.is_free() || above.is_free(); }
  void clear() {
    below.clear();
    above.clear();
  }
};

}  // namespace boundflow
