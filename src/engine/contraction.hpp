#pragma once
// Contraction: the bounds of all values in one subproblem, narrowed by what is known of some of them: a violation
// bounds outputs, a split one side of a neuron. Constraint propagation over intervals, from the output back to the
// input and forth again (HC4, Benhamou et al. 1999; unit propagation where a network encodes clauses). Everything is
// rounded outward, and executions count: what is cut off holds no trajectory of the subproblem.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "domains/lowered_network.hpp"
#include "exec/executor.hpp"

namespace boundflow {

// Bounds of all variable values in one subproblem, as stored, one value behind the other; the input stands first.
struct ValueBounds {
  std::vector<double> lower;
  std::vector<double> upper;
  // By row: the least and the largest sum of its terms, without bias; kept up to date as ends move, so that a look at a
  // row costs the same however many terms it has. What that rounds away is part of ContractionBase::slack. NaN, or a
  // least sum of +infinity or a largest one of -infinity: to be added up again.
  std::vector<double> low;
  std::vector<double> high;
  // Constraints that may narrow something since bounds that they look at have changed.
  std::vector<char> pending;
  std::int64_t changes = 0;  // ends that have moved

  bool empty() const { return lower.empty(); }
  void clear() {
    for (std::vector<double>* each : {&lower, &upper, &low, &high}) each->clear();
    pending.clear();
    changes = 0;
  }
};

// What all subproblems of one region begin with.
struct ContractionBase {
  ValueBounds bounds;
  // By row, in every subproblem: by how much its sum and its result may differ in all, executions included; no term's
  // interval is wider than this.
  std::vector<double> slack;
  std::vector<double> widest;
};

// y = M x + bias over flat coordinates.
struct ContractionRows {
  ValueId output = kNoValue;
  std::int64_t first = 0;  // row
  std::vector<std::int64_t> starts;
  std::vector<std::int32_t> columns;
  std::vector<char> consecutive;  // [n]: whether the row's columns follow each other
  std::vector<double> weights;
  std::vector<double> bias;       // [n]
  std::vector<double> magnitude;  // [n], at least |bias|: its error is within kBiasError of it
  double weight_error = 0;
};
struct ContractionImage {
  ValueId operand = kNoValue;
  ValueId output = kNoValue;
  std::int64_t first = 0;  // constraint
  std::int64_t columns = 0;
  std::shared_ptr<const ScalarFunction> function;
  double unit_roundoff = 0;
};
// In the network's order; one of them.
struct ContractionStep {
  std::optional<ContractionRows> affine;
  std::optional<ContractionImage> image;
};

class Contraction {
 public:
  // Nothing where a node is joint, or where the weights are too many: those of rows whose columns follow each other,
  // which vectors read, count once, others, as of convolutions, kEffortOfOthers times.
  static constexpr std::int64_t kMostEffort = std::int64_t{1} << 19, kEffortOfOthers = 8;
  static std::shared_ptr<const Contraction> of(const LoweredNetwork& network);

  // Where a value's coordinates begin in ValueBounds; -1 for constants.
  std::int64_t offset(ValueId value) const { return offsets_[static_cast<std::size_t>(value)]; }
  // Of what is given, narrowed by what the values say of each other.
  ContractionBase base(std::span<const GivenValue> given) const;
  // Moves one end of coordinate i inwards, to `bound`.
  void raise(std::int64_t i, double bound, ValueBounds& bounds) const { move_end(i, bound, true, bounds); }
  void reduce(std::int64_t i, double bound, ValueBounds& bounds) const { move_end(i, bound, false, bounds); }

  // Narrows `bounds`, which began as those of `base`, for trajectories on which each row of `violated` is at most zero.
  // Rows of `spec` without terms over inputs only. False: no trajectory fits, and nothing in `bounds` is valid.
  bool contract(const ContractionBase& base, const LinearSpec& spec, std::span<const std::int32_t> violated,
                ValueBounds& bounds) const;

  // By how much more of what rows compute is ruled out by other constraints in `after` than in `before`: the sum of
  // logarithms over rows. What got looser, since something else rules it out now, is no loss. Not rigorous, for
  // branching.
  double gain(const ContractionBase& base, const ValueBounds& before, const ValueBounds& after) const;

  std::int64_t bytes() const;

 private:
  class Pass;
  void index_readers(std::int64_t coordinates);
  void move_end(std::int64_t i, double to, bool is_lower, ValueBounds& bounds) const;

  std::vector<ContractionStep> steps_;
  // Constraints: first the rows of all affine steps, then one for each coordinate of each image.
  std::int64_t rows_ = 0;
  std::int64_t images_ = 0;
  // By coordinate: the rows that it is a term of, readers_[first_reader_[i]] up to the next coordinate's, with its
  // weights, and whether they follow each other.
  std::vector<std::int64_t> first_reader_;
  std::vector<std::int32_t> readers_;
  std::vector<double> reader_weights_;
  std::vector<char> readers_consecutive_;
  // By coordinate: other constraints that look at it.
  std::vector<std::int64_t> first_other_;
  std::vector<std::int32_t> others_;
  std::vector<std::int64_t> offsets_;
  std::vector<std::int64_t> output_positions_;  // by coordinate of the output: in ValueBounds
};

}  // namespace boundflow
