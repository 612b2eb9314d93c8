#pragma once
// OpDriver's ops for subproblems that differ in splits and slopes, and for the sweep of their rows' minimisers through
// the lines in use (gradients without a tape, docs/architecture.md). Included by op_driver.hpp only.

namespace boundflow {

template <class Kernels>
void OpDriver<Kernels>::given_bounds(const TaskOp& op, const BatchFrame& frame) const {
  const BufferId x = op.outputs[0];
  const ValueId value = buffer(x).value;
  const GivenValue& given = frame.split->given[static_cast<std::size_t>(value)];
  ensure(std::ssize(given.lower) == columns(x), "the query gives no bounds of a value that the program asks for");
  for (std::int64_t b = 0; b < frame.subproblems; ++b) {
    const auto own = [&](std::span<const double* const> bounds, const std::vector<double>& otherwise) {
      const auto at = static_cast<std::size_t>(b) * frame.split->given.size() + static_cast<std::size_t>(value);
      return bounds.empty() || bounds[at] == nullptr ? otherwise.data() : bounds[at];
    };
    double* l = lower(x, frame) + b * ld(x);
    double* u = upper(x, frame) + b * ld(x);
    std::copy_n(own(frame.split->own_lower, given.lower), columns(x), l);
    std::copy_n(own(frame.split->own_upper, given.upper), columns(x), u);
    for (const SplitTerm& split : frame.split->splits_of(b)) {
      if (split.value != value) continue;
      double& end = split.above ? l[split.position] : u[split.position];
      // Written so that NaN stays.
      if (split.above ? end < 0 : end > 0) end = 0;
    }
  }
}

template <class Kernels>
void OpDriver<Kernels>::given_errors(const TaskOp& op, const BatchFrame& frame) const {
  const BufferId y = op.outputs[0];
  const GivenValue& given = frame.split->given[static_cast<std::size_t>(buffer(y).value)];
  ensure(std::ssize(given.error_weights) == columns(y) + 1, "the query gives no error weights where the program asks");
  for (std::int64_t b = 0; b < frame.subproblems; ++b) {
    std::copy(given.error_weights.begin(), given.error_weights.end(), weights(y, frame) + b * ld(y));
  }
}

template <class Kernels>
void OpDriver<Kernels>::apply_slopes(const TaskOp& op, const BatchFrame& frame) const {
  const BufferId x = op.inputs[1];
  const std::int64_t n = columns(x);
  const LineStorage out = line_storage(op.outputs[0], frame);
  const LineStorage in = line_storage(op.inputs[0], frame);
  if (out.lower_slope != in.lower_slope) {
    const auto bytes = static_cast<std::size_t>(out.ld * frame.subproblems) * (4 * sizeof(T) + sizeof(float));
    std::memcpy(out.lower_slope, in.lower_slope, bytes);
  }
  const bool nominal = frame.semantics == Semantics::Nominal;
  for (std::int64_t b = 0; b < frame.subproblems; ++b) {
    const double* l = lower(x, frame) + b * ld(x);
    const double* u = upper(x, frame) + b * ld(x);
    const float* slopes = frame.split->slopes + b * frame.split->neurons + op.offset;
    const std::span<const std::int32_t> free = frame.split->free;
    for (auto neuron = std::lower_bound(free.begin(), free.end(), op.offset);
         neuron != free.end() && *neuron < op.offset + n; ++neuron) {
      const std::int64_t j = *neuron - op.offset;
      double left = 0, right = 0;
      if (!op.function->bends_at_zero(l[j], u[j], left, right)) continue;
      const double chosen = static_cast<double>(slopes[j]);
      // What is no slope of the family, NaN among it, leaves the line as it is.
      const T slope = static_cast<T>(chosen);
      if (!(static_cast<double>(slope) >= left && static_cast<double>(slope) <= right)) continue;
      const std::int64_t at = b * out.ld + j;
      out.lower_slope[at] = slope;
      if (nominal || chosen == 0 || chosen == 1) continue;
      // Multiplying by the slope rounds; intercepts are what they were. Weights only grow from step to step.
      const double product = kUnitRoundoff<T> * std::fabs(chosen) * std::max(-l[j], u[j]) * (1 + 0x1p-40);
      const double intercept = std::max(std::fabs(static_cast<double>(out.lower_intercept[at])),
                                        std::fabs(static_cast<double>(out.upper_intercept[at])));
      const double weight = product + gamma_up(n + 4, kUnitRoundoff64) * intercept * (1 + 0x1p-40);
      out.error_weight[at] = std::max(out.error_weight[at], cast_up<float>(weight));
    }
  }
}

// A row's Lambda x >= Lambda x - multiplier * side * x wherever side * x >= 0. What the subtraction rounds away costs
// its magnitude, as at a fan-out.
template <class Kernels>
void OpDriver<Kernels>::apply_splits(const TaskOp& op, const RowFrame& frame) const {
  const BufferId id = op.inputs[0];
  const ValueId value = buffer(op.inputs[1]).value;
  const std::int64_t stride = ld(id);
  T* out = rows(op.outputs[0], frame);
  if (out != rows(id, frame)) std::copy_n(rows(id, frame), stride * frame.rows, out);
  const bool nominal = frame.batch->semantics == Semantics::Nominal;
  for (std::int64_t i = 0; i < frame.rows; ++i) {
    const std::int64_t owner = frame.owners[i];
    const double* l = lower(op.inputs[1], *frame.batch) + owner * ld(op.inputs[1]);
    const double* u = upper(op.inputs[1], *frame.batch) + owner * ld(op.inputs[1]);
    double error = 0;
    for (const SplitTerm& split : frame.batch->split->splits_of(owner)) {
      // Whatever is no multiplier, NaN among it, leaves the row as it is.
      if (split.value != value || !(split.multiplier > 0)) continue;
      T& entry = out[i * stride + split.position];
      entry += static_cast<T>(split.above ? -split.multiplier : split.multiplier);
      const double largest = std::max(std::fabs(l[split.position]), std::fabs(u[split.position]));
      error += std::fabs(static_cast<double>(entry)) * largest;
    }
    if (!nominal) frame.errors[i] += kUnitRoundoff<T> * error * (1 + 0x1p-40);
  }
}

template <class Kernels>
void OpDriver<Kernels>::minimizer(const TaskOp& op, const RowFrame& frame) const {
  const BufferId id = op.inputs[0], x = op.inputs[1], to = op.outputs[0];
  const std::int64_t n = columns(to);
  for (std::int64_t i = 0; i < frame.rows; ++i) {
    const T* lambda = rows(id, frame) + i * ld(id);
    const double* l = lower(x, *frame.batch) + frame.owners[i] * ld(x);
    const double* u = upper(x, *frame.batch) + frame.owners[i] * ld(x);
    T* point = rows(to, frame) + i * ld(to);
    for (std::int64_t j = 0; j < n; ++j) point[j] = static_cast<T>(lambda[j] >= 0 ? l[j] : u[j]);
    if (frame.minimizers == nullptr) continue;
    for (std::int64_t j = 0; j < n; ++j) {
      frame.minimizers[i * n + coordinate(x, j)] = static_cast<double>(point[j]);
    }
  }
}

template <class Kernels>
void OpDriver<Kernels>::line_value(const TaskOp& op, const RowFrame& frame) const {
  const BufferId x = op.inputs[0], y = op.inputs[1], to = op.outputs[0];
  const LineStorage lines = line_storage(op.inputs[2], *frame.batch);
  const std::int64_t n = columns(to);
  for (std::int64_t i = 0; i < frame.rows; ++i) {
    const std::int64_t at = frame.owners[i] * lines.ld;
    const T* lower_slope = lines.lower_slope + at;
    const T* lower_intercept = lines.lower_intercept + at;
    const T* upper_slope = lines.upper_slope + at;
    const T* upper_intercept = lines.upper_intercept + at;
    const T* in = rows(x, frame) + i * ld(x);
    const T* lambda = rows(y, frame) + i * ld(y);
    T* out = rows(to, frame) + i * ld(to);
    for (std::int64_t j = 0; j < n; ++j) {
      const bool below = lambda[j] >= 0;
      out[j] = (below ? lower_slope[j] : upper_slope[j]) * in[j] + (below ? lower_intercept[j] : upper_intercept[j]);
    }
  }
}

template <class Kernels>
void OpDriver<Kernels>::keep(const TaskOp& op, const RowFrame& frame, float* kept) const {
  if (kept == nullptr) return;
  const BufferId id = op.inputs[0];
  for (std::int64_t i = 0; i < frame.rows; ++i) {
    const T* from = rows(id, frame) + i * ld(id);
    float* to = kept + i * frame.batch->split->neurons + op.offset;
    for (std::int64_t j = 0; j < columns(id); ++j) to[j] = static_cast<float>(from[j]);
  }
}

}  // namespace boundflow
