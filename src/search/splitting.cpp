#include "search/splitting.hpp"

namespace boundflow {

std::optional<Split> choose_split(std::span<const double> slopes, std::span<const double> lower,
                                  std::span<const double> upper) {
  std::optional<Split> best;
  double best_score = -1;
  double best_width = 0;
  for (std::size_t i = 0; i < lower.size(); ++i) {
    const double width = upper[i] - lower[i];
    const double middle = 0.5 * lower[i] + 0.5 * upper[i];
    if (!(middle > lower[i] && middle < upper[i])) continue;
    const double score = slopes[i] * width;
    if (score > best_score || (score == best_score && width > best_width)) {
      best = Split{i, middle};
      best_score = score;
      best_width = width;
    }
  }
  return best;
}

}  // namespace boundflow
