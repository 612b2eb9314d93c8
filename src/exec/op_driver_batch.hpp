#pragma once
// OpDriver's ops per subproblem. Included by op_driver.hpp only.

namespace boundflow {

template <class Kernels>
OpDriver<Kernels>::OpDriver(std::shared_ptr<const BoundProgram> program, std::shared_ptr<const StoragePlan> plan,
                            const Deadline& deadline)
    : CompiledProgram(program, std::move(plan)), kernels_(*program, deadline) {
  error_terms_ = program->max_columns;
  for (const Task& task : program->tasks) {
    error_terms_ += 6 * static_cast<std::int64_t>(task.ops.size());
    for (const TaskOp& op : task.ops) {
      const bool interval = op.kind == TaskOpKind::IntervalAffine;
      models_.push_back(interval ? AffineErrorModel(*op.affine, columns(op.outputs[0]), kFloat32) : AffineErrorModel());
      DualNorms norms;
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
          norms.l2.push_back(round_up(std::sqrt(squares * up) * up + static_cast<double>(entries.size()) * 0x1p-500));
          norms.l1.push_back(round_up(largest * up));
        }
      }
      dual_norms_.push_back(std::move(norms));
    }
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
    default:
      throw InternalError("a row op stands in a batch task");
  }
}

template <class Kernels>
double OpDriver<Kernels>::max_abs(const double* lower, const double* upper, std::int64_t n) {
  double result = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const double magnitude = std::max(std::fabs(lower[i]), std::fabs(upper[i]));
    if (!(magnitude <= result)) result = magnitude;  // NaN sticks: !(NaN <= x), and no magnitude replaces it below
    if (std::isnan(result)) return result;
  }
  return result;
}

