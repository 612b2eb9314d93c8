// From a sweep to better slopes and multipliers, and to the neurons that a row's bound suffers from most.

#include <algorithm>

#include "engine/split_workspace.hpp"

namespace boundflow {

namespace {

constexpr std::size_t kMostCandidates = 16, kMostCandidatesToNarrow = 256;
// A multiplier's step in units of the rows' mean magnitude at its layer.
constexpr float kMultiplierStep = 1.0F;

}  // namespace

// The derivative of a row's bound by a multiplier, which subtracts its constraint's value where the sweep ended.
float SplitEngine::multiplier_gradient(const SplitTerm& split, float z) {
  return split.above ? split.point - z : z - split.point;
}

// The lines that a free neuron may take below (side 0) or above (side 1) on its range, or nullptr.
const LineChoice* SplitEngine::lines_of(std::size_t free, std::size_t side, const NeuronRange& range,
                                        LineChoices& own) const {
  const std::int32_t known = free_.known[free];
  const LineChoices* lines = &own;
  if (known >= 0 && range.lower == ranges_[free].lower && range.upper == ranges_[free].upper) {
    lines = &choices_[static_cast<std::size_t>(known)].lines;
  } else {
    const ScalarFunction& function = *layers_[static_cast<std::size_t>(ranges_[free].layer)].function;
    if (!function.choices(range.lower, range.upper, true, own)) return nullptr;
  }
  return side == 0 ? &lines->below : &lines->above;
}

// The derivative of a row's bound by a share of subproblem b, whose splits are marked, of a neuron that does not turn:
// a line counts where Lambda takes it, at the value that the sweep found.
float SplitEngine::share_gradient(std::size_t free, std::size_t side, std::size_t b, float lambda, float z,
                                  const Workspace& w, LineChoices& own) const {
  if (side == 0 ? !(lambda > 0) : !(lambda < 0)) return 0;
  const NeuronRange range = range_of(free, b, w);
  const LineChoice* lines = lines_of(free, side, range, own);
  if (lines == nullptr || !lines->is_free()) return 0;
  const auto count = static_cast<std::size_t>(w.frame.subproblems);
  const float share = w.shares[(side * count + b) * ranges_.size() + free];
  const Line change = lines->change(static_cast<double>(share));
  return lambda * static_cast<float>(change.slope * static_cast<double>(z) + change.intercept);
}

// Visits free neurons of which subproblem b may know more than holds over the box.
template <class Visit>
void SplitEngine::for_each_narrowed(std::size_t b, const Workspace& w, const Visit& visit) const {
  if (contraction_ && !w.own_lower.empty()) {
    for (std::size_t k = 0; k < static_cast<std::size_t>(w.reach); ++k) visit(k);
    return;
  }
  for (auto s = static_cast<std::size_t>(w.first_split[b]); s < static_cast<std::size_t>(w.first_split[b + 1]); ++s) {
    const std::int32_t place = place_[static_cast<std::size_t>(w.splits[s].neuron)];
    if (place >= 0 && place < w.reach) visit(static_cast<std::size_t>(place));
  }
}

// Of the row at place `n` of the step, whose subproblem's splits are marked, in w.gradients.
void SplitEngine::share_gradients(std::size_t n, std::size_t side, Workspace& w) const {
  const auto b = static_cast<std::size_t>(w.owners[n]);
  const std::size_t free = ranges_.size();
  const float* rows = w.kept_rows.data() + n * free;
  const float* points = w.kept_points.data() + n * free;
  w.gradients.assign(free, 0.0F);
  float* gradients = w.gradients.data();
  if (side == 0) {
    turn_gradients(rows, points, free_.first_slopes.data(), free_.last_slopes.data(), w.reach, gradients);
    // Nothing is chosen where a split or bounds of the subproblem's own say which sign it is.
    for_each_narrowed(b, w, [&](std::size_t k) {
      if (gradients[k] == 0) return;
      const NeuronRange range = range_of(k, b, w);
      if (!(range.lower < 0 && range.upper > 0)) gradients[k] = 0;
    });
  }
  LineChoices own;
  for (const std::int32_t place : free_.not_turning) {
    if (place >= w.reach) break;
    const auto k = static_cast<std::size_t>(place);
    gradients[k] = share_gradient(k, side, b, rows[k], points[k], w, own);
  }
}

// Marks the free neurons that subproblem b has split.
void SplitEngine::mark_split(std::size_t b, Workspace& w) const {
  w.is_split.assign(ranges_.size(), 0);
  for (std::int64_t s = w.first_split[b]; s < w.first_split[b + 1]; ++s) {
    const std::int32_t place = place_[static_cast<std::size_t>(w.splits[static_cast<std::size_t>(s)].neuron)];
    if (place >= 0) w.is_split[static_cast<std::size_t>(place)] = 1;
  }
}

// Moves the shares and multipliers of the row at place `n` of the step.
void SplitEngine::improve(std::size_t n, int step, double length, Workspace& w) const {
  const auto b = static_cast<std::size_t>(w.owners[n]);
  const auto count = static_cast<std::size_t>(w.frame.subproblems);
  const MomentScale scale(step);
  const auto share_step = static_cast<float>(length);
  mark_split(b, w);
  for (std::size_t side = 0; side < static_cast<std::size_t>(sides_); ++side) {
    share_gradients(n, side, w);
    const std::size_t at = (side * count + b) * ranges_.size();
    step_shares(w.gradients.data(), w.reach, scale, share_step, w.share_moments.means.data() + at,
                w.share_moments.squares.data() + at, w.shares.data() + at);
  }
  for (auto s = static_cast<std::size_t>(w.first_split[b]); s < static_cast<std::size_t>(w.first_split[b + 1]); ++s) {
    SplitTerm& split = w.splits[s];
    const float direction = w.multiplier_moments[s].direction(multiplier_gradient(split, w.split_points[s]), scale);
    split.multiplier =
        std::max(split.multiplier + kMultiplierStep * share_step * w.split_magnitudes[s] * direction, 0.0F);
  }
}

// What a free neuron costs the row at place `n`, whose subproblem's splits are marked: how far the line that it uses
// lies from the function, where the sweep ended or where the neuron would be split.
double SplitEngine::score(std::size_t free, std::size_t n, const Workspace& w, LineChoices& own) const {
  const auto b = static_cast<std::size_t>(w.owners[n]);
  const auto count = static_cast<std::size_t>(w.frame.subproblems);
  const auto lambda = static_cast<double>(w.kept_rows[n * ranges_.size() + free]);
  if (lambda == 0) return 0;
  const ScalarFunction& function = *layers_[static_cast<std::size_t>(ranges_[free].layer)].function;
  const NeuronRange range = range_of(free, b, w);
  double point = 0;
  if (!function.split_point(range.lower, range.upper, point)) return 0;
  const std::size_t side = lambda > 0 ? 0 : 1;
  const LineChoice* choice = lines_of(free, side, range, own);
  Line line;
  if (choice != nullptr && choice->count() > 0) {
    const bool chosen = side < static_cast<std::size_t>(sides_) && choice->is_free();
    line = choice->at(chosen ? static_cast<double>(w.shares[(side * count + b) * ranges_.size() + free]) : 0);
  } else {
    const Relaxation relaxation = function.relax(range.lower, range.upper, true);
    line = side == 0 ? Line{relaxation.lower_slope, relaxation.lower_intercept}
                     : Line{relaxation.upper_slope, relaxation.upper_intercept};
  }
  const auto gap = [&](double x) { return lambda * (function.value(x) - line.slope * x - line.intercept); };
  const auto value = static_cast<double>(w.kept_points[n * ranges_.size() + free]);
  return std::max(gap(std::clamp(value, range.lower, range.upper)), gap(point));
}

// Which neurons cost the row at place `n` most.
void SplitEngine::rank(std::size_t n, Workspace& w, SplitAnswer& answer) const {
  const auto b = static_cast<std::size_t>(w.owners[n]);
  const std::size_t free = ranges_.size();
  LineChoices own;
  mark_split(b, w);
  w.scores.resize(free);
  float* scores = w.scores.data();
  turn_scores(w.kept_rows.data() + n * free, w.kept_points.data() + n * free, w.shares.data() + b * free,
              free_.first_slopes.data(), free_.last_slopes.data(), turn_ranges_, w.reach, scores);
  const auto settle = [&](std::size_t k) { scores[k] = static_cast<float>(score(k, n, w, own)); };
  for_each_narrowed(b, w, [&](std::size_t k) {
    if (scores[k] > 0) settle(k);
  });
  for (const std::int32_t k : free_.not_turning) {
    if (k < w.reach) settle(static_cast<std::size_t>(k));
  }
  std::vector<std::int32_t> places;
  for (std::int64_t k = 0; k < w.reach; ++k) {
    if (scores[k] > 0) places.push_back(static_cast<std::int32_t>(k));
  }
  // Narrowing is cheap enough to try more of them.
  const bool narrows = contraction_ != nullptr && w.narrows[b];
  const std::size_t kept = std::min(narrows ? kMostCandidatesToNarrow : kMostCandidates, places.size());
  std::partial_sort(
      places.begin(), places.begin() + static_cast<std::ptrdiff_t>(kept), places.end(),
      [&](std::int32_t i, std::int32_t j) { return std::pair(-scores[i], i) < std::pair(-scores[j], j); });
  answer.candidates.clear();
  for (std::size_t i = 0; i < kept; ++i) {
    const auto k = static_cast<std::size_t>(places[i]);
    const ScalarFunction& function = *layers_[static_cast<std::size_t>(ranges_[k].layer)].function;
    const NeuronRange range = range_of(k, b, w);
    double point = 0;
    if (!function.split_point(range.lower, range.upper, point)) continue;
    answer.candidates.push_back({free_.neurons[k], static_cast<float>(point)});
  }
}

// Those of subproblem b, in w.best_slopes and w.best_multipliers.
void SplitEngine::keep_best(std::size_t b, Workspace& w) const {
  // Shares lie in [0, 1], so that cutting off what is behind the point rounds to the nearest; unlike lround, in
  // vectors.
  constexpr float kHalf = 0.5F;
  const auto count = static_cast<std::size_t>(w.frame.subproblems);
  for (std::size_t side = 0; side < static_cast<std::size_t>(sides_); ++side) {
    const std::size_t at = (side * count + b) * ranges_.size();
    const float* shares = w.shares.data() + at;
    std::transform(shares, shares + ranges_.size(), w.best_slopes.data() + at,
                   [](float share) { return static_cast<std::uint8_t>(share * 255 + kHalf); });
  }
  for (auto s = static_cast<std::size_t>(w.first_split[b]); s < static_cast<std::size_t>(w.first_split[b + 1]); ++s) {
    w.best_multipliers[s] = w.splits[s].multiplier;
  }
}

void SplitEngine::take_best(std::size_t b, const Workspace& w, SplitSubproblem& subproblem) const {
  const auto count = static_cast<std::size_t>(w.frame.subproblems);
  const auto sides = static_cast<std::size_t>(sides_);
  std::vector<std::uint8_t> slopes;
  slopes.reserve(sides * ranges_.size());
  for (std::size_t side = 0; side < sides; ++side) {
    const std::uint8_t* best = w.best_slopes.data() + (side * count + b) * ranges_.size();
    slopes.insert(slopes.end(), best, best + ranges_.size());
  }
  subproblem.slopes = std::make_shared<const std::vector<std::uint8_t>>(std::move(slopes));
  for (std::size_t s = 0; s < subproblem.splits.size(); ++s) {
    subproblem.splits[s].multiplier = w.best_multipliers[static_cast<std::size_t>(w.first_split[b]) + s];
  }
}

}  // namespace boundflow
