#pragma once
// OpDriver's ops for subproblems that differ in splits and slopes, and for the sweep of their rows' minimisers through
// the lines in use (gradients without a tape, docs/architecture.md). Included by op_driver.hpp only.

namespace boundflow {

template <class Kernels>
void OpDriver<Kernels>::given_bounds(const TaskOp& op, const BatchFrame& frame) const {
  const TraceSpan span(frame.trace, SpanKind::RowKernel, "given_bounds");
  const BufferId x = op.outputs[0];
  const ValueId value = buffer(x).value;
  const GivenValue& given = frame.split->given[static_cast<std::size_t>(value)];
  ensure(std::ssize(given.lower) == columns(x), "the query gives no bounds of a value that the program asks for");
  for (std::int64_t b = 0; b < frame.subproblems; ++b) {
    if (frame.split->is_whole(b, value)) continue;
    const BoundsRow known = frame.split->known_of(b, value);
    double* l = lower(x, frame) + b * ld(x);
    double* u = upper(x, frame) + b * ld(x);
    std::copy_n(known.lower, columns(x), l);
    std::copy_n(known.upper, columns(x), u);
    for (const SplitTerm& split : frame.split->splits_of(b)) {
      if (split.value != value) continue;
      double& end = split.above ? l[split.position] : u[split.position];
      const auto point = static_cast<double>(split.point);
      // Written so that NaN stays.
      if (split.above ? end < point : end > point) end = point;
    }
  }
}

template <class Kernels>
void OpDriver<Kernels>::given_errors(const TaskOp& op, const BatchFrame& frame) const {
  const BufferId y = op.outputs[0];
  const GivenValue& given = frame.split->given[static_cast<std::size_t>(buffer(y).value)];
  ensure(std::ssize(given.error_weights) == columns(y) + 1, "the query gives no error weights where the program asks");
  std::copy(given.error_weights.begin(), given.error_weights.end(), weights(y, frame));
}

// What the relaxation has found stays where a share is no number.
template <class Kernels>
void OpDriver<Kernels>::apply_slopes(const TaskOp& op, const BatchFrame& frame) const {
  const TraceSpan span(frame.trace, SpanKind::RowKernel, "apply_slopes");
  const LineStorage out = line_storage(op.outputs[0], frame);
  const LineStorage in = line_storage(op.inputs[0], frame);
  const SplitFrame& split = *frame.split;
  const FreeNeurons& free = *split.free;
  const std::int64_t first = free.place(op.offset), last = free.place(op.offset + columns(op.inputs[1]));
  const auto* others = free.not_turning.data();
  const auto* const others_end = std::lower_bound(others, others + free.not_turning.size(), last);
  others = std::lower_bound(others, others_end, first);
  const float roundoff = frame.semantics == Semantics::Nominal ? 0.0F : static_cast<float>(kUnitRoundoff<T>);
  LineBlock<T> block;
  for (const std::int32_t b : split.running) {
    if (out.lower_slope != in.lower_slope) copy_lines(in, b * in.ld, out, b * out.ld, out.ld);
    const float* shares = split.lower_shares + b * free.size();
    const std::int64_t row = b * out.ld - op.offset;
    // Where the sign is known, by a split or by bounds of the subproblem's own, the function is a line, and the chord
    // above goes through the origin. A multiplication by the slope rounds; the intercept, zero, costs nothing.
    for (std::int64_t k = first; k < last; ++k) {
      const auto place = static_cast<std::size_t>(k);
      const std::int64_t at = row + free.neurons[place];
      const float a = free.first_slopes[place], z = free.last_slopes[place];
      const float slope = std::min(std::max(a + shares[k] * (z - a), a), z);  // NaN stays
      const bool turns = out.upper_intercept[at] > 0 && !std::isnan(slope);
      out.lower_slope[at] = turns ? static_cast<T>(slope) : out.lower_slope[at];
      const float weight = std::max(out.error_weight[at], roundoff * free.reaches[place]);
      out.error_weight[at] = turns ? weight : out.error_weight[at];
    }
    for (const auto* k = others; k != others_end; ++k) choose_lines(op, frame, b, *k, out, block);
  }
  store_chosen(frame, out, columns(op.inputs[1]), block);
}

// The lines of a neuron that does not turn, at the shares of subproblem b.
template <class Kernels>
void OpDriver<Kernels>::choose_lines(const TaskOp& op, const BatchFrame& frame, std::int64_t b, std::int64_t k,
                                     const LineStorage& out, LineBlock<T>& block) const {
  const BufferId x = op.inputs[1];
  const SplitFrame& split = *frame.split;
  const auto lowered = [](double intercept, double error) {
    return error == 0 ? intercept : sub_down(intercept, error);
  };
  const std::int64_t neuron = split.free->neurons[static_cast<std::size_t>(k)], j = neuron - op.offset;
  const BoundsRow bounds = bounds_of(x, frame, b);
  const double l = bounds.lower[j], u = bounds.upper[j];
  const double extent = std::max(-l, u);
  const std::int64_t share = b * split.free->size() + k, at = b * out.ld + j;
  KnownChoices own;
  const KnownChoices* choices = known_choices(op, k, l, u, frame, own);
  if (choices == nullptr) return;
  const LineChoice& choice = choices->lines.below;
  Line below{0, kInfinity};
  if (choice.is_free()) {
    below = choice.sound_below(static_cast<double>(split.lower_shares[share]), extent, kFloat32);
    below.intercept = lowered(below.intercept, choices->deployed_error);
  }
  Relaxation line{static_cast<double>(out.lower_slope[at]), static_cast<double>(out.lower_intercept[at]),
                  static_cast<double>(out.upper_slope[at]), static_cast<double>(out.upper_intercept[at])};
  if (std::isfinite(below.intercept)) line.lower_slope = below.slope, line.lower_intercept = below.intercept;
  if (choices->lines.above.is_free() && split.upper_shares != nullptr) {
    const Line above =
        choices->lines.above.sound_above(static_cast<double>(split.upper_shares[share]), extent, kFloat32);
    const double intercept = -lowered(-above.intercept, choices->deployed_error);
    if (std::isfinite(intercept)) line.upper_slope = above.slope, line.upper_intercept = intercept;
  }
  block.lines().set(static_cast<std::int64_t>(block.size()), line);
  block.add(at, l, u);
  if (block.full()) store_chosen(frame, out, columns(x), block);
}

// The error of a line that stays counts as well: weights only grow from step to step.
template <class Kernels>
void OpDriver<Kernels>::store_chosen(const BatchFrame& frame, const LineStorage& out, std::int64_t columns,
                                     LineBlock<T>& block) const {
  const bool nominal = frame.semantics == Semantics::Nominal;
  block.store(out, gamma_up(columns + 4, kUnitRoundoff64),
              [&](float before, float now) { return nominal ? 0.0F : std::max(before, now); });
}

// A neuron's choices on [l, u], or nullptr: those that are known if these are the given bounds, else `own`.
template <class Kernels>
const KnownChoices* OpDriver<Kernels>::known_choices(const TaskOp& op, std::int64_t place, double l, double u,
                                                     const BatchFrame& frame, KnownChoices& own) const {
  const SplitFrame& split = *frame.split;
  const auto k = static_cast<std::size_t>(place);
  if (const std::int32_t known = split.free->known[k]; known >= 0) {
    const GivenValue& given = split.given[static_cast<std::size_t>(buffer(op.inputs[1]).value)];
    const auto j = static_cast<std::size_t>(split.free->neurons[k] - op.offset);
    if (l == given.lower[j] && u == given.upper[j]) return &split.choices[static_cast<std::size_t>(known)];
  }
  return find_choices(*op.function, l, u, kFloat32, frame.semantics, op.unit_roundoff, own) ? &own : nullptr;
}

// A row's Lambda x >= Lambda x - multiplier * side * (x - point) wherever side * (x - point) >= 0. What the subtraction
// rounds away costs its magnitude, as at a fan-out.
template <class Kernels>
void OpDriver<Kernels>::apply_splits(const TaskOp& op, const RowFrame& frame) const {
  const TraceSpan span(frame.batch->trace, SpanKind::RowKernel, "apply_splits");
  const BufferId id = op.inputs[0];
  const ValueId value = buffer(op.inputs[1]).value;
  const std::optional<Window>& window = buffer(id).window;
  const std::int64_t stride = ld(id);
  T* out = rows(op.outputs[0], frame);
  if (out != rows(id, frame)) std::copy_n(rows(id, frame), stride * frame.rows, out);
  const bool nominal = frame.batch->semantics == Semantics::Nominal;
  for (std::int64_t i = 0; i < frame.rows; ++i) {
    const std::int64_t owner = frame.owners[i];
    const auto [l, u] = bounds_of(op.inputs[1], *frame.batch, owner);
    double error = 0;
    for (const SplitTerm& split : frame.batch->split->splits_of(owner)) {
      // Whatever is no multiplier, NaN among it, leaves the row as it is.
      if (split.value != value || !(split.multiplier > 0)) continue;
      const std::int64_t position = window ? entry_of(*window, frame.indices[i], split.position) : split.position;
      if (position < 0) continue;  // a split that the row has nothing to do with
      T& entry = out[i * stride + position];
      const float along = split.above ? -split.multiplier : split.multiplier;
      entry += static_cast<T>(along);
      // Of two float32 numbers, the product is exact.
      const double constant = -static_cast<double>(along) * static_cast<double>(split.point);
      if (constant != 0) {
        frame.constants[i] += constant;
        if (!nominal) frame.errors[i] += 2 * kUnitRoundoff64 * std::fabs(frame.constants[i]);
      }
      const double largest = std::max(std::fabs(l[split.position]), std::fabs(u[split.position]));
      error += std::fabs(static_cast<double>(entry)) * largest;
    }
    if (!nominal) frame.errors[i] += kUnitRoundoff<T> * error * (1 + 0x1p-40);
  }
}

template <class Kernels>
void OpDriver<Kernels>::minimizer(const TaskOp& op, const RowFrame& frame) const {
  const TraceSpan span(frame.batch->trace, SpanKind::RowKernel, "minimizer");
  const BufferId id = op.inputs[0], x = op.inputs[1], to = op.outputs[0];
  const std::int64_t n = columns(x);
  if (buffer(to).window) std::fill_n(rows(to, frame), ld(to) * frame.rows, T(0));
  if (frame.minimizers != nullptr && buffer(to).window) {
    for (std::int64_t i = 0; i < frame.rows; ++i) {
      const double* l = bounds_of(x, *frame.batch, frame.owners[i]).lower;
      for (std::int64_t j = 0; j < n; ++j) frame.minimizers[i * n + coordinate(x, j)] = l[j];
    }
  }
  for_each_piece(
      to, frame,
      [&](std::int64_t first, std::int64_t offset, std::int64_t image, std::int64_t length, std::int64_t count) {
        for (std::int64_t i = first; i < first + count; ++i) {
          const T* lambda = rows(id, frame) + i * ld(id) + offset;
          const BoundsRow box = bounds_of(x, *frame.batch, frame.owners[i]);
          T* point = rows(to, frame) + i * ld(to) + offset;
          kernels_.minimizer(lambda, box.lower + image, box.upper + image, length, point);
          if (frame.minimizers == nullptr) continue;
          for (std::int64_t j = 0; j < length; ++j) {
            frame.minimizers[i * n + coordinate(x, image + j)] = static_cast<double>(point[j]);
          }
        }
      });
}

// Of the operand's window, or of its image.
template <class Kernels>
void OpDriver<Kernels>::cut_window(const TaskOp& op, const RowFrame& frame) const {
  const TraceSpan span(frame.batch->trace, SpanKind::RowKernel, "cut_window");
  const BufferId x = op.inputs[0], to = op.outputs[0];
  const Window& window = *buffer(to).window;
  const std::optional<Window>& all = buffer(x).window;
  std::fill_n(rows(to, frame), ld(to) * frame.rows, T(0));
  for (std::int64_t i = 0; i < frame.rows; ++i) {
    for_each_run(window, frame.indices[i], [&](std::int64_t offset, std::int64_t image, std::int64_t length) {
      const std::int64_t from = all ? offset_in(*all, window, offset) : image;
      std::copy_n(rows(x, frame) + i * ld(x) + from, length, rows(to, frame) + i * ld(to) + offset);
    });
  }
}

template <class Kernels>
void OpDriver<Kernels>::line_value(const TaskOp& op, const RowFrame& frame) const {
  const TraceSpan span(frame.batch->trace, SpanKind::RowKernel, "line_value");
  const BufferId x = op.inputs[0], y = op.inputs[1], to = op.outputs[0];
  const LineStorage lines = line_storage(op.inputs[2], *frame.batch);
  // Outside the image a window of points is zero as it came, where the result takes its place.
  if (buffer(to).window && rows(to, frame) != rows(x, frame)) {
    std::fill_n(rows(to, frame), ld(to) * frame.rows, T(0));
  }
  for_each_piece(
      to, frame,
      [&](std::int64_t first, std::int64_t offset, std::int64_t image, std::int64_t length, std::int64_t count) {
        for (std::int64_t i = first; i < first + count; ++i) {
          const std::int64_t at = frame.owners[i] * lines.ld + image;
          kernels_.line_value(rows(y, frame) + i * ld(y) + offset, rows(x, frame) + i * ld(x) + offset, length,
                              {lines.lower_slope + at, lines.lower_intercept + at, lines.upper_slope + at,
                               lines.upper_intercept + at, nullptr, lines.ld},
                              rows(to, frame) + i * ld(to) + offset);
        }
      });
}

template <class Kernels>
void OpDriver<Kernels>::plane_value(const TaskOp& op, const RowFrame& frame) const {
  const TraceSpan span(frame.batch->trace, SpanKind::RowKernel, "plane_value");
  const auto operands = static_cast<std::size_t>(op.joint->operands);
  const BufferId y = op.inputs[operands], to = op.outputs[0];
  const PlaneStorage planes = plane_storage(op.inputs[operands + 1], *frame.batch);
  for (std::int64_t i = 0; i < frame.rows; ++i) {
    const std::int64_t owner = frame.owners[i];
    const T* lambda = rows(y, frame) + i * ld(y);
    T* out = rows(to, frame) + i * ld(to);
    for (std::int64_t j = 0; j < columns(to); ++j) {
      const bool below = lambda[j] >= 0;
      const T* slopes = (below ? planes.lower_slope : planes.upper_slope) + owner * planes.terms;
      T value = (below ? planes.lower_intercept : planes.upper_intercept)[owner * planes.ld + j];
      for (std::int64_t t = op.joint->starts[static_cast<std::size_t>(j)];
           t < op.joint->starts[static_cast<std::size_t>(j) + 1]; ++t) {
        const Joint::Term& term = op.joint->terms[static_cast<std::size_t>(t)];
        if (term.operand < 0) continue;  // part of the intercept
        const BufferId x = op.inputs[static_cast<std::size_t>(term.operand)];
        value += slopes[t] * rows(x, frame)[i * ld(x) + term.index];
      }
      out[j] = value;
    }
  }
}

// Of a row, entries at the free neurons of the op's layer, in `kept`; where something stands of a split of its owner,
// look(split, entry or zero).
template <class Kernels>
template <class Look>
void OpDriver<Kernels>::keep(const TaskOp& op, const RowFrame& frame, float* kept, const Look& look) const {
  const BufferId id = op.inputs[0];
  const SplitFrame& split = *frame.batch->split;
  const FreeNeurons& free = *split.free;
  const std::optional<Window>& window = buffer(id).window;
  const std::int64_t n = buffer(id).value_columns();
  const std::int64_t begin = free.place(op.offset), end = free.place(op.offset + n);
  for (std::int64_t i = 0; i < frame.rows && window; ++i) {
    std::fill(kept + i * free.size() + begin, kept + i * free.size() + end, 0.0F);
  }
  for_each_piece(
      id, frame,
      [&](std::int64_t row, std::int64_t offset, std::int64_t image, std::int64_t length, std::int64_t count) {
        const std::int64_t first = window ? free.place(op.offset + image) : begin;
        const std::int64_t last = window ? free.place(op.offset + image + length) : end;
        for (std::int64_t i = row; i < row + count; ++i) {
          const T* from = rows(id, frame) + i * ld(id) + offset - image;
          float* to = kept + i * free.size();
          for (std::int64_t k = first; k < last; ++k) {
            to[k] = static_cast<float>(from[free.neurons[static_cast<std::size_t>(k)] - op.offset]);
          }
        }
      });
  for (std::int64_t i = 0; i < frame.rows; ++i) {
    const T* from = rows(id, frame) + i * ld(id);
    for (const SplitTerm& term : split.splits_of(frame.owners[i])) {
      if (term.neuron < op.offset || term.neuron >= op.offset + n) continue;
      const std::int64_t position = window ? entry_of(*window, frame.indices[i], term.position) : term.position;
      look(&term - split.splits.data(), from, position);
    }
  }
}

template <class Kernels>
void OpDriver<Kernels>::keep_points(const TaskOp& op, const RowFrame& frame) const {
  const TraceSpan span(frame.batch->trace, SpanKind::RowKernel, "keep_points");
  keep(op, frame, frame.kept_points, [&](std::int64_t split, const T* row, std::int64_t position) {
    frame.split_points[split] = position < 0 ? 0.0F : static_cast<float>(row[position]);
  });
}

template <class Kernels>
void OpDriver<Kernels>::keep_rows(const TaskOp& op, const RowFrame& frame) const {
  const TraceSpan span(frame.batch->trace, SpanKind::RowKernel, "keep_rows");
  const std::int64_t n = columns(op.inputs[0]);
  const auto all = static_cast<float>(buffer(op.inputs[0]).value_columns());
  const T* summed = nullptr;
  float mean = 0;
  keep(op, frame, frame.kept_rows, [&](std::int64_t split, const T* row, std::int64_t) {
    // A row's splits come one after the other.
    if (row != summed) mean = static_cast<float>(sum_of_magnitudes(row, n)) / all;
    summed = row;
    frame.split_magnitudes[split] = mean;
  });
}

}  // namespace boundflow
