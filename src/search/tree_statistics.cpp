#include "search/tree_statistics.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace boundflow {

namespace {

// The counter of a number that is not negative; beyond `most` the last one.
template <class Counter>
Counter& counter(std::vector<Counter>& counters, std::int64_t number, std::size_t most) {
  const std::size_t at = std::min(static_cast<std::size_t>(number), most - 1);
  if (counters.size() <= at) counters.resize(at + 1);
  return counters[at];
}

void add_up(std::vector<std::int64_t>& counts, const std::vector<std::int64_t>& more) {
  if (counts.size() < more.size()) counts.resize(more.size());
  for (std::size_t k = 0; k < more.size(); ++k) counts[k] += more[k];
}

}  // namespace

std::string_view to_string(SearchPhase phase) {
  switch (phase) {
    case SearchPhase::Attack:
      return "attack";
    case SearchPhase::Replay:
      return "replay";
    case SearchPhase::Boxes:
      return "boxes";
    case SearchPhase::Refinement:
      return "refinement";
    case SearchPhase::Roots:
      return "roots";
    case SearchPhase::LookAhead:
      return "look_ahead";
    case SearchPhase::Halves:
      return "halves";
  }
  throw InternalError("phase of a search out of range");
}

TreeStatistics::Depth& TreeStatistics::at(std::int64_t depth) {
  return counter(depths_, depth, kMostDepths);
}

void TreeStatistics::split_input(std::int64_t depth, std::int64_t input) {
  ++at(depth).splits;
  ++counter(by_input_, input, kMostBranchings);
}

void TreeStatistics::split_layer(std::int64_t depth, std::int64_t layer) {
  ++at(depth).splits;
  ++counter(by_layer_, layer, kMostBranchings);
}

void TreeStatistics::add(const TreeStatistics& part) {
  if (depths_.size() < part.depths_.size()) depths_.resize(part.depths_.size());
  for (std::size_t d = 0; d < part.depths_.size(); ++d) {
    depths_[d].opened += part.depths_[d].opened;
    depths_[d].closed += part.depths_[d].closed;
    depths_[d].splits += part.depths_[d].splits;
  }
  add_up(by_input_, part.by_input_);
  add_up(by_layer_, part.by_layer_);
  for (std::size_t k = 0; k < seconds_.size(); ++k) seconds_[k] += part.seconds_[k];
}

void BoundHistory::add(const Sample& sample) {
  if (rounds_++ % distance_ != 0) return;
  samples_.push_back(sample);
  if (samples_.size() < kMostSamples) return;
  // Every other one goes, which leaves those of rounds that the double distance divides.
  std::size_t kept = 0;
  for (std::size_t k = 0; k < samples_.size(); k += 2) samples_[kept++] = samples_[k];
  samples_.resize(kept);
  distance_ *= 2;
}

std::vector<BoundHistory::Sample> BoundHistory::samples() const {
  std::vector<Sample> all = samples_;
  if (!all.empty()) all.push_back(last_);
  return all;
}

}  // namespace boundflow
