#include "engine/split_engine.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "base/rounding.hpp"
#include "engine/split_workspace.hpp"

namespace boundflow {

namespace {

constexpr std::int64_t kBlockBytes = 256 << 10;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// False if the deadline has passed.
template <class Frame>
bool run_task(const CompiledProgram& program, std::size_t task, const Frame& frame, Trace* trace,
              const Deadline& deadline) {
  for (const TaskOp& op : program.program().tasks.at(task).ops) {
    if (deadline.should_stop()) return false;
    const TraceSpan span(trace, SpanKind::Op, to_string(op.kind), &op);
    program.run(op, frame);
  }
  return true;
}

// What stands in it counts no more; it need not shrink.
template <class Numbers>
void at_least(Numbers& numbers, std::size_t count) {
  if (numbers.size() < count) numbers.resize(count);
}

// Two lines below that meet in the origin, with the kink of the function, slopes ascending, and nothing to choose
// above.
bool turns_at_zero(const LineChoices& lines) {
  return lines.below.count() == 2 && !lines.above.is_free() && lines.below.at(0).intercept == 0 &&
         lines.below.at(1).intercept == 0 && lines.below.at(0).slope < lines.below.at(1).slope;
}

// The first whose bounds are given.
const Buffer& input_of(const BoundProgram& program) {
  const BufferId first = program.tasks.at(SplitPrograms::kGiven).ops.at(0).outputs.at(0);
  return program.buffers.at(static_cast<std::size_t>(first));
}

}  // namespace

SplitEngine::SplitEngine(std::shared_ptr<const QueryEngine> engine, const InputBox& box, Semantics semantics,
                         const Deadline& deadline)
    : engine_(std::move(engine)),
      layers_(engine_->split_programs().layers),
      program_(*engine_->split_programs().programs.at(0)),
      contraction_(engine_->split_programs().contraction.get()),
      semantics_(semantics),
      lower_(box.lower),
      upper_(box.upper),
      input_(input_of(program_.program()).value),
      input_order_(input_of(program_.program()).order) {
  given_ = values_over(lower_, upper_, deadline);
  for (const auto& program : engine_->split_programs().programs) {
    std::vector<bool>& met = met_.emplace_back(layers_.size(), false);
    for (const Task& task : program->program().tasks) {
      for (const TaskOp& op : task.ops) {
        if (op.kind != TaskOpKind::KeepRows) continue;
        for (std::size_t k = 0; k < layers_.size(); ++k) met[k] = met[k] || layers_[k].offset == op.offset;
      }
    }
  }
  positions_.resize(lower_.size());
  for (std::size_t p = 0; p < lower_.size(); ++p) positions_[coordinate(p)] = static_cast<std::int32_t>(p);
  for (std::size_t i = 0; i < lower_.size(); ++i) widest_ = std::max(widest_, sub_up(upper_[i], lower_[i]));
  for (const crown::NeuronLayer& layer : layers_) neurons_ += layer.columns;
  find_free();
  begin_contraction();
}

SplitEngine::SplitEngine(const SplitEngine& around, std::span<const NeuronSplit> splits)
    : engine_(around.engine_),
      layers_(around.layers_),
      program_(around.program_),
      contraction_(around.contraction_),
      semantics_(around.semantics_),
      lower_(around.lower_),
      upper_(around.upper_),
      widest_(around.widest_),
      input_(around.input_),
      input_order_(around.input_order_),
      positions_(around.positions_),
      given_(around.given_),
      assumed_(splits.begin(), splits.end()),
      met_(around.met_),
      neurons_(around.neurons_),
      trace_(around.trace_) {
  for (NeuronSplit& split : assumed_) {
    split.multiplier = 0;
    const crown::NeuronLayer& layer = layer_of(split.neuron);
    GivenValue& given = given_[static_cast<std::size_t>(layer.value)];
    const auto at = static_cast<std::size_t>(split.neuron - layer.offset);
    double &l = given.lower[at], &u = given.upper[at];
    const auto point = static_cast<double>(split.point);
    // Where they contradict each other, `contradicts` says so of each subproblem.
    if (split.above && l < point && point <= u) l = point;
    if (!split.above && u > point && point >= l) u = point;
  }
  find_free();
  begin_contraction();
}

std::unique_ptr<SplitBounder> SplitEngine::within(std::span<const NeuronSplit> splits) const {
  return std::unique_ptr<SplitBounder>(new SplitEngine(*this, splits));
}

// After a change of what is given.
void SplitEngine::begin_contraction() {
  if (contraction_) contraction_base_ = contraction_->base(given_);
}

void SplitEngine::find_free() {
  free_ = {};
  ranges_.clear();
  turn_ranges_ = {};
  choices_.clear();
  sides_ = 1;
  place_.assign(static_cast<std::size_t>(neurons_), -1);
  std::int32_t number = 0;
  KnownChoices found;
  const LineChoices& lines = found.lines;
  for (const crown::NeuronLayer& layer : layers_) {
    const GivenValue& given = given_[static_cast<std::size_t>(layer.value)];
    for (std::int64_t i = 0; i < layer.columns; ++i) {
      const double l = given.lower[static_cast<std::size_t>(i)], u = given.upper[static_cast<std::size_t>(i)];
      if (!find_choices(*layer.function, l, u, true, semantics_, layer.unit_roundoff, found)) continue;
      const auto neuron = static_cast<std::int32_t>(layer.offset + i), k = static_cast<std::int32_t>(free_.size());
      place_[static_cast<std::size_t>(neuron)] = k;
      ranges_.push_back({number, l, u, static_cast<float>(lines.below.start), static_cast<float>(lines.above.start)});
      if (lines.above.is_free()) sides_ = 2;
      const bool turns = turns_at_zero(lines) && layer.function->is_selection();
      const double first = turns ? lines.below.at(0).slope : kNaN, last = turns ? lines.below.at(1).slope : kNaN;
      const double steepest = std::max(std::fabs(first), std::fabs(last));
      free_.neurons.push_back(neuron);
      free_.first_slopes.push_back(static_cast<float>(first));
      free_.last_slopes.push_back(static_cast<float>(last));
      // Not so small that a product with a unit roundoff rounds.
      free_.reaches.push_back(turns ? cast_up<float>(std::max(mul_up(steepest, std::max(-l, u)), 0x1p-60)) : 0.0F);
      if (!turns) free_.not_turning.push_back(k);
      turn_ranges_.lower.push_back(static_cast<float>(l));
      turn_ranges_.upper.push_back(static_cast<float>(u));
      turn_ranges_.peaks.push_back(turns ? static_cast<float>(layer.function->relax(l, u, true).upper_intercept)
                                         : 0.0F);
      // Selections find their lines faster than they could be read.
      const bool keeps = !layer.function->is_selection();
      free_.known.push_back(keeps ? static_cast<std::int32_t>(choices_.size()) : -1);
      if (keeps) choices_.push_back(found);
    }
    ++number;
  }
}

SplitEngine::~SplitEngine() = default;

std::vector<GivenValue> SplitEngine::values_over(std::span<const double> lower, std::span<const double> upper,
                                                 const Deadline& deadline) const {
  LinearSpec no_rows;
  no_rows.inputs = program_.program().inputs;
  no_rows.outputs = program_.program().outputs;
  BoundQuery query;
  query.subproblems = 1;
  query.lower = lower;
  query.upper = upper;
  query.spec = &no_rows;
  query.semantics = semantics_;
  return engine_->given_values(query, deadline);
}

std::vector<NeuronRange> SplitEngine::ranges_at(std::span<const double> point, const Deadline& deadline) const {
  const std::vector<GivenValue> values = values_over(point, point, deadline);
  std::vector<NeuronRange> ranges;
  for (const crown::NeuronLayer& layer : layers_) {
    const GivenValue& value = values[static_cast<std::size_t>(layer.value)];
    for (std::size_t i = 0; i < static_cast<std::size_t>(layer.columns); ++i) {
      ranges.push_back({value.lower[i], value.upper[i]});
    }
  }
  return ranges;
}

std::vector<std::int32_t> SplitEngine::layers() const {
  std::vector<std::int32_t> first;
  for (const crown::NeuronLayer& layer : layers_) first.push_back(static_cast<std::int32_t>(layer.offset));
  return first;
}

// A row's buffers, though blocks of rows use theirs again, bounds of its own, and what Workspace and the answer have.
std::int64_t SplitEngine::bytes_per_subproblem() const {
  const BoundProgram& program = program_.program();
  std::int64_t numbers = 3 * program.inputs + 2 * program.outputs;
  for (const GivenValue& given : given_) numbers += 3 * std::ssize(given.lower) + 2;
  const std::int64_t per_choice = sizeof(float) + sizeof(Moments) + 2 * sizeof(std::uint8_t);
  return program_.plan().batch_bytes + program_.plan().row_bytes + numbers * static_cast<std::int64_t>(sizeof(double)) +
         2 * free_.size() * static_cast<std::int64_t>(sizeof(float)) + choices() * per_choice;
}

std::int64_t SplitEngine::held_bytes() const {
  HeldBytes held;
  for (const GivenValue& given : given_) {
    held.add(given.lower);
    held.add(given.upper);
    held.add(given.error_weights);
  }
  const ValueBounds& own = contraction_base_.bounds;
  for (const auto* numbers : {&own.lower, &own.upper, &own.low, &own.high, &contraction_base_.slack,
                              &contraction_base_.widest, &lower_, &upper_}) {
    held.add(*numbers);
  }
  held.add(own.pending);
  for (const auto* numbers : {&free_.first_slopes, &free_.last_slopes, &free_.reaches, &turn_ranges_.lower,
                              &turn_ranges_.upper, &turn_ranges_.peaks}) {
    held.add(*numbers);
  }
  for (const auto* numbers : {&free_.neurons, &free_.known, &free_.not_turning, &place_, &positions_}) {
    held.add(*numbers);
  }
  held.add(ranges_);
  held.add(choices_);
  return held.total();
}

const crown::NeuronLayer& SplitEngine::layer_of(std::int32_t neuron) const {
  const auto behind = std::find_if(layers_.begin(), layers_.end(), [&](const auto& l) { return l.offset > neuron; });
  return *(behind - 1);
}

void SplitEngine::load(std::span<SplitSubproblem* const> subproblems, Workspace& w) const {
  const std::size_t count = subproblems.size();
  w.splits.clear();
  w.first_split.assign(1, 0);
  at_least(w.shares, static_cast<std::size_t>(choices()) * count);
  for (std::size_t b = 0; b < count; ++b) {
    const SplitSubproblem& subproblem = *subproblems[b];
    for (const NeuronSplit& split : subproblem.splits) {
      const crown::NeuronLayer& layer = layer_of(split.neuron);
      const auto position = static_cast<std::int32_t>(split.neuron - layer.offset);
      w.splits.push_back({layer.value, position, split.neuron, split.above, split.point, split.multiplier});
    }
    w.first_split.push_back(std::ssize(w.splits));
    ensure(!subproblem.slopes || std::ssize(*subproblem.slopes) == choices(), "slopes of another box");
    const std::size_t free = ranges_.size();
    for (std::size_t side = 0; side < static_cast<std::size_t>(sides_); ++side) {
      float* shares = w.shares.data() + (side * count + b) * free;
      const std::uint8_t* from = subproblem.slopes ? subproblem.slopes->data() + side * free : nullptr;
      for (std::size_t k = 0; k < free && from != nullptr; ++k) shares[k] = static_cast<float>(from[k]) / 255;
      for (std::size_t k = 0; k < free && from == nullptr; ++k) {
        shares[k] = side == 0 ? ranges_[k].start_below : ranges_[k].start_above;
      }
    }
  }
}

// One step of the rows of w.owners and w.indices: their bounds, and with a sweep what improves them and on demand
// minimisers.
bool SplitEngine::walk(const RowSource& source, Walk kind, const Deadline& deadline, Workspace& w) const {
  const BoundProgram& program = source.program.program();
  const auto run = [&](std::size_t task, const auto& frame) {
    return run_task(source.program, task, frame, trace_.get(), deadline);
  };
  w.split.running = w.owners;
  if (!run(SplitPrograms::kSlopes, w.frame)) return false;
  const std::int64_t row_bytes = source.program.plan().row_bytes;
  const std::int64_t bytes = row_bytes + 2 * static_cast<std::int64_t>(sizeof(double));
  const std::int64_t per_block = std::clamp<std::int64_t>(kBlockBytes / bytes, 32, 256);
  const auto rows = std::ssize(w.owners);
  const bool forms =
      kind == Walk::AloneWithForms || std::find(w.narrows.begin(), w.narrows.end(), true) != w.narrows.end();
  w.signs.clear();
  for (const std::int32_t owner : w.owners) {
    if (!source.signs.empty()) w.signs.push_back(source.signs[static_cast<std::size_t>(owner)]);
  }
  w.constants.assign(w.owners.size(), 0.0);
  w.errors.assign(w.owners.size(), 0.0);
  for (std::int64_t first = 0; first < rows; first += per_block) {
    RowFrame frame;
    frame.batch = &w.frame;
    frame.rows = frame.capacity = std::min(per_block, rows - first);
    frame.arena = w.rows.reserve(static_cast<std::size_t>(bytes * frame.rows));
    frame.scratch = reinterpret_cast<double*>(frame.arena + row_bytes * frame.rows);
    frame.owners = w.owners.data() + first;
    frame.indices = w.indices.data() + first;
    frame.spec = source.spec;
    frame.signs = w.signs.data() + (w.signs.empty() ? 0 : first);
    frame.constants = w.constants.data() + first;
    frame.errors = w.errors.data() + first;
    frame.kept_rows = w.kept_rows.data() + first * free_.size();
    frame.kept_points = w.kept_points.data() + first * free_.size();
    frame.split_points = w.split_points.data();
    frame.split_magnitudes = w.split_magnitudes.data();
    frame.minimizers = kind == Walk::AndMinimizers ? w.minimizers.data() + first * program.inputs : nullptr;
    frame.form = forms ? w.forms.data() + first * program.inputs : nullptr;
    frame.form_constants = w.form_constants.data() + first;
    frame.values = w.outputs.data() + first * program.outputs;
    if (!run(SplitPrograms::kWalk, frame)) return false;
    const bool sweeps = kind == Walk::AndSweep || kind == Walk::AndMinimizers;
    if (sweeps && !run(SplitPrograms::kSweep, frame)) return false;
  }
  return true;
}

// Loads the subproblems and runs what does not change from step to step; false if the deadline has passed.
bool SplitEngine::start(const RowSource& source, std::span<SplitSubproblem* const> subproblems, bool clips,
                        const Deadline& deadline, Workspace& w, const ValueBounds* base) const {
  ensure(keeps_subnormals(), "this thread flushes subnormal numbers to zero (fast-math host?); bounds would not hold");
  const std::size_t count = subproblems.size();
  load(subproblems, w);
  w.reach = free_.size();
  while (w.reach > 0 && !source.meets[static_cast<std::size_t>(ranges_[static_cast<std::size_t>(w.reach - 1)].layer)]) {
    --w.reach;
  }
  w.split = {.given = given_,
             .splits = w.splits,
             .first_split = w.first_split,
             .free = &free_,
             .lower_shares = w.shares.data(),
             .upper_shares = sides_ > 1 ? w.shares.data() + count * ranges_.size() : nullptr,
             .running = {},
             .choices = choices_,
             .own_lower = {},
             .own_upper = {},
             .whole = {}};
  if (!own(source, subproblems, clips, base, deadline, w)) return false;
  w.whole.assign(count * given_.size(), 1);
  for (std::int64_t b = 0; b < std::ssize(subproblems); ++b) {
    for (const SplitTerm& split : w.split.splits_of(b)) w.whole[w.split.place(b, split.value)] = 0;
  }
  w.split.whole = w.whole;
  w.frame = {};
  w.frame.subproblems = static_cast<std::int64_t>(count);
  w.frame.arena = w.batch.reserve(static_cast<std::size_t>(source.program.plan().batch_bytes * w.frame.subproblems));
  w.frame.semantics = semantics_;
  w.frame.trace = trace_.get();
  w.frame.split = &w.split;
  at_least(w.kept_rows, count * ranges_.size());
  at_least(w.kept_points, count * ranges_.size());
  const auto met = source.meets.begin();
  if (w.reach > 0 &&
      !std::all_of(met, met + ranges_[static_cast<std::size_t>(w.reach - 1)].layer, [](bool meets) { return meets; })) {
    // Zero where rows meet no layer.
    std::fill(w.kept_rows.begin(), w.kept_rows.end(), 0.0F);
    std::fill(w.kept_points.begin(), w.kept_points.end(), 0.0F);
  }
  w.split_points.assign(w.splits.size(), 0.0F);
  w.split_magnitudes.assign(w.splits.size(), 0.0F);
  at_least(w.minimizers, count * static_cast<std::size_t>(program_.program().inputs));
  at_least(w.outputs, count * static_cast<std::size_t>(program_.program().outputs));
  at_least(w.forms, count * static_cast<std::size_t>(program_.program().inputs));
  at_least(w.form_constants, count);
  return give(source, deadline, w);
}

// A step's rows: each subproblem's own, of those that anything is left of.
void SplitEngine::aim(std::span<SplitSubproblem* const> subproblems, Workspace& w) const {
  w.owners.clear();
  w.indices.clear();
  for (std::size_t b = 0; b < subproblems.size(); ++b) {
    if (w.empty[b] != 0) continue;
    w.owners.push_back(static_cast<std::int32_t>(b));
    w.indices.push_back(subproblems[b]->row);
  }
}

// What follows from the bounds that are given. Always of all subproblems and values: within the task, storage is used
// again, so that no part of it can be repeated.
bool SplitEngine::give(const RowSource& source, const Deadline& deadline, Workspace& w) const {
  return run_task(source.program, SplitPrograms::kGiven, w.frame, trace_.get(), deadline);
}

SplitEngine::Gradients SplitEngine::gradients(const LinearSpec& spec, SplitSubproblem subproblem,
                                              const Deadline& deadline) const {
  return gradients({program_, met_.front(), &spec}, subproblem, deadline);
}

SplitEngine::Gradients SplitEngine::gradients(std::size_t program, double sign, SplitSubproblem subproblem,
                                              const Deadline& deadline) const {
  return gradients({*engine_->split_programs().programs.at(program), met_.at(program), nullptr, std::span(&sign, 1)},
                   subproblem, deadline);
}

SplitEngine::Gradients SplitEngine::gradients(const RowSource& source, SplitSubproblem& subproblem,
                                              const Deadline& deadline) const {
  Gradients result;
  SplitSubproblem* const pointer = &subproblem;
  const std::span<SplitSubproblem* const> one(&pointer, 1);
  auto lease = workspaces_.take();
  Workspace& w = *lease;
  if (!start(source, one, false, deadline, w) || w.empty[0] != 0) return result;
  aim(one, w);
  if (!walk(source, Walk::AndSweep, deadline, w)) return result;
  result.complete = true;
  result.answer.nominal = w.constants[0];
  result.answer.error = w.errors[0];
  mark_split(0, w);
  for (std::size_t side = 0; side < static_cast<std::size_t>(sides_); ++side) {
    share_gradients(0, side, w);
    result.slopes.insert(result.slopes.end(), w.gradients.begin(), w.gradients.end());
  }
  for (std::size_t s = 0; s < w.splits.size(); ++s) {
    result.multipliers.push_back(multiplier_gradient(w.splits[s], w.split_points[s]));
  }
  return result;
}

bool SplitEngine::bound(const LinearSpec& spec, std::span<SplitSubproblem* const> subproblems,
                        const SplitEffort& effort, const Deadline& deadline, std::vector<SplitAnswer>& answers) const {
  return bound_rows({program_, met_.front(), &spec}, subproblems, effort, deadline, answers);
}

bool SplitEngine::bound_rows(const RowSource& source, std::span<SplitSubproblem* const> subproblems,
                             const SplitEffort& effort, const Deadline& deadline,
                             std::vector<SplitAnswer>& answers) const {
  const std::size_t count = subproblems.size();
  const auto inputs = static_cast<std::size_t>(program_.program().inputs);
  const auto outputs = static_cast<std::size_t>(program_.program().outputs);
  auto lease = workspaces_.take();
  Workspace& w = *lease;
  const bool several = std::any_of(subproblems.begin(), subproblems.end(),
                                   [](const SplitSubproblem* subproblem) { return subproblem->violated.size() > 1; });
  // After a single walk, a smaller box serves what it narrows alone.
  const bool clips = contraction_ != nullptr || several || effort.steps > 0;
  if (!start(source, subproblems, clips, deadline, w)) return false;
  if (several && !clip_by_rows(source, subproblems, deadline, w)) return false;
  aim(subproblems, w);
  const std::size_t choices = static_cast<std::size_t>(sides_) * count * ranges_.size();
  at_least(w.best_slopes, choices);
  w.best_multipliers.resize(w.splits.size());
  at_least(w.share_moments.means, choices);
  at_least(w.share_moments.squares, choices);
  w.multiplier_moments.assign(w.splits.size(), {});
  w.best.assign(count, -kInfinity);
  answers.assign(count, {});
  double length = effort.first_step;
  for (int step = 0; step < std::max(effort.steps, 1) && !w.owners.empty(); ++step) {
    const bool last = step + 1 >= effort.steps;
    const bool ranks = last && effort.steps > 0 && effort.candidates;
    const Walk kind = last && !ranks ? Walk::Alone : last && effort.minimizers ? Walk::AndMinimizers : Walk::AndSweep;
    if (!walk(source, kind, deadline, w)) return false;
    std::vector<std::size_t> running;
    bool clipped = false;
    std::optional<TraceSpan> steps(std::in_place, trace_.get(), SpanKind::Step, "slopes");
    for (std::size_t n = 0; n < w.owners.size(); ++n) {
      const auto b = static_cast<std::size_t>(w.owners[n]);
      SplitAnswer& answer = answers[b];
      const double bound = sound_bound(w.constants[n], w.errors[n]);
      if (step == 0 || bound > w.best[b]) {
        w.best[b] = bound;
        answer.nominal = w.constants[n];
        answer.error = w.errors[n];
        if (effort.steps > 0) keep_best(b, w);
      }
      const bool done = effort.stop_above_zero && w.best[b] > 0;
      if (!done && clip(n, bound, w)) {
        clipped = true;
        narrow(*source.spec, *subproblems[b], b, w);
        if (w.empty[b] != 0) continue;
      }
      if (ranks && !done) rank(n, w, answer);
      if (kind == Walk::AndMinimizers && !done) {
        const double* minimizer = w.minimizers.data() + n * inputs;
        answer.minimizer.assign(minimizer, minimizer + inputs);
        const double* values = w.outputs.data() + n * outputs;
        answer.outputs.assign(values, values + outputs);
      }
      if (last || done) continue;
      improve(n, step, length, w);
      running.push_back(n);
    }
    steps.reset();
    for (std::size_t k = 0; k < running.size(); ++k) {
      w.owners[k] = w.owners[running[k]];
      w.indices[k] = w.indices[running[k]];
    }
    w.owners.resize(running.size());
    w.indices.resize(running.size());
    if (clipped && !w.owners.empty() && !give(source, deadline, w)) return false;
    length *= effort.decay;
  }
  for (std::size_t b = 0; b < count; ++b) answers[b].empty = w.empty[b] != 0;
  if (effort.steps == 0) return true;
  for (std::size_t b = 0; b < count; ++b) {
    if (w.empty[b] != 0) continue;
    if (contraction_ || w.clipped[b]) keep_box(w.own[b], *subproblems[b]);
    take_best(b, w, *subproblems[b]);
  }
  return true;
}

}  // namespace boundflow
