#include "engine/split_engine.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/parallel.hpp"
#include "base/rounding.hpp"

namespace boundflow {

namespace {

constexpr std::size_t kMostCandidates = 16;
constexpr std::int64_t kBlockBytes = 256 << 10;
// Of the running means of gradients and of their squares (Kingma and Ba 2015).
constexpr float kMean = 0.8F, kSquares = 0.95F;
// A multiplier's step in units of the rows' mean magnitude at its layer.
constexpr float kMultiplierStep = 1.0F;

struct Moments {
  float mean = 0;
  float squares = 0;
  // The step's direction, between -1 and 1 but for the first few.
  float direction(float gradient, int step) {
    mean = kMean * mean + (1 - kMean) * gradient;
    squares = kSquares * squares + (1 - kSquares) * gradient * gradient;
    const auto k = static_cast<float>(step + 1);
    const float m = mean / (1 - std::pow(kMean, k)), v = squares / (1 - std::pow(kSquares, k));
    return v > 0 ? m / (std::sqrt(v) + 1e-12F) : 0.0F;
  }
};

double sound(double nominal, double error) {
  return std::isfinite(nominal) && std::isfinite(error) ? sub_down(nominal, error) : -kInfinity;
}

}  // namespace

struct SplitEngine::Workspace {
  Arena batch;
  Arena rows;
  std::vector<double> lower, upper;  // boxes
  std::vector<SplitTerm> splits;
  std::vector<std::int64_t> first_split;
  std::vector<float> slopes;  // [B, neurons]
  std::vector<float> kept_rows, kept_points;
  std::vector<double> minimizers;  // [B, inputs]
  std::vector<Moments> slope_moments, multiplier_moments;
  // Of each subproblem's best step.
  std::vector<float> best_slopes;  // [B, free]
  std::vector<float> best_multipliers;
  std::vector<double> best, nominal, error;
  // Of a step: rows still running, one per subproblem.
  std::vector<std::int32_t> owners, indices;
  std::vector<double> signs, constants, errors;
  BatchFrame frame;
  SplitFrame split;
};

SplitEngine::SplitEngine(std::shared_ptr<const QueryEngine> engine, const InputBox& box, Semantics semantics,
                         const Deadline& deadline)
    : engine_(std::move(engine)),
      layers_(engine_->split_programs().layers),
      program_(*engine_->split_programs().programs.at(0)),
      semantics_(semantics),
      lower_(box.lower),
      upper_(box.upper) {
  given_ = values_over(lower_, upper_, deadline);
  for (const crown::NeuronLayer& layer : layers_) neurons_ += layer.columns;
  find_free();
}

void SplitEngine::find_free() {
  free_.clear();
  place_.assign(static_cast<std::size_t>(neurons_), -1);
  std::int32_t number = 0;
  for (const crown::NeuronLayer& layer : layers_) {
    const GivenValue& given = given_[static_cast<std::size_t>(layer.value)];
    for (std::int64_t i = 0; i < layer.columns; ++i) {
      const double l = given.lower[static_cast<std::size_t>(i)], u = given.upper[static_cast<std::size_t>(i)];
      double left = 0, right = 0;
      if (!layer.function->bends_at_zero(l, u, left, right)) continue;
      const auto neuron = static_cast<std::int32_t>(layer.offset + i);
      place_[static_cast<std::size_t>(neuron)] = static_cast<std::int32_t>(free_.size());
      FreeNeuron free{neuron, number, l, u, static_cast<float>(left), static_cast<float>(right - left), 0};
      free.start = u > -l ? static_cast<float>(right) : static_cast<float>(left);
      free_.push_back(free);
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

std::vector<char> SplitEngine::sides(std::span<const double> point, const Deadline& deadline) const {
  const std::vector<GivenValue> values = values_over(point, point, deadline);
  std::vector<char> sides;
  for (const crown::NeuronLayer& layer : layers_) {
    const GivenValue& value = values[static_cast<std::size_t>(layer.value)];
    for (std::size_t i = 0; i < static_cast<std::size_t>(layer.columns); ++i) {
      sides.push_back(value.lower[i] > 0 ? 1 : value.upper[i] < 0 ? 0 : 2);
    }
  }
  return sides;
}

std::int64_t SplitEngine::bytes_per_subproblem() const {
  const auto free = static_cast<std::int64_t>(free_.size());
  const std::int64_t inputs = program_.program().inputs;
  return program_.plan().batch_bytes + 3 * neurons_ * static_cast<std::int64_t>(sizeof(float)) +
         free * static_cast<std::int64_t>(sizeof(float) + sizeof(Moments)) +
         3 * inputs * static_cast<std::int64_t>(sizeof(double));
}

const crown::NeuronLayer& SplitEngine::layer_of(std::int32_t neuron) const {
  const std::vector<crown::NeuronLayer>& layers = layers_;
  const auto behind = std::find_if(layers.begin(), layers.end(), [&](const auto& l) { return l.offset > neuron; });
  return *(behind - 1);
}

void SplitEngine::load(std::span<SplitSubproblem* const> subproblems, Workspace& w) const {
  const std::size_t count = subproblems.size();
  w.lower.clear();
  w.upper.clear();
  w.splits.clear();
  w.first_split.assign(1, 0);
  w.slopes.assign(count * static_cast<std::size_t>(neurons_), 0.0F);
  for (std::size_t b = 0; b < count; ++b) {
    w.lower.insert(w.lower.end(), lower_.begin(), lower_.end());
    w.upper.insert(w.upper.end(), upper_.begin(), upper_.end());
    const SplitSubproblem& subproblem = *subproblems[b];
    for (const NeuronSplit& split : subproblem.splits) {
      const crown::NeuronLayer& layer = layer_of(split.neuron);
      w.splits.push_back(
          {layer.value, static_cast<std::int32_t>(split.neuron - layer.offset), split.above, split.multiplier});
    }
    w.first_split.push_back(std::ssize(w.splits));
    float* slopes = w.slopes.data() + b * static_cast<std::size_t>(neurons_);
    ensure(!subproblem.slopes || subproblem.slopes->size() == free_.size(), "slopes of another box");
    for (std::size_t k = 0; k < free_.size(); ++k) {
      const FreeNeuron& free = free_[k];
      slopes[free.neuron] =
          subproblem.slopes ? free.least_slope + free.slope_range * static_cast<float>((*subproblem.slopes)[k]) / 255
                            : free.start;
    }
  }
}

// One step of the rows of w.owners: their bounds, and with `sweep` what improves them.
bool SplitEngine::walk(const RowSource& source, std::span<SplitSubproblem* const> subproblems, bool sweep,
                       const Deadline& deadline, Workspace& w) const {
  const BoundProgram& program = source.program.program();
  const auto run = [&](std::size_t task, const auto& frame) {
    for (const TaskOp& op : program.tasks.at(task).ops) {
      if (deadline.should_stop()) return false;
      const TraceSpan span(trace_.get(), SpanKind::Op, to_string(op.kind), &op);
      source.program.run(op, frame);
    }
    return true;
  };
  if (!run(SplitPrograms::kSlopes, w.frame)) return false;
  const std::int64_t row_bytes = source.program.plan().row_bytes;
  const std::int64_t bytes = row_bytes + 2 * static_cast<std::int64_t>(sizeof(double));
  const std::int64_t per_block = std::clamp<std::int64_t>(kBlockBytes / bytes, 32, 256);
  const auto rows = std::ssize(w.owners);
  w.indices.clear();
  w.signs.clear();
  for (const std::int32_t owner : w.owners) {
    w.indices.push_back(subproblems[static_cast<std::size_t>(owner)]->row);
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
    frame.kept_rows = w.kept_rows.data() + first * neurons_;
    frame.kept_points = w.kept_points.data() + first * neurons_;
    frame.minimizers = w.minimizers.data() + first * program.inputs;
    if (!run(SplitPrograms::kWalk, frame)) return false;
    if (sweep && !run(SplitPrograms::kSweep, frame)) return false;
  }
  return true;
}

// Moves the slopes and multipliers of the row at place `n` of the step.
void SplitEngine::improve(std::size_t n, int step, double length, Workspace& w) const {
  const auto b = static_cast<std::size_t>(w.owners[n]);
  const float* rows = w.kept_rows.data() + n * static_cast<std::size_t>(neurons_);
  const float* points = w.kept_points.data() + n * static_cast<std::size_t>(neurons_);
  float* slopes = w.slopes.data() + b * static_cast<std::size_t>(neurons_);
  Moments* moments = w.slope_moments.data() + b * free_.size();
  const auto slope_step = static_cast<float>(length);
  for (std::size_t k = 0; k < free_.size(); ++k) {
    const FreeNeuron& free = free_[k];
    const float gradient = std::max(rows[free.neuron], 0.0F) * points[free.neuron];
    if (gradient == 0 && moments[k].mean == 0) continue;
    float& slope = slopes[free.neuron];
    slope = std::clamp(slope + slope_step * free.slope_range * moments[k].direction(gradient, step), free.least_slope,
                       free.least_slope + free.slope_range);
  }
  const std::int64_t first = w.first_split[b], last = w.first_split[b + 1];
  for (std::int64_t s = first; s < last; ++s) {
    SplitTerm& split = w.splits[static_cast<std::size_t>(s)];
    const auto layer =
        std::find_if(layers_.begin(), layers_.end(), [&](const auto& l) { return l.value == split.value; });
    double magnitude = 0;
    for (std::int64_t i = 0; i < layer->columns; ++i)
      magnitude += std::fabs(static_cast<double>(rows[layer->offset + i]));
    const auto scale = static_cast<float>(magnitude / static_cast<double>(layer->columns));
    const float z = points[layer->offset + split.position];
    const float direction = w.multiplier_moments[static_cast<std::size_t>(s)].direction(split.above ? -z : z, step);
    split.multiplier = std::max(split.multiplier + kMultiplierStep * slope_step * scale * direction, 0.0F);
  }
}

// Which neurons cost the row at place `n` most: how far the line that it uses lies from the function there.
void SplitEngine::rank(std::size_t n, const Workspace& w, SplitAnswer& answer) const {
  const auto b = static_cast<std::size_t>(w.owners[n]);
  const float* rows = w.kept_rows.data() + n * static_cast<std::size_t>(neurons_);
  const float* points = w.kept_points.data() + n * static_cast<std::size_t>(neurons_);
  const float* slopes = w.slopes.data() + b * static_cast<std::size_t>(neurons_);
  std::vector<std::pair<double, std::int32_t>> scores;
  std::vector<char> split(free_.size(), 0);
  for (std::int64_t s = w.first_split[b]; s < w.first_split[b + 1]; ++s) {
    const SplitTerm& term = w.splits[static_cast<std::size_t>(s)];
    for (const crown::NeuronLayer& layer : layers_) {
      if (layer.value != term.value) continue;
      split[static_cast<std::size_t>(place_[static_cast<std::size_t>(layer.offset + term.position)])] = 1;
    }
  }
  answer.unstable = 0;
  for (std::size_t k = 0; k < free_.size(); ++k) {
    if (split[k] != 0) continue;
    ++answer.unstable;
    const FreeNeuron& free = free_[k];
    const double lambda = static_cast<double>(rows[free.neuron]);
    const double range = static_cast<double>(free.slope_range);
    double score = 0;
    if (lambda < 0) {
      score = -lambda * range * -free.lower * free.upper / (free.upper - free.lower);
    } else {
      const double z = std::clamp(static_cast<double>(points[free.neuron]), free.lower, free.upper);
      const double slope = static_cast<double>(slopes[free.neuron] - free.least_slope);
      score = lambda * (z > 0 ? (range - slope) * z : -slope * z);
    }
    if (score > 0) scores.emplace_back(-score, free.neuron);
  }
  const std::size_t kept = std::min(kMostCandidates, scores.size());
  std::partial_sort(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(kept), scores.end());
  answer.candidates.clear();
  for (std::size_t i = 0; i < kept; ++i) answer.candidates.push_back(scores[i].second);
}

bool SplitEngine::bound(const LinearSpec& spec, std::span<SplitSubproblem* const> subproblems,
                        const SplitEffort& effort, const Deadline& deadline, std::vector<SplitAnswer>& answers) const {
  return bound_rows({program_, &spec}, subproblems, effort, deadline, answers);
}

bool SplitEngine::bound_rows(const RowSource& source, std::span<SplitSubproblem* const> subproblems,
                             const SplitEffort& effort, const Deadline& deadline,
                             std::vector<SplitAnswer>& answers) const {
  ensure(keeps_subnormals(), "this thread flushes subnormal numbers to zero (fast-math host?); bounds would not hold");
  const std::size_t count = subproblems.size();
  const auto inputs = static_cast<std::size_t>(program_.program().inputs);
  const auto neurons = static_cast<std::size_t>(neurons_);
  auto lease = workspaces_.take();
  Workspace& w = *lease;
  load(subproblems, w);
  w.split = {given_, w.splits, w.first_split, w.slopes.data(), neurons_};
  w.frame = {};
  w.frame.subproblems = static_cast<std::int64_t>(count);
  w.frame.arena = w.batch.reserve(static_cast<std::size_t>(source.program.plan().batch_bytes * w.frame.subproblems));
  w.frame.lower = w.lower.data();
  w.frame.upper = w.upper.data();
  w.frame.semantics = semantics_;
  w.frame.trace = trace_.get();
  w.frame.split = &w.split;
  w.kept_rows.resize(count * neurons);
  w.kept_points.resize(count * neurons);
  w.minimizers.resize(count * inputs);
  w.best_slopes.resize(count * free_.size());
  w.best_multipliers.resize(w.splits.size());
  w.slope_moments.assign(effort.steps > 0 ? count * free_.size() : 0, {});
  w.multiplier_moments.assign(w.splits.size(), {});
  w.best.assign(count, -kInfinity);
  answers.assign(count, {});
  for (const TaskOp& op : source.program.program().tasks.at(SplitPrograms::kGiven).ops) {
    if (deadline.should_stop()) return false;
    source.program.run(op, w.frame);
  }
  w.owners.resize(count);
  std::iota(w.owners.begin(), w.owners.end(), 0);
  double length = effort.first_step;
  for (int step = 0; step < std::max(effort.steps, 1) && !w.owners.empty(); ++step) {
    const bool last = step + 1 >= effort.steps;
    if (!walk(source, subproblems, effort.steps > 0, deadline, w)) return false;
    std::vector<std::int32_t> running;
    for (std::size_t n = 0; n < w.owners.size(); ++n) {
      const auto b = static_cast<std::size_t>(w.owners[n]);
      SplitAnswer& answer = answers[b];
      const double bound = sound(w.constants[n], w.errors[n]);
      if (step == 0 || bound > w.best[b]) {
        w.best[b] = bound;
        answer.nominal = w.constants[n];
        answer.error = w.errors[n];
        for (std::size_t k = 0; k < free_.size() && effort.steps > 0; ++k) {
          w.best_slopes[b * free_.size() + k] = w.slopes[b * neurons + static_cast<std::size_t>(free_[k].neuron)];
        }
        for (std::int64_t s = w.first_split[b]; s < w.first_split[b + 1]; ++s) {
          w.best_multipliers[static_cast<std::size_t>(s)] = w.splits[static_cast<std::size_t>(s)].multiplier;
        }
        if (effort.steps > 0) {
          const double* minimizer = w.minimizers.data() + n * inputs;
          answer.minimizer.assign(minimizer, minimizer + inputs);
        }
      }
      const bool done = effort.stop_above_zero && w.best[b] > 0;
      if (last && effort.candidates && effort.steps > 0 && !done) rank(n, w, answer);
      if (last || done) continue;
      improve(n, step, length, w);
      running.push_back(w.owners[n]);
    }
    w.owners = std::move(running);
    length *= effort.decay;
  }
  if (effort.steps == 0) return true;
  for (std::size_t b = 0; b < count; ++b) {
    std::vector<std::uint8_t> slopes(free_.size());
    for (std::size_t k = 0; k < free_.size(); ++k) {
      const FreeNeuron& free = free_[k];
      const float share = (w.best_slopes[b * free_.size() + k] - free.least_slope) / free.slope_range;
      slopes[k] = static_cast<std::uint8_t>(std::lround(std::clamp(share, 0.0F, 1.0F) * 255));
    }
    subproblems[b]->slopes = std::make_shared<const std::vector<std::uint8_t>>(std::move(slopes));
    for (std::size_t s = 0; s < subproblems[b]->splits.size(); ++s) {
      subproblems[b]->splits[s].multiplier = w.best_multipliers[static_cast<std::size_t>(w.first_split[b]) + s];
    }
  }
  return true;
}

std::int64_t SplitEngine::refine(const SplitEffort& effort, const Deadline& until) {
  constexpr std::int64_t kRowsPerQuery = 64;
  const CompiledPlan::Splits& splits = engine_->split_programs();
  std::int64_t better = 0;
  for (std::size_t p = 1; p < splits.programs.size() && !until.should_stop(); ++p) {
    const std::size_t number = splits.targets[p - 1];
    const crown::NeuronLayer& layer = layers_[number];
    std::vector<SplitSubproblem> rows;
    std::vector<double> signs;
    for (const FreeNeuron& free : free_) {
      if (free.layer != static_cast<std::int32_t>(number)) continue;
      for (const double sign : {1.0, -1.0}) {
        rows.push_back({.splits = {}, .slopes = nullptr, .row = static_cast<std::int32_t>(free.neuron - layer.offset)});
        signs.push_back(sign);
      }
    }
    std::vector<SplitSubproblem*> pointers;
    for (SplitSubproblem& row : rows) pointers.push_back(&row);
    GivenValue& given = given_[static_cast<std::size_t>(layer.value)];
    std::atomic<std::int64_t> gained{0};
    const std::int64_t count = std::ssize(rows);
    parallel_for((count + kRowsPerQuery - 1) / kRowsPerQuery, [&](std::int64_t query) {
      const auto first = static_cast<std::size_t>(query * kRowsPerQuery);
      const auto size = static_cast<std::size_t>(std::min(kRowsPerQuery, count - query * kRowsPerQuery));
      std::vector<SplitAnswer> answers;
      const RowSource source{*splits.programs[p], nullptr, std::span(signs).subspan(first, size)};
      if (!bound_rows(source, std::span(pointers).subspan(first, size), effort, until, answers)) return;
      // Each neuron's rows are in one query: nobody else writes to its bounds, or reads them before the next layer.
      for (std::size_t k = 0; k < size; ++k) {
        const double bound = sound(answers[k].nominal, answers[k].error);
        const auto at = static_cast<std::size_t>(rows[first + k].row);
        const bool below = signs[first + k] > 0;
        double& end = below ? given.lower[at] : given.upper[at];
        if (!(below ? bound > end : -bound < end)) continue;
        end = below ? bound : -bound;
        ++gained;
      }
    });
    better += gained;
    for (std::size_t i = 0; i < given.lower.size(); ++i) {
      // As where rows tighten bounds in a query: sound bounds do not cross.
      if (given.lower[i] > given.upper[i]) given.lower[i] = given.upper[i] = std::numeric_limits<double>::quiet_NaN();
    }
    find_free();
  }
  return better;
}

}  // namespace boundflow