// Coordinates that can be non-zero in [lower, upper]; NaN counts.
template <class Kernels>
std::int64_t OpDriver<Kernels>::live_coordinates(const double* lower, const double* upper, std::int64_t n) {
  std::int64_t live = 0;
  for (std::int64_t i = 0; i < n; ++i) live += lower[i] == 0 && upper[i] == 0 ? 0 : 1;
  return live;
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

template <class Kernels>
void OpDriver<Kernels>::store_coordinate(const TaskOp& op, const BatchFrame& frame, std::int64_t b, std::int64_t i,
                                         AffineSums sums, std::int64_t additions) const {
  const std::int64_t y = b * ld(op.outputs[0]) + i;
  float& weight = weights(op.outputs[1], frame)[b * ld(op.outputs[1]) + i];
  if (!op.affine->bias.empty()) sums.bias = op.affine->bias[static_cast<std::size_t>(i)];
  if (!op.affine->bias_magnitude.empty()) sums.bias_magnitude = op.affine->bias_magnitude[static_cast<std::size_t>(i)];
  if (frame.semantics == Semantics::Nominal) {
    lower(op.outputs[0], frame)[y] = sums.centre + sums.bias - sums.radius;
    upper(op.outputs[0], frame)[y] = sums.centre + sums.bias + sums.radius;
    weight = 0;
    return;
  }
  const bool deployed = frame.semantics == Semantics::Float32;
  const AffineCoordinate bound =
      bound_affine_coordinate(models_[static_cast<std::size_t>(op.number)], sums,
                              deployed ? std::optional<std::int64_t>(additions) : std::nullopt);
  lower(op.outputs[0], frame)[y] = bound.lower;
  upper(op.outputs[0], frame)[y] = bound.upper;
  weight = cast_up<float>(bound.weight);
}

// What a row pays once when it walks through the node, whatever its Lambda.
template <class Kernels>
void OpDriver<Kernels>::store_row_scalars(const TaskOp& op, const BatchFrame& frame, std::int64_t b) const {
  const AffineErrorModel& model = models_[static_cast<std::size_t>(op.number)];
  double sum_abs_x = 0;
  for (const BufferId x : op.inputs) {
    const double* l = lower(x, frame) + b * ld(x);
    const double* u = upper(x, frame) + b * ld(x);
    for (std::int64_t j = 0; j < columns(x); ++j) sum_abs_x += std::max(std::fabs(l[j]), std::fabs(u[j]));
  }
  const double scalar =
      frame.semantics == Semantics::Nominal ? 0.0 : 2 * model.backward_tiny * sum_abs_x + model.dot_tiny;
  weights(op.outputs[1], frame)[b * ld(op.outputs[1]) + columns(op.outputs[1])] = cast_up<float>(scalar);
}

template <class Kernels>
void OpDriver<Kernels>::interval_products(const TaskOp& op, const BatchFrame& frame) const {
  const std::int64_t count = frame.subproblems;
  const std::int64_t out = columns(op.outputs[0]);
  // Rows 0..B-1 hold r, B..2B-1 hold |c| + r: one pass over |M| serves both.
  thread_local std::vector<T> centres, spans, y_centre, y_spans;
  thread_local std::vector<double> largest;
  thread_local std::vector<std::int64_t> live;
  y_centre.assign(static_cast<std::size_t>(count * out), 0);
  y_spans.assign(static_cast<std::size_t>(2 * count * out), 0);
  largest.assign(static_cast<std::size_t>(count), 0);
  live.assign(static_cast<std::size_t>(count), 0);
  for (std::size_t t = 0; t < op.inputs.size(); ++t) {
    const BufferId x = op.inputs[t];
    const std::int64_t n = columns(x);
    centres.resize(static_cast<std::size_t>(count * n));
    spans.resize(static_cast<std::size_t>(2 * count * n));
    for (std::int64_t b = 0; b < count; ++b) {
      const double* l = lower(x, frame) + b * ld(x);
      const double* u = upper(x, frame) + b * ld(x);
      // Of a ball's coordinates, only what the box around adds (rounding, executions) counts one by one: the ball
      // itself by its dual norm.
      const bool is_ball = op.ball && frame.norm != InputNorm::Linf;
      for (std::int64_t j = 0; j < n; ++j) {
        const T c = static_cast<T>(0.5 * l[j] + 0.5 * u[j]);
        const double whole = std::max(sub_up(u[j], c), sub_up(c, l[j]));
        const bool in_ball = is_ball && (*op.ball)[static_cast<std::size_t>(j)];
        const double r = in_ball ? std::max(sub_up(whole, frame.radii[b]), 0.0) : whole;
        // NaN bounds must reach the products, whichever operand std::max keeps.
        const bool invalid = std::isnan(l[j]) || std::isnan(u[j]);
        centres[static_cast<std::size_t>(b * n + j)] = c;
        spans[static_cast<std::size_t>(b * n + j)] = invalid ? c : cast_up<T>(r);
        spans[static_cast<std::size_t>((count + b) * n + j)] = cast_up<T>(add_up(std::fabs(c), whole));
      }
      live[static_cast<std::size_t>(b)] += live_coordinates(l, u, n);
      const double magnitude = max_abs(l, u, n);
      double& so_far = largest[static_cast<std::size_t>(b)];
      if (!(magnitude <= so_far)) so_far = magnitude;
    }
    kernels_.forward(op, t, centres.data(), n, count, y_centre.data(), out, false, t > 0);
    kernels_.forward(op, t, spans.data(), n, 2 * count, y_spans.data(), out, true, t > 0);
  }
  const AffineErrorModel& model = models_[static_cast<std::size_t>(op.number)];
  for (std::int64_t b = 0; b < count; ++b) {
    const std::int64_t additions = model.live_additions(live[static_cast<std::size_t>(b)]);
    for (std::int64_t i = 0; i < out; ++i) {
      const auto k = static_cast<std::size_t>(b * out + i);
      store_coordinate(op, frame, b, i,
                       {.centre = y_centre[k],
                        .radius = static_cast<double>(y_spans[k]) + ball_radius(op, frame, b, i),
                        .magnitude = y_spans[k + static_cast<std::size_t>(count * out)],
                        .max_abs_x = largest[static_cast<std::size_t>(b)]},
                       additions);
    }
    store_row_scalars(op, frame, b);
  }
}

// How far a component varies over the ball, rounded up so far that the caller's sum may round.
template <class Kernels>
double OpDriver<Kernels>::ball_radius(const TaskOp& op, const BatchFrame& frame, std::int64_t b, std::int64_t i) const {
  if (!op.ball || frame.norm == InputNorm::Linf) return 0;
  const DualNorms& norms = dual_norms_[static_cast<std::size_t>(op.number)];
  const double norm = (frame.norm == InputNorm::L2 ? norms.l2 : norms.l1)[static_cast<std::size_t>(i)];
  const double radius = mul_up(frame.radii[b], norm);
  return frame.semantics == Semantics::Nominal ? radius : radius * (1 + 0x1p-48);
}

// Nodes without a product (data movement, residual sums, bias): directly on the bounds, so that no width is lost.
template <class Kernels>
void OpDriver<Kernels>::interval_moves(const TaskOp& op, const BatchFrame& frame) const {
  const std::int64_t out = columns(op.outputs[0]);
  for (std::int64_t b = 0; b < frame.subproblems; ++b) {
    double* y_l = lower(op.outputs[0], frame) + b * ld(op.outputs[0]);
    double* y_u = upper(op.outputs[0], frame) + b * ld(op.outputs[0]);
    const AffineErrorModel& model = models_[static_cast<std::size_t>(op.number)];
    const bool deployed = frame.semantics == Semantics::Float32;
    for (std::int64_t i = 0; i < out; ++i) {
      double sum_l = 0;
      double sum_u = 0;
      double sum_abs = 0;
      std::int64_t terms = 0;
      for (std::size_t t = 0; t < op.inputs.size(); ++t) {
        const IndexMap& map = *op.affine->maps[t]->index();
        const std::int64_t source = map.source.empty() ? i : map.source[static_cast<std::size_t>(i)];
        if (source < 0) continue;
        const double l = lower(op.inputs[t], frame)[b * ld(op.inputs[t]) + source];
        const double u = upper(op.inputs[t], frame)[b * ld(op.inputs[t]) + source];
        const double low = map.factor < 0 ? -u : l;
        const double high = map.factor < 0 ? -l : u;
        sum_l = terms == 0 ? low : add_down(sum_l, low);
        sum_u = terms == 0 ? high : add_up(sum_u, high);
        sum_abs = add_up(sum_abs, std::max(std::fabs(l), std::fabs(u)));
        ++terms;
      }
      const double bias = op.affine->bias.empty() ? 0.0 : op.affine->bias[static_cast<std::size_t>(i)];
      if (bias != 0) {
        sum_l = terms == 0 ? bias : add_down(sum_l, bias);
        sum_u = terms == 0 ? bias : add_up(sum_u, bias);
      }
      const double abs_y = std::max(std::fabs(sum_l), std::fabs(sum_u));
      const double execution =
          deployed && op.affine->deployed_roundings > 0
              ? model.execution_error(add_up(sum_abs, std::fabs(bias)), abs_y, sum_abs, model.additions)
              : 0;
      y_l[i] = execution > 0 ? sub_down(sum_l, execution) : sum_l;
      y_u[i] = execution > 0 ? add_up(sum_u, execution) : sum_u;
      const double weight =
          (model.backward_gamma * sum_abs + model.bias_gamma * std::fabs(bias) + execution) * (1 + 0x1p-40);
      if (std::isnan(sum_abs)) y_l[i] = y_u[i] = sum_abs;
      weights(op.outputs[1], frame)[b * ld(op.outputs[1]) + i] =
          frame.semantics == Semantics::Nominal ? 0.0F : cast_up<float>(weight);
    }
    store_row_scalars(op, frame, b);
  }
}

template <class Kernels>
void OpDriver<Kernels>::interval_image(const TaskOp& op, const BatchFrame& frame) const {
  const BufferId x = op.inputs[0];
  const BufferId y = op.outputs[0];
  for (std::int64_t b = 0; b < frame.subproblems; ++b) {
    const double* l = lower(x, frame) + b * ld(x);
    const double* u = upper(x, frame) + b * ld(x);
    double* image_l = lower(y, frame) + b * ld(y);
    double* image_u = upper(y, frame) + b * ld(y);
    for (std::int64_t i = 0; i < columns(x); ++i) {
      op.function->image(l[i], u[i], image_l[i], image_u[i]);
      if (frame.semantics != Semantics::Float32) continue;
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
    l.push_back(lower(x, frame)[b * ld(x) + term.index]);
    u.push_back(upper(x, frame)[b * ld(x) + term.index]);
  }
}

template <class Kernels>
void OpDriver<Kernels>::interval_joint(const TaskOp& op, const BatchFrame& frame) const {
  const BufferId y = op.outputs[0];
  std::vector<double> l;
  std::vector<double> u;
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
  std::vector<double> l, u, lower_slopes, upper_slopes;
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

template <class Kernels>
void OpDriver<Kernels>::relax(const TaskOp& op, const BatchFrame& frame) const {
  const BufferId x = op.inputs[0];
  const LineStorage out = line_storage(op.outputs[0], frame);
  const std::int64_t n = columns(x);
  const double dot_gamma = gamma_up(n + 4, kUnitRoundoff64);
  const double tiny = kFloat32 ? 0x1p-149 : 0x1p-1074;
  const bool nominal = frame.semantics == Semantics::Nominal;
  for (std::int64_t b = 0; b < frame.subproblems; ++b) {
    const double* l = lower(x, frame) + b * ld(x);
    const double* u = upper(x, frame) + b * ld(x);
    const std::int64_t row = b * out.ld;
    double sum_abs_x = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      Relaxation line = op.function->relax(l[i], u[i], kFloat32);
      if (frame.semantics == Semantics::Float32) {
        const double execution = op.function->deployed_error(l[i], u[i], op.unit_roundoff);
        if (execution != 0) {
          line.lower_intercept = sub_down(line.lower_intercept, execution);
          line.upper_intercept = add_up(line.upper_intercept, execution);
        }
      }
      const double abs_x = std::max(std::fabs(l[i]), std::fabs(u[i]));
      sum_abs_x += abs_x;
      const T lower_intercept = cast_down<T>(line.lower_intercept);
      const T upper_intercept = cast_up<T>(line.upper_intercept);
      out.lower_slope[row + i] = static_cast<T>(line.lower_slope);
      out.lower_intercept[row + i] = lower_intercept;
      out.upper_slope[row + i] = static_cast<T>(line.upper_slope);
      out.upper_intercept[row + i] = upper_intercept;
      // Lambda times a slope rounds unless the slope is 0 or 1; the dot with the intercepts rounds in double.
      const auto exact = [](double slope) { return slope == 0 || slope == 1; };
      double slope = 0;
      if (!exact(line.lower_slope)) slope = std::fabs(line.lower_slope);
      if (!exact(line.upper_slope)) slope = std::max(slope, std::fabs(line.upper_slope));
      const double intercept =
          std::max(std::fabs(static_cast<double>(lower_intercept)), std::fabs(static_cast<double>(upper_intercept)));
      const double weight = (kUnitRoundoff<T> * slope * abs_x + dot_gamma * intercept) * (1 + 0x1p-40);
      out.error_weight[row + i] = nominal ? 0.0F : cast_up<float>(weight);
    }
    const double scalar = tiny * (2 * sum_abs_x + static_cast<double>(n + 1));
    out.error_weight[row + n] = nominal ? 0.0F : cast_up<float>(scalar);
  }
}

}  // namespace boundflow
