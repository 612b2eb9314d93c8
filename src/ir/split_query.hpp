#pragma once
// Subproblems of one input box that differ in what neurons may be: what activation splitting asks of the rest.
//
// A neuron is a coordinate of a value that an activation reads. A split says on which side of a point it lies: of a
// kink (zero, for ReLU), or of any point for smooth activations. Bounds of all values are those of the box, found once;
// a subproblem has multipliers for its splits (beta, Wang et al. 2021) and takes for each neuron one of the lines that
// hold (alpha, Xu et al. 2021); both are optimised while it is bounded. Any of them is sound.

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "ir/query.hpp"

namespace boundflow {

struct NeuronSplit {
  std::int32_t neuron = 0;
  bool above = false;  // the neuron's input is >= point, else <= point
  float multiplier = 0;
  float point = 0;
};

// Where a subproblem may be split.
struct SplitPoint {
  std::int32_t neuron = 0;
  float point = 0;
};

inline NeuronSplit side_of(const SplitPoint& at, bool above) {
  return {.neuron = at.neuron, .above = above, .multiplier = 0, .point = at.point};
}

struct SplitSubproblem {
  std::vector<NeuronSplit> splits;
  // Which lines neurons take, in steps of 1/255 of the way from the first to the last: those below of each neuron that
  // has a choice over the box, then those above if any has a choice there. nullptr: the start.
  std::shared_ptr<const std::vector<std::uint8_t>> slopes;
  std::int32_t row = 0;  // of the specification, the one that is bounded
  // Rows of the specification that are at most zero wherever the subproblem matters; `row` is one of them or a convex
  // combination. Then bounds are narrowed to where that may be so. Empty: all of the subproblem matters.
  std::span<const std::int32_t> violated;
  // What is left of the input box; nullptr: all of it.
  std::shared_ptr<const InputBox> box;
};

struct SplitEffort {
  int steps = 0;            // of optimisation, each a walk and a sweep; 0: one walk with what the subproblem has
  double first_step = 0.3;  // of a slope's range
  double decay = 0.9;       // of the step from one to the next
  // Also answer branching candidates, minimisers and the outputs there. Not with 0 steps.
  bool candidates = true;
  bool minimizers = true;  // with candidates only
  // Rows of which this holds at their best bound are done: they need no further steps.
  bool stop_above_zero = true;
};

struct SplitAnswer {
  bool empty = false;  // nothing of the subproblem matters; nothing else is valid
  // As in BoundAnswer: the specification's row is >= nominal - error in the subproblem. It holds where the subproblem
  // is empty as well.
  double nominal = 0;
  double error = 0;
  std::vector<double> minimizer;       // [inputs], where the linear function of the last step is least over the box
  std::vector<double> outputs;         // [outputs] of that function there: the bound's derivative by coefficients
  std::vector<SplitPoint> candidates;  // those that the bound suffers from most, worst first
};

struct NeuronRange {
  double lower = 0;
  double upper = 0;
  // Whether it lies on the side that a split says, for sure.
  bool fulfils(const NeuronSplit& split) const {
    const auto point = static_cast<double>(split.point);
    return split.above ? lower > point : upper < point;
  }
};

// What narrowing has made of a half of a subproblem.
struct Narrowed {
  bool empty = false;
  double gain = 0;  // of what values could take, how much is ruled out, in logarithms; not rigorous
};

// Of a subproblem in which the network is linear, as far as a solver in floating point finds.
struct LeafOptimum {
  std::vector<float> multipliers;  // of its splits: those of the best bound
  std::vector<float> weights;      // of the rows of `violated`, where there are several: the combination bounded then
  std::vector<double> point;       // [inputs], where the row, or the largest of several, is least
  std::int64_t walks = 0;          // that it took
};

inline double sound_bound(const SplitAnswer& answer) {
  return sound_bound(answer.nominal, answer.error);
}

// What a stage of refinement may take.
struct RefinementLimit {
  const Deadline& until;
  // Neurons that rows pass, summed over all walks: a clock that runs alike everywhere.
  std::int64_t neuron_visits = std::numeric_limits<std::int64_t>::max();
  std::int64_t memory_bytes = std::numeric_limits<std::int64_t>::max();  // of the subproblems of rows
  std::function<void()> progress = nullptr;  // called from time to time, on the caller's thread
};

class SplitBounder {
 public:
  virtual ~SplitBounder() = default;
  // Bounds each subproblem's row and leaves in the subproblem the best slopes and multipliers. False: stopped by the
  // deadline, nothing is valid. Safe to call from several threads at once.
  virtual bool bound(const LinearSpec& spec, std::span<SplitSubproblem* const> subproblems, const SplitEffort& effort,
                     const Deadline& deadline, std::vector<SplitAnswer>& answers) const = 0;
  // For each of the splits, what narrowing makes of the subproblem's half below and of that above: cheaper than
  // bounding them. Nothing where that cannot be done, or where the deadline has passed.
  virtual std::vector<Narrowed> narrow_halves(const LinearSpec& spec, const SplitSubproblem& parent,
                                              std::span<const SplitPoint> splits, const Deadline& deadline) const = 0;
  // Of a subproblem without neurons to split. Nothing where that is too large or cannot be done; what there is proves
  // nothing by itself.
  virtual std::optional<LeafOptimum> optimum(const LinearSpec& spec, const SplitSubproblem& leaf,
                                             const Deadline& deadline) const {
    static_cast<void>(spec), static_cast<void>(leaf), static_cast<void>(deadline);
    return std::nullopt;
  }
  // Spends about this much effort on what all later subproblems share, bounds of hidden values: the more the stage,
  // from 0 on, the longer, but not beyond `limit`. False: there is no such stage. Not while others ask. Where no time
  // limit ends it, what comes out does not depend on the number of threads.
  virtual bool refine(int stage, const RefinementLimit& limit) = 0;
  // A bounder for subproblems that have all of these splits, among others: what is known of hidden values holds there
  // only, and can be refined further. nullptr: there is none. It takes slopes of its own answers only.
  virtual std::unique_ptr<SplitBounder> within(std::span<const NeuronSplit> splits) const {
    static_cast<void>(splits);
    return nullptr;
  }
  // Per neuron, bounds of its input at a point of the box.
  virtual std::vector<NeuronRange> ranges_at(std::span<const double> point, const Deadline& deadline) const = 0;
  // The first neuron of each layer, from the input on: the neurons that one activation reads.
  virtual std::vector<std::int32_t> layers() const = 0;
  // The memory that `bound` takes for each subproblem while it runs, about and rather too much.
  virtual std::int64_t bytes_per_subproblem() const = 0;
  // The memory that it holds of its own, and about what one `within` splits would.
  virtual std::int64_t held_bytes() const { return 0; }
};

}  // namespace boundflow
