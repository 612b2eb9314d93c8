#include "engine/query_engine.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>

#include "base/parallel.hpp"
#include "base/rounding.hpp"

namespace boundflow {

// Of a query.
struct QueryEngine::Workspace {
  Arena batch;
  std::vector<double> box_lower;  // around balls
  std::vector<double> box_upper;
};

// Of a task that runs rows of neurons.
struct QueryEngine::Selection {
  RowList rows;
  std::vector<std::uint8_t> selected;  // [neurons] of one subproblem
};

// What a query leaves in the buffers of bounds and error weights, which others take over later; by BufferId, of all
// subproblems one behind the other. Tasks of one level write to different ones.
struct QueryEngine::Intermediate {
  std::vector<GivenValue> buffers;
};

namespace {

// False if the deadline has passed in between.
template <class Frame>
bool run_op(const CompiledProgram& program, const TaskOp& op, const Frame& frame, Trace* trace,
            const Deadline& deadline) {
  if (deadline.should_stop()) return false;
  const TraceSpan span(trace, SpanKind::Op, to_string(op.kind), &op);
  program.run(op, frame);
  return true;
}

bool run_ops(const CompiledProgram& program, std::span<const TaskOp> ops, const RowFrame& frame,
             const Deadline& deadline) {
  return std::all_of(ops.begin(), ops.end(),
                     [&](const TaskOp& op) { return run_op(program, op, frame, frame.batch->trace, deadline); });
}

bool is_last_probe(const TaskOp& op) {
  return op.kind == TaskOpKind::Probe && op.last;
}

// A buffer's values for one subproblem in the order of the network's coordinates.
std::vector<double> in_network_order(const Buffer& buffer, const double* stored) {
  std::vector<double> values(stored, stored + buffer.columns);
  if (!buffer.order) return values;
  for (std::size_t p = 0; p < values.size(); ++p) values[static_cast<std::size_t>((*buffer.order)[p])] = stored[p];
  return values;
}

// Calls `visit` for each coordinate of operand `target` that a component reads which is not affine on the bounds of
// subproblem b.
template <class Visit>
void for_each_unstable_term(const CompiledProgram& program, const Task::JointUse& use, const BatchFrame& frame,
                            std::int64_t b, BufferId target, const Visit& visit) {
  thread_local std::vector<double> l, u;
  for (std::size_t j = 0; j + 1 < use.joint->starts.size(); ++j) {
    l.clear();
    u.clear();
    const auto first = use.joint->terms.begin() + use.joint->starts[j];
    const auto last = use.joint->terms.begin() + use.joint->starts[j + 1];
    for (auto term = first; term != last; ++term) {
      if (term->operand < 0) {
        l.push_back(term->constant);
        u.push_back(term->constant);
        continue;
      }
      const BufferId id = use.bounds[static_cast<std::size_t>(term->operand)];
      const std::int64_t stride = leading_dimension(program.program().buffers[static_cast<std::size_t>(id)]);
      l.push_back(program.lower(id, frame)[b * stride + term->index]);
      u.push_back(program.upper(id, frame)[b * stride + term->index]);
    }
    if (use.joint->function->is_stable(l, u)) continue;
    for (auto term = first; term != last; ++term) {
      if (term->operand >= 0 && use.bounds[static_cast<std::size_t>(term->operand)] == target) visit(term->index);
    }
  }
}

}  // namespace

QueryEngine::QueryEngine(std::shared_ptr<const Network> network, std::shared_ptr<const Executor> executor,
                         Options options, const Deadline& deadline, const OperatorTable& table)
    : options_(std::move(options)) {
  const auto begin = Clock::now();
  const PlanSource source{.network = std::move(network),
                          .executor = std::move(executor),
                          .lowering = options_.lowering,
                          .program_passes = options_.program_passes,
                          .splits = options_.splits,
                          .reuse_storage = options_.reuse_storage};
  // What a pass leaves is only there to be shown while it runs.
  const bool shows_passes = source.program_passes.after != nullptr;
  CompiledPlan plan;
  if (options_.plans != nullptr && &table == &operator_table() && !shows_passes) {
    const PlanCache::Found found = options_.plans->find_or_compile(source, deadline);
    plan = *found.plan;
    compilation_.lookup = found.hit ? PlanLookup::Hit : PlanLookup::Miss;
  } else {
    plan = compile_plan(source, table, deadline);
  }
  bounds_ = std::move(plan.bounds);
  gradients_ = std::move(plan.values);
  splits_ = std::move(plan.splits);
  compilation_.seconds = seconds_between(begin, Clock::now());
  rows_per_block_ = rows_of_block(bounds_->plan().row_bytes);
}

QueryEngine::~QueryEngine() = default;

std::int64_t QueryEngine::rows_of_block(std::int64_t row_bytes) const {
  const std::int64_t bytes = std::max<std::int64_t>(row_bytes, 1);
  const std::int64_t rows = std::clamp<std::int64_t>(options_.block_bytes / bytes, 32, options_.max_block_rows);
  // Even: a neuron's two rows stay together.
  return std::clamp<std::int64_t>(options_.max_block_bytes / bytes, 2, rows) / 2 * 2;
}

std::int64_t QueryEngine::bytes_per_subproblem() const {
  std::int64_t neurons = 0;
  for (const Task& task : bounds_->program().tasks) {
    if (task.kind != TaskKind::Neurons) continue;
    neurons = std::max(neurons, bounds_->program().buffers[static_cast<std::size_t>(task.target)].columns);
  }
  return bounds_->plan().batch_bytes + 2 * neurons * RowList::kBytesPerRow;
}

std::int64_t QueryEngine::arena_bytes() const {
  std::int64_t bytes = 0;
  workspaces_.for_each_free([&](const Workspace& workspace) { bytes += workspace.batch.bytes(); });
  row_blocks_.for_each_free([&](const RowBlock& block) { bytes += block.arena_bytes(); });
  return bytes;
}

std::int64_t QueryEngine::work_per_subproblem() const {
  std::int64_t most = 0;
  for (const Task& task : bounds_->program().tasks) {
    for (const TaskOp& op : task.ops) {
      if (op.kind != TaskOpKind::IntervalAffine) continue;
      std::int64_t products = 0;
      for (const auto& map : op.affine->maps) products += map->terms() * map->out_size();
      most = std::max(most, 3 * products);  // centres, radii and magnitudes
    }
  }
  return most;
}

// Cuts `rows` into blocks and runs `walk` on each, which gets the frame, its block and the block's first row, and
// returns false if the deadline has passed.
template <class Walk>
bool QueryEngine::for_each_block(const CompiledProgram& program, const Task& task, std::int64_t rows,
                                 const Walk& walk) const {
  const std::int64_t bytes = row_bytes(program.program(), program.plan(), task);
  const std::int64_t per_block = rows_of_block(bytes);
  const std::int64_t blocks = (rows + per_block - 1) / per_block;
  std::atomic<bool> stopped{false};
  const auto run_block = [&](std::int64_t number) {
    if (stopped.load(std::memory_order_relaxed)) return;
    auto block = row_blocks_.take();
    RowFrame frame;
    const std::int64_t first = number * per_block;
    frame.rows = std::min(per_block, rows - first);
    if (!options_.reuse_storage) block->release();
    block->lend(frame, bytes);
    if (!walk(frame, *block, first)) stopped = true;
  };
  if (blocks == 1) {
    run_block(0);
  } else {
    parallel_for(blocks, run_block);
  }
  return !stopped;
}

// Walks the rows of a block of neurons, of which more and more may end before the walk does.
bool QueryEngine::walk_neurons(const Task& task, const TargetBounds& target, RowFrame& frame, RowBlock& block,
                               const Deadline& deadline) const {
  const std::span<const TaskOp> ops(task.ops);
  for (std::size_t begin = 0; begin < ops.size() && frame.rows > 0;) {
    const auto probe = std::find_if(ops.begin() + static_cast<std::ptrdiff_t>(begin), ops.end(), is_last_probe);
    const std::size_t end = probe == ops.end() ? ops.size() : static_cast<std::size_t>(probe - ops.begin()) + 1;
    const std::span<const TaskOp> stretch = ops.subspan(begin, end - begin);
    if (!run_ops(*bounds_, stretch, frame, deadline)) return false;
    if (probe != ops.end()) {
      const auto first =
          std::find_if(stretch.begin(), stretch.end(), [](const TaskOp& op) { return op.kind == TaskOpKind::Probe; });
      block.end_constant(*bounds_, task, {first, stretch.end()}, target, frame);
    }
    begin = end;
  }
  return true;
}

// The neurons of subproblem b whose bounds need rows.
void QueryEngine::select_neurons(const Task& task, const BatchFrame& frame, std::int64_t b,
                                 Selection& selection) const {
  const Buffer& target = bounds_->program().buffers[static_cast<std::size_t>(task.target)];
  const double* lower = bounds_->lower(task.target, frame) + b * leading_dimension(target);
  const double* upper = bounds_->upper(task.target, frame) + b * leading_dimension(target);
  selection.selected.assign(static_cast<std::size_t>(target.columns), task.all_neurons ? 1 : 0);
  if (task.all_neurons) return;
  for (std::size_t i = 0; i < selection.selected.size(); ++i) {
    const bool stable = std::all_of(task.functions.begin(), task.functions.end(),
                                    [&](const auto& function) { return function->is_stable(lower[i], upper[i]); });
    if (!stable) selection.selected[i] = 1;
  }
  for (const Task::JointUse& use : task.joints) {
    for_each_unstable_term(*bounds_, use, frame, b, task.target,
                           [&](std::int64_t i) { selection.selected[static_cast<std::size_t>(i)] = 1; });
  }
}

bool QueryEngine::run_neurons(const Task& task, const BatchFrame& frame, const Deadline& deadline) const {
  const Buffer& target = bounds_->program().buffers[static_cast<std::size_t>(task.target)];
  const std::int64_t stride = leading_dimension(target);
  double* lower = bounds_->lower(task.target, frame);
  double* upper = bounds_->upper(task.target, frame);
  auto selection = selections_.take();
  RowList& list = selection->rows;
  list.clear();
  for (std::int64_t b = 0; b < frame.subproblems; ++b) {
    select_neurons(task, frame, b, *selection);
    for (std::int64_t i = 0; i < target.columns; ++i) {
      if (selection->selected[static_cast<std::size_t>(i)] == 0) continue;
      list.add_pair(b, i);
      if (task.intersect) continue;
      // What the rows say counts alone; should they fail, nothing is known.
      lower[b * stride + i] = -kInfinity;
      upper[b * stride + i] = kInfinity;
    }
  }
  const auto rows = static_cast<std::int64_t>(list.owners.size());
  if (rows == 0) return true;
  list.constants.assign(list.owners.size(), 0.0);
  list.errors.assign(list.owners.size(), 0.0);
  const TargetBounds target_bounds{lower, upper, stride};
  const bool finished =
      for_each_block(*bounds_, task, rows, [&](RowFrame& frame_of_block, RowBlock& block, std::int64_t first) {
        frame_of_block.batch = &frame;
        block.load(list, first, frame_of_block);
        if (!walk_neurons(task, target_bounds, frame_of_block, block, deadline)) return false;
        block.store(frame_of_block, list);
        return true;
      });
  if (!finished) return false;
  for (std::int64_t n = 0; n < rows; ++n) {
    const auto k = static_cast<std::size_t>(n);
    const double bound = sub_down(list.constants[k], list.errors[k]);
    const std::int64_t at = list.owners[k] * stride + list.neurons[k];
    // Written so that NaN and infinities tighten nothing.
    if (!std::isfinite(list.constants[k]) || !std::isfinite(bound)) continue;
    if (list.signs[k] > 0) {
      if (bound > lower[at]) lower[at] = bound;
    } else if (-bound < upper[at]) {
      upper[at] = -bound;
    }
    // Sound bounds of a point of a non-empty box cannot cross. If they do, something is wrong: prove nothing with them.
    if (lower[at] > upper[at]) lower[at] = upper[at] = std::numeric_limits<double>::quiet_NaN();
  }
  return true;
}

bool QueryEngine::run_spec(const Task& task, const BatchFrame& frame, const BoundQuery& query, BoundAnswer& answer,
                           const Deadline& deadline) const {
  const auto rows = static_cast<std::int64_t>(query.owners.size());
  const std::int64_t inputs = bounds_->program().inputs;
  answer.nominal.assign(query.owners.size(), 0.0);
  answer.error.assign(query.owners.size(), 0.0);
  if (query.linear_form) {
    answer.form.resize(query.owners.size() * static_cast<std::size_t>(inputs));
    answer.form_constant.resize(query.owners.size());
  } else {
    answer.form.clear();
    answer.form_constant.clear();
  }
  return for_each_block(*bounds_, task, rows, [&](RowFrame& block, RowBlock&, std::int64_t first) {
    block.batch = &frame;
    block.owners = query.owners.data() + first;
    block.indices = query.rows.data() + first;
    block.spec = query.spec;
    block.constants = answer.nominal.data() + first;
    block.errors = answer.error.data() + first;
    if (query.linear_form) {
      block.form = answer.form.data() + first * inputs;
      block.form_constants = answer.form_constant.data() + first;
    }
    return run_ops(*bounds_, task.ops, block, deadline);
  });
}

void QueryEngine::check_observed(BufferId bounds, const BatchFrame& frame, const std::string& stage) const {
  const Buffer& buffer = bounds_->program().buffers[static_cast<std::size_t>(bounds)];
  const std::int64_t inputs = bounds_->program().inputs;
  for (std::int64_t b = 0; b < frame.subproblems; ++b) {
    if (frame.norm != InputNorm::Linf || !observer_->inside(frame.lower + b * inputs, frame.upper + b * inputs)) {
      continue;  // points of balls are not observed
    }
    const std::int64_t at = b * leading_dimension(buffer);
    observer_->check_bounds(buffer.value, in_network_order(buffer, bounds_->lower(bounds, frame) + at),
                            in_network_order(buffer, bounds_->upper(bounds, frame) + at), frame.semantics, stage);
  }
}

void QueryEngine::check_observed(const TaskOp& op, const BatchFrame& frame, const std::string& stage) const {
  for (const BufferId id : op.outputs) {
    if (bounds_->program().buffers[static_cast<std::size_t>(id)].kind == BufferKind::Bounds) {
      check_observed(id, frame, stage);
    }
  }
}

// The boxes around the query's balls.
void QueryEngine::enclose_balls(const BoundQuery& query, Workspace& workspace, BatchFrame& frame) const {
  const std::int64_t inputs = bounds_->program().inputs;
  ensure(options_.lowering.balls, "the program was lowered for boxes only");
  workspace.box_lower.resize(query.centers.size());
  workspace.box_upper.resize(query.centers.size());
  for (std::size_t i = 0; i < query.centers.size(); ++i) {
    const double radius = query.radii[i / static_cast<std::size_t>(inputs)];
    workspace.box_lower[i] = sub_down(query.centers[i], radius);
    workspace.box_upper[i] = add_up(query.centers[i], radius);
  }
  frame.norm = query.norm;
  frame.centers = query.centers.data();
  frame.radii = query.radii.data();
  frame.lower = workspace.box_lower.data();
  frame.upper = workspace.box_upper.data();
}

void QueryEngine::run(const BoundQuery& query, const Deadline& deadline, BoundAnswer& answer,
                      Intermediate* intermediate) const {
  ensure(keeps_subnormals(), "this thread flushes subnormal numbers to zero (fast-math host?); bounds would not hold");
  ensure(query.spec != nullptr && query.owners.size() == query.rows.size(), "malformed bound query");
  const BoundProgram& program = bounds_->program();
  ensure(query.spec->outputs == program.outputs && query.spec->inputs == program.inputs,
         "the specification does not fit the network");
  ensure(options_.lowering.input_terms || query.spec->input_coefficients.empty(),
         "the program was lowered without input terms");
  auto workspace = workspaces_.take();
  if (!options_.reuse_storage) workspace->batch.release();
  BatchFrame frame;
  frame.subproblems = query.subproblems;
  frame.arena = workspace->batch.reserve(static_cast<std::size_t>(bounds_->plan().batch_bytes * query.subproblems));
  frame.lower = query.lower.data();
  frame.upper = query.upper.data();
  if (query.norm != InputNorm::Linf) enclose_balls(query, *workspace, frame);
  frame.semantics = query.semantics;
  frame.trace = trace_.get();

  answer.complete = false;
  const auto run_task = [&](const Task& task) {
    if (task.kind == TaskKind::Spec) return run_spec(task, frame, query, answer, deadline);
    if (task.kind == TaskKind::Batch) return run_batch(task, frame, deadline, intermediate);
    if (!run_neurons(task, frame, deadline)) return false;
    if (intermediate != nullptr) capture(task.target, frame, *intermediate);
    if (observer_) check_observed(task.target, frame, task.name);
    return true;
  };
  const auto tasks = static_cast<std::int64_t>(program.tasks.size());
  for (std::int64_t first = 0; first < tasks;) {
    const Task* const level = program.tasks.data() + first;
    const auto same_level = [&](const Task& task) { return task.level == level->level; };
    const auto count =
        static_cast<std::int64_t>(std::find_if_not(program.tasks.begin() + first, program.tasks.end(), same_level) -
                                  program.tasks.begin() - first);
    std::atomic<bool> stopped{false};
    if (count == 1) {
      stopped = !run_task(*level);
    } else {
      parallel_for(count, [&](std::int64_t t) {
        if (!run_task(level[t])) stopped = true;
      });
    }
    if (stopped) return;
    first += count;
  }
  answer.complete = true;
  if (observer_ && frame.norm == InputNorm::Linf) {
    for (std::size_t n = 0; n < query.owners.size(); ++n) {
      const std::int64_t box = query.owners[n] * program.inputs;
      if (!observer_->inside(frame.lower + box, frame.upper + box)) continue;
      observer_->check_row(*query.spec, query.rows[n], sub_down(answer.nominal[n], answer.error[n]), query.semantics);
    }
  }
}

bool QueryEngine::run_batch(const Task& task, const BatchFrame& frame, const Deadline& deadline,
                            Intermediate* intermediate) const {
  for (const TaskOp& op : task.ops) {
    if (!run_op(*bounds_, op, frame, frame.trace, deadline)) return false;
    if (observer_) check_observed(op, frame, task.name);
    if (intermediate == nullptr) continue;
    for (const BufferId id : op.outputs) capture(id, frame, *intermediate);
  }
  return true;
}

void QueryEngine::capture(BufferId id, const BatchFrame& frame, Intermediate& intermediate) const {
  const Buffer& buffer = bounds_->program().buffers[static_cast<std::size_t>(id)];
  GivenValue& found = intermediate.buffers[static_cast<std::size_t>(id)];
  const auto copy = [&](const auto* stored, std::int64_t columns, auto& to) {
    to.clear();
    for (std::int64_t b = 0; b < frame.subproblems; ++b) {
      const auto* row = stored + b * leading_dimension(buffer);
      to.insert(to.end(), row, row + columns);
    }
  };
  if (buffer.kind == BufferKind::Bounds) {
    copy(bounds_->lower(id, frame), buffer.columns, found.lower);
    copy(bounds_->upper(id, frame), buffer.columns, found.upper);
  } else if (buffer.kind == BufferKind::ErrorWeights) {
    copy(bounds_->error_weights(id, frame), buffer.columns + 1, found.error_weights);
  }
}

void QueryEngine::capture_query(const BoundQuery& query, const Deadline& deadline, Intermediate& intermediate) const {
  intermediate.buffers.resize(bounds_->program().buffers.size());
  BoundAnswer answer;
  run(query, deadline, answer, &intermediate);
  if (!answer.complete) deadline.check();
  ensure(answer.complete, "a query without a deadline was stopped");
}

std::vector<GivenValue> QueryEngine::given_values(const BoundQuery& query, const Deadline& deadline) const {
  ensure(query.subproblems == 1 && options_.lowering.intermediate != IntermediateBounds::CrownWhereIntervalUnstable,
         "values are given over one box, by programs that bound each value once");
  Intermediate found;
  capture_query(query, deadline, found);
  std::vector<GivenValue> values;
  for (std::size_t id = 0; id < found.buffers.size(); ++id) {
    const Buffer& buffer = bounds_->program().buffers[id];
    const auto value = static_cast<std::size_t>(buffer.value);
    if (is_per_row(buffer.kind) || buffer.value == kNoValue) continue;
    if (values.size() <= value) values.resize(value + 1);
    if (buffer.kind == BufferKind::ErrorWeights) {
      values[value].error_weights = std::move(found.buffers[id].error_weights);
    } else if (buffer.kind == BufferKind::Bounds) {
      values[value].lower = std::move(found.buffers[id].lower);
      values[value].upper = std::move(found.buffers[id].upper);
    }
  }
  return values;
}

void QueryEngine::answer(const BoundQuery& query, const Deadline& deadline, BoundAnswer& answer) const {
  run(query, deadline, answer, nullptr);
}

void QueryEngine::check_given(std::span<const GivenValue> given, std::span<const double> lower,
                              std::span<const double> upper, Semantics semantics) const {
  if (!observer_ || !observer_->inside(lower.data(), upper.data())) return;
  for (const Buffer& buffer : bounds_->program().buffers) {
    if (buffer.kind != BufferKind::Bounds || buffer.value == kNoValue) continue;
    const GivenValue& value = given[static_cast<std::size_t>(buffer.value)];
    if (value.lower.empty()) continue;
    observer_->check_bounds(buffer.value, in_network_order(buffer, value.lower.data()),
                            in_network_order(buffer, value.upper.data()), semantics, "given to subproblems");
  }
}

std::vector<QueryEngine::ValueBounds> QueryEngine::intermediate_bounds(const BoundQuery& query,
                                                                       const Deadline& deadline) const {
  Intermediate found;
  capture_query(query, deadline, found);
  std::vector<ValueBounds> result;
  for (const Task& task : bounds_->program().tasks) {
    for (const TaskOp& op : task.ops) {
      if (op.kind != TaskOpKind::Relax) continue;
      const Buffer& buffer = bounds_->program().buffers[static_cast<std::size_t>(op.inputs[0])];
      const GivenValue& stored = found.buffers[static_cast<std::size_t>(op.inputs[0])];
      ValueBounds bounds{buffer.value, {}, {}};
      for (std::int64_t b = 0; b < query.subproblems; ++b) {
        const std::vector<double> l = in_network_order(buffer, stored.lower.data() + b * buffer.columns);
        const std::vector<double> u = in_network_order(buffer, stored.upper.data() + b * buffer.columns);
        bounds.lower.insert(bounds.lower.end(), l.begin(), l.end());
        bounds.upper.insert(bounds.upper.end(), u.begin(), u.end());
      }
      result.push_back(std::move(bounds));
    }
  }
  std::stable_sort(result.begin(), result.end(),
                   [](const ValueBounds& a, const ValueBounds& b) { return a.value < b.value; });
  return result;
}

void QueryEngine::evaluate(std::span<const double> points, std::int64_t count, std::span<double> outputs) const {
  const BoundProgram& program = gradients_->program();
  BatchFrame none;
  none.trace = trace_.get();
  for_each_block(*gradients_, program.tasks.at(0), count, [&](RowFrame& block, RowBlock&, std::int64_t first) {
    block.batch = &none;
    block.points = points.data() + first * program.inputs;
    block.values = outputs.data() + first * program.outputs;
    return run_ops(*gradients_, program.tasks.at(0).ops, block, Deadline());
  });
}

bool QueryEngine::gradient(std::span<const double> points, std::int64_t count, const Choose& choose,
                           std::span<double> outputs, std::span<double> gradients, const Deadline& deadline) const {
  const BoundProgram& program = gradients_->program();
  BatchFrame none;
  none.trace = trace_.get();
  const std::int64_t per_block = rows_of_block(gradients_->plan().row_bytes);
  auto block = row_blocks_.take();
  thread_local std::vector<double> cotangents;
  cotangents.resize(static_cast<std::size_t>(per_block * program.outputs));
  for (std::int64_t first = 0; first < count; first += per_block) {
    RowFrame frame;
    frame.batch = &none;
    frame.rows = std::min(per_block, count - first);
    block->lend(frame, gradients_->plan().row_bytes);
    frame.points = points.data() + first * program.inputs;
    frame.values = outputs.data() + first * program.outputs;
    frame.cotangents = cotangents.data();
    frame.gradients = gradients.data() + first * program.inputs;
    const auto size = static_cast<std::size_t>(frame.rows * program.outputs);
    if (!run_ops(*gradients_, program.tasks.at(0).ops, frame, deadline)) return false;
    choose(first, {frame.values, size}, {cotangents.data(), size});
    if (!run_ops(*gradients_, program.tasks.at(1).ops, frame, deadline)) return false;
  }
  return true;
}

}  // namespace boundflow
