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
  // Of what an affine node computes, -log of the part of its interval that is left. Not rigorous, for branching.
  std::vector<float> tightness;
  // Constraints that may narrow something since bounds that they look at have changed.
  std::vector<char> pending;
};

// y = M x + bias over flat coordinates.
struct ContractionRows {
  ValueId output = kNoValue;
  std::int64_t first = 0;  // constraint
  std::vector<std::int64_t> starts;
  std::vector<std::int32_t> columns;
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
  // Nothing where a node is joint, or if the maps have more than kMostEntries weights: a pass looks at each.
  static constexpr std::int64_t kMostEntries = std::int64_t{1} << 16;
  static std::shared_ptr<const Contraction> of(const LoweredNetwork& network);

  // Where a value's coordinates begin in ValueBounds; -1 for constants.
  std::int64_t offset(ValueId value) const { return offsets_[static_cast<std::size_t>(value)]; }
  ValueBounds bounds(std::span<const GivenValue> given) const;
  // To be called after a change of coordinate `i` of bounds that have been contracted.
  void touch(std::int64_t i, ValueBounds& bounds) const;

  // Narrows `bounds`, which are at most those given, whose error weights it takes, for trajectories on which each row
  // of `violated` is at most zero. Rows of `spec` without terms over inputs only. False: no trajectory fits, and
  // nothing in `bounds` is valid.
  bool contract(std::span<const GivenValue> given, const LinearSpec& spec, std::span<const std::int32_t> violated,
                ValueBounds& bounds) const;

  std::int64_t bytes() const;

 private:
  class Pass;
  template <class Visit>
  void for_each_look(const Visit& visit) const;
  void index_readers(std::int64_t coordinates);

  std::vector<ContractionStep> steps_;
  std::int64_t constraints_ = 0;  // one per coordinate of each step
  // By coordinate: the constraints that look at it, readers_[first_reader_[i]] up to the next coordinate's.
  std::vector<std::int64_t> first_reader_;
  std::vector<std::int32_t> readers_;
  std::vector<std::int64_t> offsets_;
  std::vector<std::int64_t> output_positions_;  // by coordinate of the output: in ValueBounds
};

}  // namespace boundflow
