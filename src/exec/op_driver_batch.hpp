#pragma once
// OpDriver's ops per subproblem. Included by op_driver.hpp only.

namespace boundflow {

template <class Kernels>
OpDriver<Kernels>::OpDriver(const PlannedProgram& planned, typename Kernels::Packed& packed, const Deadline& deadline)
    : CompiledProgram(planned.program, planned.plan), kernels_(program(), packed, deadline) {
  std::int64_t error_terms = program().max_columns;  // at least the additions that any row's error sum goes through
  for (const Task& task : program().tasks) {
    error_terms += 6 * static_cast<std::int64_t>(task.ops.size());
    for (const TaskOp& op : task.ops) {
      const bool interval = op.kind == TaskOpKind::IntervalAffine;
      IntervalData data;
      if (interval) {
        const auto n = static_cast<std::size_t>(columns(op.outputs[0]));
        data.model = AffineErrorModel(*op.affine, columns(op.outputs[0]), kFloat32);
        data.bias = op.affine->bias.empty() ? std::vector<double>(n, 0.0) : op.affine->bias;
        data.bias_magnitude =
            op.affine->bias_magnitude.empty() ? std::vector<double>(n, 0.0) : op.affine->bias_magnitude;
      }
      if (interval && op.ball) {
        std::vector<LinearMap::Entry> entries;
        for (std::int64_t i = 0; i < columns(op.outputs[0]); ++i) {
          op.affine->maps[0]->row(i, entries);
          double squares = 0;
          double largest = 0;
          for (const LinearMap::Entry& entry : entries) {
            if (!(*op.ball)[static_cast<std::size_t>(entry.column)]) continue;
            squares += entry.weight * entry.weight;
            largest = std::max(largest, std::fabs(entry.weight));
          }
          // Rounding of the sum and the root, underflow of squares, and what the weights stand for.
          const double up = sum_inflation(static_cast<std::int64_t>(entries.size()), kUnitRoundoff64) *
                            (1 + 2 * op.affine->maps[0]->weight_error());
          data.l2_norms.push_back(
              round_up(std::sqrt(squares * up) * up + static_cast<double>(entries.size()) * 0x1p-500));
          data.l1_norms.push_back(round_up(largest * up));
        }
      }
      intervals_.push_back(std::move(data));
    }
  }
  row_errors_ = RowErrorModel(error_terms, kUnitRoundoff<T>);
}

template <class Kernels>
void OpDriver<Kernels>::count(HeldBytes& held) const {
  CompiledProgram::count(held);
  kernels_.count(held);
  held.add(intervals_);
  for (const IntervalData& data : intervals_) {
    for (const auto* numbers : {&data.bias, &data.bias_magnitude, &data.l2_norms, &data.l1_norms}) held.add(*numbers);
  }
}

template <class Kernels>
void OpDriver<Kernels>::run(const TaskOp& op, const BatchFrame& frame) const {
  switch (op.kind) {
    case TaskOpKind::InputBox:
      return input_box(op, frame);
    case TaskOpKind::IntervalAffine:
      return interval_affine(op, frame);
    case TaskOpKind::CopyBounds:
      return copy_bounds(op, frame);
    case TaskOpKind::IntervalImage:
      return interval_image(op, frame);
    case TaskOpKind::IntervalJoint:
      return interval_joint(op, frame);
    case TaskOpKind::Relax:
      return relax(op, frame);
    case TaskOpKind::RelaxJoint:
      return relax_joint(op, frame);
    case TaskOpKind::GivenBounds:
      return given_bounds(op, frame);
    case TaskOpKind::GivenErrors:
      return given_errors(op, frame);
    case TaskOpKind::ApplySlopes:
      return apply_slopes(op, frame);
    default:
      throw InternalError("a row op stands in a batch task");
  }
}

template <class Kernels>
void OpDriver<Kernels>::input_box(const TaskOp& op, const BatchFrame& frame) const {
  const std::int64_t n = columns(op.outputs[0]);
  const std::int64_t stride = ld(op.outputs[0]);
  for (std::int64_t b = 0; b < frame.subproblems; ++b) {
    double* l = lower(op.outputs[0], frame) + b * stride;
    double* u = upper(op.outputs[0], frame) + b * stride;
    for (std::int64_t p = 0; p < n; ++p) {
      const std::int64_t from = b * n + coordinate(op.outputs[0], p);
      l[p] = frame.lower[from];
      u[p] = frame.upper[from];
    }
  }
}

template <class Kernels>
void OpDriver<Kernels>::copy_bounds(const TaskOp& op, const BatchFrame& frame) const {
  const std::int64_t count = ld(op.inputs[0]) * frame.subproblems;
  std::copy_n(lower(op.inputs[0], frame), count, lower(op.outputs[0], frame));
  std::copy_n(upper(op.inputs[0], frame), count, upper(op.outputs[0], frame));
}

template <class Kernels>
void OpDriver<Kernels>::interval_affine(const TaskOp& op, const BatchFrame& frame) const {
  const bool moves =
      std::none_of(op.affine->maps.begin(), op.affine->maps.end(), [](const auto& map) { return map->rounds(); });
  if (moves) {
    interval_moves(op, frame);
  } else {
    interval_products(op, frame);
  }
}

// What a row pays once when it walks through the node, whatever its Lambda: underflow, where no coordinate of the
// operands exceeds `max_abs_x`.
template <class Kernels>
void OpDriver<Kernels>::store_row_scalar(const TaskOp& op, const BatchFrame& frame, std::int64_t b,
                                         double max_abs_x) const {
  const AffineErrorModel& model = intervals_[static_cast<std::size_t>(op.number)].model;
  std::int64_t terms = 0;
  for (const BufferId x : op.inputs) terms += columns(x);
  const double sum_abs_x = static_cast<double>(terms) * max_abs_x;
  const double scalar =
      frame.semantics == Semantics::Nominal ? 0.0 : 2 * model.backward_tiny * sum_abs_x + model.dot_tiny;
  weights(op.outputs[1], frame)[b * ld(op.outputs[1]) + columns(op.outputs[1])] = cast_up<float>(scalar);
}

// A few subproblems at a time: enough rows for the products, few enough for the caches.
template <class Kernels>
void OpDriver<Kernels>::interval_products(const TaskOp& op, const BatchFrame& frame) const {
  constexpr std::int64_t kSubproblems = 32;
  for (std::int64_t first = 0; first < frame.subproblems; first += kSubproblems) {
    interval_products(op, frame, first, std::min(kSubproblems, frame.subproblems - first));
  }
}

template <class Kernels>
void OpDriver<Kernels>::interval_products(const TaskOp& op, const BatchFrame& frame, std::int64_t first,
                                          std::int64_t count) const {
  const std::int64_t out = columns(op.outputs[0]);
  const IntervalData& data = intervals_[static_cast<std::size_t>(op.number)];
  const bool nominal = frame.semantics == Semantics::Nominal;
  // Centres, behind them radii, and behind those magnitudes: one pass over |M| serves both.
  const std::int64_t spans = nominal ? 1 : 2;
  const std::int64_t stride = padded_columns(out);
  thread_local std::vector<T> x_rows, y_rows;
  thread_local std::vector<double> ball;
  thread_local std::vector<IntervalExtent> extents;
  y_rows.resize(static_cast<std::size_t>((1 + spans) * count * stride));
  extents.assign(static_cast<std::size_t>(count), IntervalExtent());
  for (std::size_t t = 0; t < op.inputs.size(); ++t) {
    const BufferId x = op.inputs[t];
    const std::int64_t n = columns(x);
    x_rows.resize(static_cast<std::size_t>(3 * count * n));
    for (std::int64_t k = 0; k < count; ++k) {
      const double* l = lower(x, frame) + (first + k) * ld(x);
      const double* u = upper(x, frame) + (first + k) * ld(x);
      T* centre = x_rows.data() + k * n;
      T* radius = centre + count * n;
      const IntervalExtent extent = split_intervals(l, u, n, centre, radius, radius + count * n);
      if (op.ball && frame.norm != InputNorm::Linf) leave_out_ball(op, frame, first + k, centre, radius);
      IntervalExtent& so_far = extents[static_cast<std::size_t>(k)];
      so_far.live += extent.live;
      if (!(extent.max_abs <= so_far.max_abs)) so_far.max_abs = extent.max_abs;
    }
    const TraceSpan span(frame.trace, SpanKind::Product, "interval_affine", nullptr,
                         t == 0 ? useful_products(op, (1 + spans) * count) : 0);
    kernels_.interval(op, t, x_rows.data(), spans, count, y_rows.data(), stride, t > 0);
  }
  for (std::int64_t k = 0; k < count; ++k) {
    const std::int64_t b = first + k;
    const IntervalExtent& extent = extents[static_cast<std::size_t>(k)];
    const T* centre = y_rows.data() + k * stride;
    const T* radius = centre + count * stride;
    AffineSumRows<T> sums{.centre = centre,
                          .radius = radius,
                          .magnitude = nominal ? radius : radius + count * stride,
                          .bias = data.bias.data(),
                          .bias_magnitude = data.bias_magnitude.data()};
    if (op.ball && frame.norm != InputNorm::Linf) {
      ball.resize(static_cast<std::size_t>(out));
      for (std::int64_t i = 0; i < out; ++i) ball[static_cast<std::size_t>(i)] = ball_radius(op, frame, b, i);
      sums.ball_radius = ball.data();
    }
    double* y_lower = lower(op.outputs[0], frame) + b * ld(op.outputs[0]);
    double* y_upper = upper(op.outputs[0], frame) + b * ld(op.outputs[0]);
    float* weight = weights(op.outputs[1], frame) + b * ld(op.outputs[1]);
    if (nominal) {
      bound_affine_nominal(sums, out, y_lower, y_upper);
      std::fill_n(weight, out, 0.0F);
    } else {
      const ExecutionModel executions = data.model.executions(extent.max_abs, data.model.live_additions(extent.live));
      bound_affine(data.model, sums, out, frame.semantics == Semantics::Float32 ? &executions : nullptr, y_lower,
                   y_upper, weight);
    }
    store_row_scalar(op, frame, b, extent.max_abs);
  }
}

// Of a ball's coordinates, only what the box around adds (rounding, executions) counts one by one: the ball itself by
// its dual norm.
template <class Kernels>
void OpDriver<Kernels>::leave_out_ball(const TaskOp& op, const BatchFrame& frame, std::int64_t b, const T* centre,
                                       T* radius) const {
  const double* l = lower(op.inputs[0], frame) + b * ld(op.inputs[0]);
  const double* u = upper(op.inputs[0], frame) + b * ld(op.inputs[0]);
  for (std::int64_t j = 0; j < columns(op.inputs[0]); ++j) {
    if (!(*op.ball)[static_cast<std::size_t>(j)] || std::isnan(radius[j])) continue;
    const double c = static_cast<double>(centre[j]);
    const double whole = std::max(sub_up(u[j], c), sub_up(c, l[j]));
    radius[j] = cast_up<T>(std::max(sub_up(whole, frame.radii[b]), 0.0));
  }
}

// How far a component varies over the ball, rounded up so far that the caller's sum may round.
template <class Kernels>
double OpDriver<Kernels>::ball_radius(const TaskOp& op, const BatchFrame& frame, std::int64_t b, std::int64_t i) const {
  const IntervalData& data = intervals_[static_cast<std::size_t>(op.number)];
  const double norm = (frame.norm == InputNorm::L2 ? data.l2_norms : data.l1_norms)[static_cast<std::size_t>(i)];
  const double radius = mul_up(frame.radii[b], norm);
  return frame.semantics == Semantics::Nominal ? radius : radius * (1 + 0x1p-48);
}

// Nodes without a product (data movement, residual sums, bias): directly on the bounds, so that no width is lost.
template <class Kernels>
void OpDriver<Kernels>::interval_moves(const TaskOp& op, const BatchFrame& frame) const {
  const std::int64_t out = columns(op.outputs[0]);
  const IntervalData& data = intervals_[static_cast<std::size_t>(op.number)];
  const AffineErrorModel& model = data.model;
  const bool executed = frame.semantics == Semantics::Float32 && op.affine->deployed_roundings > 0;
  ExecutionModel executions = model.executions(0, model.additions);
  for (std::int64_t b = 0; b < frame.subproblems; ++b) {
    double* y_l = lower(op.outputs[0], frame) + b * ld(op.outputs[0]);
    double* y_u = upper(op.outputs[0], frame) + b * ld(op.outputs[0]);
    float* weight = weights(op.outputs[1], frame) + b * ld(op.outputs[1]);
    // Sums in order of the operands; a component's first term is taken as it is.
    thread_local std::vector<double> sum_abs;
    thread_local std::vector<std::uint8_t> begun;
    sum_abs.assign(static_cast<std::size_t>(out), 0);
    begun.assign(static_cast<std::size_t>(out), 0);
    std::fill_n(y_l, out, 0.0);
    std::fill_n(y_u, out, 0.0);
    double max_abs_x = 0;
    for (std::size_t t = 0; t < op.inputs.size(); ++t) {
      const IndexMap& map = *op.affine->maps[t]->index();
      const double* x_l = lower(op.inputs[t], frame) + b * ld(op.inputs[t]);
      const double* x_u = upper(op.inputs[t], frame) + b * ld(op.inputs[t]);
      for (std::int64_t i = 0; i < out; ++i) {
        const auto k = static_cast<std::size_t>(i);
        const std::int64_t source = map.source.empty() ? i : map.source[k];
        if (source < 0) continue;
        const double l = x_l[source];
        const double u = x_u[source];
        const double low = map.factor < 0 ? -u : l;
        const double high = map.factor < 0 ? -l : u;
        y_l[i] = begun[k] == 0 ? low : add_down(y_l[i], low);
        y_u[i] = begun[k] == 0 ? high : add_up(y_u[i], high);
        sum_abs[k] = add_up(sum_abs[k], std::max(std::fabs(l), std::fabs(u)));
        begun[k] = 1;
      }
      const IntervalExtent extent = interval_extent(x_l, x_u, columns(op.inputs[t]));
      if (!(extent.max_abs <= max_abs_x)) max_abs_x = extent.max_abs;
    }
    for (std::int64_t i = 0; i < out; ++i) {
      const auto k = static_cast<std::size_t>(i);
      const double bias = data.bias[k];
      if (bias != 0) {
        y_l[i] = begun[k] == 0 ? bias : add_down(y_l[i], bias);
        y_u[i] = begun[k] == 0 ? bias : add_up(y_u[i], bias);
      }
      double execution = 0;
      if (executed) {
        executions.underflow = model.deployed_tiny * (1 + sum_abs[k]);
        execution =
            executions.error(add_up(sum_abs[k], std::fabs(bias)), std::max(std::fabs(y_l[i]), std::fabs(y_u[i])));
      }
      if (execution > 0) {
        y_l[i] = sub_down(y_l[i], execution);
        y_u[i] = add_up(y_u[i], execution);
      }
      if (std::isnan(sum_abs[k])) y_l[i] = y_u[i] = sum_abs[k];
      const double paid =
          (model.backward_gamma * sum_abs[k] + model.bias_gamma * std::fabs(bias) + execution) * (1 + 0x1p-40);
      weight[i] = frame.semantics == Semantics::Nominal ? 0.0F : cast_up<float>(paid);
    }
    store_row_scalar(op, frame, b, max_abs_x);
  }
}

template <class Kernels>
void OpDriver<Kernels>::interval_image(const TaskOp& op, const BatchFrame& frame) const {
  const BufferId x = op.inputs[0];
  const BufferId y = op.outputs[0];
  const bool exact = frame.semantics != Semantics::Float32 || op.function->is_selection();
  for (std::int64_t b = 0; b < frame.subproblems; ++b) {
    const double* l = lower(x, frame) + b * ld(x);
    const double* u = upper(x, frame) + b * ld(x);
    double* image_l = lower(y, frame) + b * ld(y);
    double* image_u = upper(y, frame) + b * ld(y);
    op.function->images(l, u, columns(x), image_l, image_u);
    for (std::int64_t i = 0; i < columns(x) && !exact; ++i) {
      const double execution = op.function->deployed_error(l[i], u[i], op.unit_roundoff);
      if (execution == 0) continue;
      image_l[i] = sub_down(image_l[i], execution);
      image_u[i] = add_up(image_u[i], execution);
    }
  }
}

template <class Kernels>
void OpDriver<Kernels>::joint_bounds(const TaskOp& op, const BatchFrame& frame, std::int64_t b, std::int64_t j,
                                     std::vector<double>& l, std::vector<double>& u) const {
  l.clear();
  u.clear();
  const JointData& joint = *op.joint;
  for (std::int64_t t = joint.starts[static_cast<std::size_t>(j)]; t < joint.starts[static_cast<std::size_t>(j) + 1];
       ++t) {
    const Joint::Term& term = joint.terms[static_cast<std::size_t>(t)];
    if (term.operand < 0) {
      l.push_back(term.constant);
      u.push_back(term.constant);
      continue;
    }
    const BufferId x = op.inputs[static_cast<std::size_t>(term.operand)];
    const BoundsRow bounds = bounds_of(x, frame, b);
    l.push_back(bounds.lower[term.index]);
    u.push_back(bounds.upper[term.index]);
  }
}

template <class Kernels>
void OpDriver<Kernels>::interval_joint(const TaskOp& op, const BatchFrame& frame) const {
  const BufferId y = op.outputs[0];
  thread_local std::vector<double> l, u;
  for (std::int64_t b = 0; b < frame.subproblems; ++b) {
    for (std::int64_t j = 0; j < columns(y); ++j) {
      joint_bounds(op, frame, b, j, l, u);
      double& image_l = lower(y, frame)[b * ld(y) + j];
      double& image_u = upper(y, frame)[b * ld(y) + j];
      op.joint->function->image(l, u, image_l, image_u);
      if (frame.semantics != Semantics::Float32) continue;
      const double execution = op.joint->function->deployed_error(l, u, op.unit_roundoff);
      if (execution == 0) continue;
      image_l = sub_down(image_l, execution);
      image_u = add_up(image_u, execution);
    }
  }
}

template <class Kernels>
void OpDriver<Kernels>::relax_joint(const TaskOp& op, const BatchFrame& frame) const {
  const PlaneStorage out = plane_storage(op.outputs[0], frame);
  const std::int64_t n = columns(op.outputs[0]);
  const JointData& joint = *op.joint;
  // Each product Lambda_j slope rounds, and so do the additions where several components read one coordinate.
  const double term_gamma = gamma_up(joint.max_uses + 1, kUnitRoundoff<T>);
  const double dot_gamma = gamma_up(n + 4, kUnitRoundoff64);
  const double tiny = (kFloat32 ? 0x1p-149 : 0x1p-1074) * static_cast<double>(joint.max_uses + 1);
  const bool nominal = frame.semantics == Semantics::Nominal;
  thread_local std::vector<double> l, u, lower_slopes, upper_slopes;
  for (std::int64_t b = 0; b < frame.subproblems; ++b) {
    double sum_abs_x = 0;
    for (std::int64_t j = 0; j < n; ++j) {
      joint_bounds(op, frame, b, j, l, u);
      lower_slopes.resize(l.size());
      upper_slopes.resize(l.size());
      double lower_intercept = 0;
      double upper_intercept = 0;
      joint.function->relax(l, u, kFloat32, lower_slopes, lower_intercept, upper_slopes, upper_intercept);
      if (frame.semantics == Semantics::Float32) {
        const double execution = joint.function->deployed_error(l, u, op.unit_roundoff);
        if (execution != 0) {
          lower_intercept = sub_down(lower_intercept, execution);
          upper_intercept = add_up(upper_intercept, execution);
        }
      }
      double weight = 0;
      const std::int64_t first = joint.starts[static_cast<std::size_t>(j)];
      for (std::size_t k = 0; k < l.size(); ++k) {
        const Joint::Term& term = joint.terms[static_cast<std::size_t>(first) + k];
        // A constant's share is part of the intercepts.
        if (term.operand < 0) {
          lower_intercept = add_down(lower_intercept, mul_down(lower_slopes[k], term.constant));
          upper_intercept = add_up(upper_intercept, mul_up(upper_slopes[k], term.constant));
          lower_slopes[k] = upper_slopes[k] = 0;
        }
        const std::int64_t slot = b * out.terms + first + static_cast<std::int64_t>(k);
        out.lower_slope[slot] = static_cast<T>(lower_slopes[k]);
        out.upper_slope[slot] = static_cast<T>(upper_slopes[k]);
        const double abs_x = std::max(std::fabs(l[k]), std::fabs(u[k]));
        sum_abs_x += abs_x;
        weight += term_gamma * std::max(std::fabs(lower_slopes[k]), std::fabs(upper_slopes[k])) * abs_x;
      }
      const T low = cast_down<T>(lower_intercept);
      const T high = cast_up<T>(upper_intercept);
      out.lower_intercept[b * out.ld + j] = low;
      out.upper_intercept[b * out.ld + j] = high;
      weight += dot_gamma * std::max(std::fabs(static_cast<double>(low)), std::fabs(static_cast<double>(high)));
      out.error_weight[b * out.ld + j] = nominal ? 0.0F : cast_up<float>(weight * (1 + 0x1p-40));
    }
    const double scalar = tiny * (2 * sum_abs_x + static_cast<double>(n + 1));
    out.error_weight[b * out.ld + n] = nominal ? 0.0F : cast_up<float>(scalar);
  }
}

// The lines of `count` neurons on [l, u], executions included.
template <class Kernels>
void OpDriver<Kernels>::deployed_relaxations(const TaskOp& op, const BatchFrame& frame, const double* l,
                                             const double* u, std::int64_t count, const LineRows& lines) const {
  op.function->relaxations(l, u, count, kFloat32, lines);
  if (frame.semantics != Semantics::Float32 || op.function->is_selection()) return;
  for (std::int64_t i = 0; i < count; ++i) {
    const double execution = op.function->deployed_error(l[i], u[i], op.unit_roundoff);
    if (execution == 0) continue;
    lines.lower_intercept[i] = sub_down(lines.lower_intercept[i], execution);
    lines.upper_intercept[i] = add_up(lines.upper_intercept[i], execution);
  }
}

template <class Kernels>
void OpDriver<Kernels>::relax(const TaskOp& op, const BatchFrame& frame) const {
  const TraceSpan span(frame.trace, SpanKind::RowKernel, "relax");
  const BufferId x = op.inputs[0];
  const LineStorage out = line_storage(op.outputs[0], frame);
  const std::int64_t n = columns(x);
  const double dot_gamma = gamma_up(n + 4, kUnitRoundoff64);
  const double tiny = kFloat32 ? 0x1p-149 : 0x1p-1074;
  const bool nominal = frame.semantics == Semantics::Nominal;
  constexpr auto kBlock = static_cast<std::int64_t>(LineBlock<T>::kSize);
  LineBlock<T> block;
  const ValueId value = buffer(x).value;
  const auto as_given = [&](std::int64_t b) { return frame.split != nullptr && frame.split->as_given(b, value); };
  std::optional<double> given_extent;
  for (std::int64_t b = 0; b < frame.subproblems; ++b) {
    const BoundsRow bounds = bounds_of(x, frame, b);
    const double *l = bounds.lower, *u = bounds.upper;
    const std::int64_t row = b * out.ld;
    // Subproblems often agree in most neurons; then their lines are found once. Selections find them about as fast as
    // they are compared: there it pays between subproblems that differ in what they have split, and nothing else.
    const bool by_splits = as_given(0) && as_given(b);
    if (b > 0 && (by_splits || !op.function->is_selection())) {
      copy_lines(out, 0, out, row, n);
      const auto store = [&] {
        deployed_relaxations(op, frame, block.lower(), block.upper(), static_cast<std::int64_t>(block.size()),
                             block.lines());
        block.store(out, dot_gamma, [](float, float now) { return now; });
      };
      const BoundsRow first = bounds_of(x, frame, 0);
      const auto compare = [&](std::int64_t i) {
        if (l[i] == first.lower[i] && u[i] == first.upper[i]) return;
        block.add(row + i, l[i], u[i]);
        if (block.full()) store();
      };
      const auto compare_splits = [&](std::int64_t k) {
        for (const SplitTerm& split : frame.split->splits_of(k)) {
          if (split.value == value) compare(split.position);
        }
      };
      if (by_splits) {
        compare_splits(0);
        compare_splits(b);
      } else {
        for (std::int64_t i = 0; i < n; ++i) compare(i);
      }
      store();
    } else {
      for (std::int64_t first = 0; first < n; first += kBlock) {
        const std::int64_t count = std::min(kBlock, n - first);
        const LineRows lines = block.lines();
        deployed_relaxations(op, frame, l + first, u + first, count, lines);
        const std::int64_t at = row + first;
        store_lines(l + first, u + first, lines, count, kUnitRoundoff<T>, dot_gamma, out.lower_slope + at,
                    out.lower_intercept + at, out.upper_slope + at, out.upper_intercept + at, out.error_weight + at);
      }
    }
    if (nominal) std::fill_n(out.error_weight + row, n, 0.0F);
    // Splits narrow what is given, which is looked at once.
    if (by_splits && !given_extent) {
      const GivenValue& given = frame.split->given[static_cast<std::size_t>(value)];
      given_extent = interval_extent(given.lower.data(), given.upper.data(), n).max_abs;
    }
    const double sum_abs_x = static_cast<double>(n) * (by_splits ? *given_extent : interval_extent(l, u, n).max_abs);
    const double scalar = tiny * (2 * sum_abs_x + static_cast<double>(n + 1));
    out.error_weight[row + n] = nominal ? 0.0F : cast_up<float>(scalar);
  }
}

}  // namespace boundflow
