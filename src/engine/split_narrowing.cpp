// The bounds of a subproblem's own: narrowed by its splits and by what a violation implies (engine/contraction), and
// its box by what rows leave of it.

#include <algorithm>
#include <cmath>

#include "base/rounding.hpp"
#include "engine/split_workspace.hpp"
#include "exec/interval_loops.hpp"

namespace boundflow {

namespace {

constexpr double kLeastClip = 0.01;  // of a coordinate's width
constexpr int kClipRounds = 2;

}  // namespace

// True if nothing is left of the subproblem: one of its splits asks for what no trajectory does. Every other half of
// such a split holds all of them.
bool SplitEngine::contradicts(const SplitSubproblem& subproblem) const {
  return nothing_left_ ||
         std::any_of(subproblem.splits.begin(), subproblem.splits.end(), [&](const NeuronSplit& split) {
           const crown::NeuronLayer& layer = layer_of(split.neuron);
           const GivenValue& given = given_[static_cast<std::size_t>(layer.value)];
           const auto at = static_cast<std::size_t>(split.neuron - layer.offset);
           const auto point = static_cast<double>(split.point);
           return split.above ? given.upper[at] < point : given.lower[at] > point;
         });
}

// Rows with terms over inputs speak of the property's numbers, values of the float32 next to them.
bool SplitEngine::can_narrow(const LinearSpec* spec, const SplitSubproblem& subproblem) const {
  return spec != nullptr && spec->input_coefficients.empty() && !subproblem.violated.empty() &&
         semantics_ != Semantics::Nominal;
}

// What is known of all values, for those that narrow them, or of the input alone, within the subproblem's box. False:
// nothing is left of that.
bool SplitEngine::begin_own(const SplitSubproblem& subproblem, bool narrows, ValueBounds& own) const {
  const GivenValue& input = given_[static_cast<std::size_t>(input_)];
  const std::size_t inputs = input.lower.size();
  const InputBox* box = subproblem.box.get();
  const bool contracts = contraction_ != nullptr && narrows;
  if (contracts) {
    own = contraction_base_.bounds;
  } else {
    own.clear();
    own.lower.resize(inputs);
    own.upper.resize(inputs);
  }
  // The input stands first.
  bool left = true;
  for (std::size_t p = 0; p < inputs && box != nullptr; ++p) {
    const double lower = box->lower[coordinate(p)], upper = box->upper[coordinate(p)];
    if (contracts) {
      cut(p, lower, upper, own);
    } else {
      own.lower[p] = std::max(input.lower[p], lower);
      own.upper[p] = std::min(input.upper[p], upper);
    }
    left = left && !(own.lower[p] > own.upper[p]);
  }
  if (!contracts && box == nullptr) {
    own.lower = input.lower;
    own.upper = input.upper;
  }
  return left;
}

// Whatever is not smaller stays, and NaN.
void SplitEngine::cut(std::size_t at, double lower, double upper, ValueBounds& own) const {
  const bool contracts = !own.pending.empty();
  const auto i = static_cast<std::int64_t>(at);
  if (lower > own.lower[at]) contracts ? contraction_->raise(i, lower, own) : void(own.lower[at] = lower);
  if (upper < own.upper[at]) contracts ? contraction_->reduce(i, upper, own) : void(own.upper[at] = upper);
}

std::size_t SplitEngine::coordinate(std::size_t position) const {
  return input_order_ ? static_cast<std::size_t>((*input_order_)[position]) : position;
}

// Gives each subproblem that can be narrowed, or has been, bounds of its own: what is left of `base`, or of the box.
// `clips`: those that can be narrowed are to be clipped as well.
bool SplitEngine::own(const RowSource& source, std::span<SplitSubproblem* const> subproblems, bool clips,
                      const ValueBounds* base, const Deadline& deadline, Workspace& w) const {
  const TraceSpan span(trace_.get(), SpanKind::Step, "narrowing");
  const std::size_t count = subproblems.size(), values = given_.size(), input = static_cast<std::size_t>(input_);
  std::size_t last_read = count;  // the last one whose box is read alone
  w.own.resize(count);
  w.own_lower.clear();
  w.own_upper.clear();
  w.empty.assign(count, 0);
  w.narrows.assign(count, false);
  w.clipped.assign(count, false);
  for (std::size_t b = 0; b < count; ++b) {
    w.own[b].clear();
    w.empty[b] = contradicts(*subproblems[b]) ? 1 : 0;
    if (w.empty[b] != 0) continue;
    const bool narrows = clips && can_narrow(source.spec, *subproblems[b]);
    w.narrows[b] = narrows;
    if (!narrows && !subproblems[b]->box) continue;
    if (deadline.should_stop()) return false;
    w.own_lower.resize(count * values, nullptr);
    w.own_upper.resize(count * values, nullptr);
    if (!narrows && last_read < b && subproblems[b]->box == subproblems[last_read]->box) {
      w.own_lower[b * values + input] = w.own_lower[last_read * values + input];
      w.own_upper[b * values + input] = w.own_upper[last_read * values + input];
      continue;
    }
    if (base != nullptr) {
      w.own[b] = *base;
    } else {
      w.empty[b] = begin_own(*subproblems[b], narrows, w.own[b]) ? 0 : 1;
    }
    if (!narrows && w.empty[b] == 0) last_read = b;
    if (narrows && w.empty[b] == 0) narrow(*source.spec, *subproblems[b], b, w);
    for (std::size_t value = 0; value < values; ++value) {
      const auto id = static_cast<ValueId>(value);
      const std::int64_t offset = id == input_ ? 0 : contraction_ && narrows ? contraction_->offset(id) : -1;
      if (offset < 0) continue;
      w.own_lower[b * values + value] = w.own[b].lower.data() + offset;
      w.own_upper[b * values + value] = w.own[b].upper.data() + offset;
    }
  }
  w.split.own_lower = w.own_lower;
  w.split.own_upper = w.own_upper;
  return true;
}

// Narrows a subproblem's own bounds by its splits, and by what it takes for its rows to be violated. Splits of the
// input always count: distances are measured from the corner where rows are least in what they leave (`clip`).
void SplitEngine::narrow(const LinearSpec& spec, const SplitSubproblem& subproblem, std::size_t b, Workspace& w) const {
  ValueBounds& own = w.own[b];
  for (const NeuronSplit& split : subproblem.splits) {
    const crown::NeuronLayer& layer = layer_of(split.neuron);
    if (!contraction_ && layer.value != input_) continue;
    const std::int64_t offset = contraction_ ? contraction_->offset(layer.value) : 0;
    const auto at = static_cast<std::size_t>(offset + split.neuron - layer.offset);
    const auto point = static_cast<double>(split.point);
    cut(at, split.above ? point : -kInfinity, split.above ? kInfinity : point, own);
    if (own.lower[at] > own.upper[at]) w.empty[b] = 1;
  }
  if (!contraction_ || w.empty[b] != 0) return;
  w.empty[b] = contraction_->contract(contraction_base_, spec, subproblem.violated, own) ? 0 : 1;
}

// The row at place `n` of the step is at least `bound` plus |Lambda| times the distance from the corner where it is
// least; where it is at most zero, no coordinate is further away than that allows. True if the box got smaller.
bool SplitEngine::clip(std::size_t n, double bound, Workspace& w) const {
  constexpr std::size_t kBlock = 256;
  const auto b = static_cast<std::size_t>(w.owners[n]);
  if (!w.narrows[b] || !std::isfinite(bound) || bound > 0) return false;
  ValueBounds& own = w.own[b];
  const auto inputs = static_cast<std::size_t>(program_.program().inputs);
  const double* form = w.forms.data() + n * inputs;
  // Most are far from it, and a division takes longer than all the rest.
  const double least = -bound / widest_;
  bool clipped = false;
  for (std::size_t first = 0; first < inputs; first += kBlock) {
    const std::size_t end = std::min(first + kBlock, inputs);
    if (interval_extent(form + first, form + first, static_cast<std::int64_t>(end - first)).max_abs < least) continue;
    for (std::size_t i = first; i < end; ++i) {
      const double slope = form[i];
      if (!(std::fabs(slope) >= least)) continue;
      const auto p = static_cast<std::size_t>(positions_[i]);
      const double l = own.lower[p], u = own.upper[p], reach = round_up(-bound / std::fabs(slope));
      if (!(reach < (1 - kLeastClip) * (u - l))) continue;
      slope > 0 ? cut(p, l, add_up(l, reach), own) : cut(p, sub_down(u, reach), u, own);
      clipped = true;
    }
  }
  if (clipped) w.clipped[b] = true;
  return clipped;
}

// Clips by each row that is violated, alone: a combination may hide what one of them says.
bool SplitEngine::clip_by_rows(const RowSource& source, std::span<SplitSubproblem* const> subproblems,
                               const Deadline& deadline, Workspace& w) const {
  for (int round = 0; round < kClipRounds; ++round) {
    std::vector<char> clipped(subproblems.size(), 0);
    for (std::size_t r = 0;; ++r) {
      w.owners.clear();
      w.indices.clear();
      for (std::size_t b = 0; b < subproblems.size(); ++b) {
        if (!w.narrows[b] || w.empty[b] != 0 || r >= subproblems[b]->violated.size()) continue;
        w.owners.push_back(static_cast<std::int32_t>(b));
        w.indices.push_back(subproblems[b]->violated[r]);
      }
      if (w.owners.empty()) break;
      if (!walk(source, Walk::Alone, deadline, w)) return false;
      const TraceSpan span(trace_.get(), SpanKind::Step, "slopes");
      for (std::size_t n = 0; n < w.owners.size(); ++n) {
        const auto b = static_cast<std::size_t>(w.owners[n]);
        const double bound = sound_bound(w.constants[n], w.errors[n]);
        if (bound > 0) w.empty[b] = 1;
        if (clip(n, bound, w)) clipped[b] = 1;
      }
    }
    if (std::find(clipped.begin(), clipped.end(), 1) == clipped.end()) return true;
    for (std::size_t b = 0; b < subproblems.size(); ++b) {
      if (clipped[b] == 0 || w.empty[b] != 0) continue;
      if (deadline.should_stop()) return false;
      const TraceSpan span(trace_.get(), SpanKind::Step, "narrowing");
      narrow(*source.spec, *subproblems[b], b, w);
    }
    if (!give(source, deadline, w)) return false;
  }
  return true;
}

std::vector<Narrowed> SplitEngine::narrow_halves(const LinearSpec& spec, const SplitSubproblem& parent,
                                                 std::span<const SplitPoint> splits, const Deadline& deadline) const {
  constexpr std::size_t kHalvesPerQuery = 64;
  std::vector<Narrowed> result;
  if (!contraction_ || !can_narrow(&spec, parent)) return result;
  const RowSource source{program_, met_.front(), &spec};
  auto lease = workspaces_.take();
  Workspace& w = *lease;
  SplitSubproblem whole = parent;
  SplitSubproblem* const one[] = {&whole};
  if (!own(source, one, true, nullptr, deadline, w)) return result;
  if (w.empty[0] != 0) {
    result.assign(2 * splits.size(), {.empty = true});
    return result;
  }
  const ValueBounds base = w.own[0];
  std::vector<SplitSubproblem> halves;
  for (const SplitPoint& at : splits) {
    for (const bool above : {false, true}) {
      halves.push_back(parent);
      halves.back().splits.push_back(side_of(at, above));
    }
  }
  std::vector<SplitSubproblem*> pointers;
  for (SplitSubproblem& half : halves) pointers.push_back(&half);
  for (std::size_t first = 0; first < halves.size(); first += kHalvesPerQuery) {
    const std::size_t count = std::min(kHalvesPerQuery, halves.size() - first);
    const auto part = std::span(pointers).subspan(first, count);
    if (!start(source, part, true, deadline, w, &base) || !clip_by_rows(source, part, deadline, w)) return {};
    const TraceSpan span(trace_.get(), SpanKind::Step, "narrowing");
    for (std::size_t b = 0; b < count; ++b) {
      Narrowed& half = result.emplace_back();
      half.empty = w.empty[b] != 0;
      if (half.empty) continue;
      half.gain = contraction_->gain(contraction_base_, base, w.own[b]);
    }
  }
  return result;
}

void SplitEngine::keep_box(const ValueBounds& own, SplitSubproblem& subproblem) const {
  if (own.empty()) return;
  const GivenValue& input = given_[static_cast<std::size_t>(input_)];
  const std::size_t inputs = input.lower.size();
  InputBox box{std::vector<double>(inputs), std::vector<double>(inputs)};
  bool smaller = false;
  for (std::size_t p = 0; p < inputs; ++p) {
    const std::size_t i = coordinate(p);
    box.lower[i] = own.lower[p];
    box.upper[i] = own.upper[p];
    smaller = smaller || own.lower[p] > (subproblem.box ? subproblem.box->lower[i] : input.lower[p]) ||
              own.upper[p] < (subproblem.box ? subproblem.box->upper[i] : input.upper[p]);
  }
  if (smaller) subproblem.box = std::make_shared<const InputBox>(std::move(box));
}

// Of a free neuron in subproblem b, whose splits are marked.
NeuronRange SplitEngine::range_of(std::size_t free, std::size_t b, const Workspace& w) const {
  const std::int32_t neuron = free_.neurons[free];
  const crown::NeuronLayer& layer = layers_[static_cast<std::size_t>(ranges_[free].layer)];
  const std::size_t at = b * given_.size() + static_cast<std::size_t>(layer.value);
  NeuronRange range{ranges_[free].lower, ranges_[free].upper};
  if (!w.own_lower.empty() && w.own_lower[at] != nullptr) {
    range = {w.own_lower[at][neuron - layer.offset], w.own_upper[at][neuron - layer.offset]};
  }
  if (w.is_split[free] == 0) return range;
  for (auto s = static_cast<std::size_t>(w.first_split[b]); s < static_cast<std::size_t>(w.first_split[b + 1]); ++s) {
    if (w.splits[s].neuron != neuron) continue;
    const auto point = static_cast<double>(w.splits[s].point);
    if (w.splits[s].above) range.lower = std::max(range.lower, point);
    if (!w.splits[s].above) range.upper = std::min(range.upper, point);
  }
  return range;
}

}  // namespace boundflow
