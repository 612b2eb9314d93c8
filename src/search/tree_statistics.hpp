#pragma once
// What a search has done: its tree by depth, what it split, where its time went, and how the worst bound moved. All of
// bounded size, and for people to read: nothing here decides anything.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/deadline.hpp"

namespace boundflow {

// What the search spends its time on. Seconds of Attack and Replay are of the wall clock, and so are those of stages
// that one thread begins for all (Refinement, Roots, Boxes); of what groups of subproblems do at the same time
// (LookAhead, Halves) they are summed over the groups. Attacks hold the replays that they ask for.
enum class SearchPhase : std::uint8_t { Attack, Replay, Boxes, Refinement, Roots, LookAhead, Halves };
inline constexpr std::size_t kSearchPhases = 7;
std::string_view to_string(SearchPhase phase);  // "attack", ..., "look_ahead", "halves"

class TreeStatistics {
 public:
  // Deeper subproblems count as this deep.
  static constexpr std::size_t kMostDepths = 1024;
  // Layers or inputs beyond are counted with the last one.
  static constexpr std::size_t kMostBranchings = 4096;

  struct Depth {
    std::int64_t opened = 0;  // subproblems that came into being: roots, and halves of a split
    std::int64_t closed = 0;
    std::int64_t splits = 0;
  };

  void open(std::int64_t depth, std::int64_t count = 1) { at(depth).opened += count; }
  void close(std::int64_t depth) { ++at(depth).closed; }
  // A split of a subproblem, along an input or by a neuron of a layer (numbered from the input on).
  void split_input(std::int64_t depth, std::int64_t input);
  void split_layer(std::int64_t depth, std::int64_t layer);
  void spend(SearchPhase phase, double seconds) { seconds_[static_cast<std::size_t>(phase)] += seconds; }

  // Adds what another part of the search has counted.
  void add(const TreeStatistics& part);

  const std::vector<Depth>& depths() const { return depths_; }                 // by depth
  const std::vector<std::int64_t>& input_splits() const { return by_input_; }  // by input
  const std::vector<std::int64_t>& layer_splits() const { return by_layer_; }  // by layer
  double seconds(SearchPhase phase) const { return seconds_[static_cast<std::size_t>(phase)]; }

 private:
  Depth& at(std::int64_t depth);

  std::vector<Depth> depths_;
  std::vector<std::int64_t> by_input_;
  std::vector<std::int64_t> by_layer_;
  std::array<double, kSearchPhases> seconds_ = {};
};

// Adds the time of its scope to a phase.
class PhaseTime {
 public:
  PhaseTime(TreeStatistics& tree, SearchPhase phase) : tree_(tree), phase_(phase), begin_(Clock::now()) {}
  PhaseTime(const PhaseTime&) = delete;
  PhaseTime& operator=(const PhaseTime&) = delete;
  ~PhaseTime() { tree_.spend(phase_, seconds_between(begin_, Clock::now())); }

 private:
  TreeStatistics& tree_;
  SearchPhase phase_;
  Clock::time_point begin_;
};

// The worst bound over time, as samples whose distance doubles whenever there are too many: at most kMostSamples, at
// equal distances in rounds, so that which rounds they are does not depend on the clock.
class BoundHistory {
 public:
  static constexpr std::size_t kMostSamples = 256;

  struct Sample {
    double elapsed_s = 0;
    std::int64_t subproblems = 0;  // bounded by then
    std::int64_t open = 0;
    double worst_bound = 0;  // of the open ones
  };

  // After each round.
  void add(const Sample& sample);
  // Where the search ends: always kept.
  void finish(const Sample& sample) { last_ = sample; }
  // In the order of time, the end last.
  std::vector<Sample> samples() const;

 private:
  std::vector<Sample> samples_;
  Sample last_;
  std::int64_t rounds_ = 0;
  std::int64_t distance_ = 1;  // in rounds
};

}  // namespace boundflow
