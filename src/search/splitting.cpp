#include "search/splitting.hpp"

#include <algorithm>
#include <cstdlib>

namespace boundflow {

namespace {

// A form's slope is small where lines of opposite slope cancel, though the relaxation is as loose there as elsewhere:
// every input counts with at least this share of the steepest one.
const double kSlopeFloor = getenv("FLOOR") ? atof(getenv("FLOOR")) : 0.1;

}  // namespace

std::optional<Split> choose_split(std::span<const double> slopes, std::span<const double> root_widths,
                                  std::span<const double> lower, std::span<const double> upper) {
  double steepest = 0;
  for (std::size_t i = 0; i < lower.size(); ++i) steepest = std::max(steepest, slopes[i] * root_widths[i]);
  std::optional<Split> best;
  double best_score = -1;
  double best_width = 0;
  for (std::size_t i = 0; i < lower.size(); ++i) {
    const double width = upper[i] - lower[i];
    const double middle = 0.5 * lower[i] + 0.5 * upper[i];
    if (!(middle > lower[i] && middle < upper[i])) continue;
    const double score = (slopes[i] * root_widths[i] + kSlopeFloor * steepest) * (width / root_widths[i]);
    if (score > best_score || (score == best_score && width > best_width)) {
      best = Split{i, middle};
      best_score = score;
      best_width = width;
    }
  }
  return best;
}

}  // namespace boundflow
