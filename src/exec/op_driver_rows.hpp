#pragma once
// OpDriver's ops per row. Included by op_driver.hpp only.

namespace boundflow {

template <class Kernels>
void OpDriver<Kernels>::run(const TaskOp& op, const RowFrame& frame) const {
  switch (op.kind) {
    case TaskOpKind::OneHot:
      return one_hot(op, frame);
    case TaskOpKind::GatherRows:
      return gather_rows(op, frame);
    case TaskOpKind::SpecRows:
      return spec_rows(op, frame, false);
    case TaskOpKind::SpecInputRows:
      return spec_rows(op, frame, true);
    case TaskOpKind::BiasAndError:
      return bias_and_error(op, frame);
    case TaskOpKind::Transpose:
      return transpose(op, frame);
    case TaskOpKind::ApplyRelaxation:
      return apply_relaxation(op, frame);
    case TaskOpKind::ApplyRelaxationAndBias:
      return apply_relaxation_and_bias(op, frame);
    case TaskOpKind::ApplyPlanes:
      return apply_planes(op, frame);
    case TaskOpKind::WindowToImage:
      return window_to_image(op, frame);
    case TaskOpKind::Accumulate:
      return add_rows(op, frame, true);
    case TaskOpKind::Concretize:
      return concretize(op, frame);
    case TaskOpKind::ApplySplits:
      return apply_splits(op, frame);
    case TaskOpKind::Minimizer:
      return minimizer(op, frame);
    case TaskOpKind::CutWindow:
      return cut_window(op, frame);
    case TaskOpKind::LineValue:
      return line_value(op, frame);
    case TaskOpKind::PlaneValue:
      return plane_value(op, frame);
    case TaskOpKind::KeepRows:
      return keep_rows(op, frame);
    case TaskOpKind::KeepPoints:
      return keep_points(op, frame);
    case TaskOpKind::Probe:
      return probe(op, frame);
    case TaskOpKind::LoadPoints:
      return load(frame.points, op.outputs[0], frame);
    case TaskOpKind::AffineForward:
      return affine_forward(op, frame);
    case TaskOpKind::ScalarValue:
      return scalar_value(op, frame);
    case TaskOpKind::JointValue:
      return joint_value(op, frame);
    case TaskOpKind::StorePoints:
      return store(op.inputs[0], frame.values, frame);
    case TaskOpKind::LoadCotangents:
      return load(frame.cotangents, op.outputs[0], frame);
    case TaskOpKind::ScaleByDerivative:
      return scale_by_derivative(op, frame);
    case TaskOpKind::JointGradient:
      return joint_gradient(op, frame);
    case TaskOpKind::AddRows:
      return add_rows(op, frame, false);
    case TaskOpKind::StoreGradients:
      return store(op.inputs[0], frame.gradients, frame);
    default:
      throw InternalError("a batch op stands in a row task");
  }
}

template <class Kernels>
void OpDriver<Kernels>::one_hot(const TaskOp& op, const RowFrame& frame) const {
  const std::int64_t stride = ld(op.outputs[0]);
  T* out = rows(op.outputs[0], frame);
  std::fill_n(out, stride * frame.rows, T(0));
  const std::optional<Window>& window = buffer(op.outputs[0]).window;
  for (std::int64_t i = 0; i < frame.rows; ++i) {
    // A window of one pixel: what is left of the coordinate is its channel.
    const std::int64_t at = window ? frame.indices[i] % window->channels : frame.indices[i];
    out[i * stride + at] = static_cast<T>(frame.signs[i]);
  }
}

template <class Kernels>
template <class Kernel>
void OpDriver<Kernels>::for_each_piece(BufferId id, const RowFrame& frame, const Kernel& kernel) const {
  const std::optional<Window>& window = buffer(id).window;
  if (!window) return kernel(0, 0, 0, columns(id), frame.rows);
  for (std::int64_t i = 0, count = 0; i < frame.rows; i += count) {
    count = rows_of_pixel(*window, frame, {i, frame.rows - i});
    for_each_run(*window, frame.indices[i], [&](std::int64_t offset, std::int64_t image, std::int64_t length) {
      kernel(i, offset, image, length, count);
    });
  }
}

// How many rows from the range's first on start at its pixel, so that their windows have the same place.
template <class Kernels>
std::int64_t OpDriver<Kernels>::rows_of_pixel(const Window& window, const RowFrame& frame, const RowRange& range) {
  const auto pixel = [&](std::int64_t k) { return frame.indices[range.first + k] / window.start_channels; };
  std::int64_t count = 1;
  while (count < std::min(range.count, kMostRowsOfPixel) && pixel(count) == pixel(0)) ++count;
  return count;
}

// The same over the rows [first, first + count), where kernel(piece, constants, errors) adds to its rows' sums. A row
// of many pieces gets their sum in one addition, so that its constant rounds once.
template <class Kernels>
template <class Kernel>
void OpDriver<Kernels>::sum_over_pieces(BufferId id, const RowFrame& frame, const RowRange& range,
                                        const Kernel& kernel) const {
  const std::optional<Window>& window = buffer(id).window;
  if (!window) {
    return kernel(Piece{range.first, 0, 0, columns(id), range.count}, frame.constants + range.first,
                  frame.errors + range.first);
  }
  const std::int64_t end = range.first + range.count;
  for (std::int64_t i = range.first, count = 0; i < end; i += count) {
    count = rows_of_pixel(*window, frame, {i, end - i});
    double constants[kMostRowsOfPixel] = {}, errors[kMostRowsOfPixel] = {};
    for_each_run(*window, frame.indices[i], [&](std::int64_t offset, std::int64_t image, std::int64_t length) {
      kernel(Piece{i, offset, image, length, count}, constants, errors);
    });
    for (std::int64_t k = 0; k < count; ++k) {
      frame.constants[i + k] += constants[k];
      frame.errors[i + k] += errors[k];
    }
  }
}

// Multiplications of the transposed map with what is not zero in the rows; at the borders of images a little too many.
template <class Kernels>
double OpDriver<Kernels>::useful_products(const LinearMap& map, BufferId id, const RowFrame& frame) const {
  if (map.index() != nullptr) return 0;  // moves
  std::int64_t entries = 0;
  for_each_piece(id, frame,
                 [&](std::int64_t i, std::int64_t offset, std::int64_t, std::int64_t length, std::int64_t count) {
                   for (std::int64_t row = i; row < i + count; ++row) {
                     const T* lambda = rows(id, frame) + row * ld(id) + offset;
                     entries += length - std::count(lambda, lambda + length, T(0));
                   }
                 });
  return static_cast<double>(entries) * static_cast<double>(map.terms());
}

template <class Kernels>
void OpDriver<Kernels>::transpose(const TaskOp& op, const RowFrame& frame) const {
  const BufferId from = op.inputs[0];
  const BufferId to = op.outputs[0];
  const std::optional<Window>& window = buffer(from).window;
  const LinearMap& map = *op.affine->maps[op.term];
  const double useful = frame.batch->trace != nullptr ? useful_products(map, from, frame) : 0;
  const TraceSpan span(frame.batch->trace, SpanKind::Product, "transpose", nullptr, useful);
  if (!window) {
    return kernels_.transpose(op, rows(from, frame), ld(from), frame.rows, rows(to, frame), ld(to));
  }
  if (map.conv() != nullptr) {
    kernels_.transpose_windows(op, rows(from, frame), ld(from), frame.rows, *window, rows(to, frame), ld(to),
                               *buffer(to).window, frame.indices);
    for (std::int64_t i = 0; i < frame.rows; ++i) {
      clear_outside(*buffer(to).window, frame.indices[i], rows(to, frame) + i * ld(to));
    }
    return;
  }
  // One factor per coordinate.
  const T sign = map.index() != nullptr ? static_cast<T>(map.index()->factor) : T(1);
  std::fill_n(rows(to, frame), ld(to) * frame.rows, T(0));
  for_each_piece(from, frame,
                 [&](std::int64_t i, std::int64_t offset, std::int64_t image, std::int64_t length, std::int64_t count) {
                   for (std::int64_t row = i; row < i + count; ++row) {
                     const T* in = rows(from, frame) + row * ld(from) + offset;
                     T* out = rows(to, frame) + row * ld(to) + offset;
                     for (std::int64_t j = 0; j < length; ++j) {
                       const auto k = static_cast<std::size_t>(image + j);
                       out[j] = (map.scale() != nullptr ? static_cast<T>(map.scale()->factors[k]) : sign) * in[j];
                     }
                   }
                 });
}

template <class Kernels>
void OpDriver<Kernels>::gather_rows(const TaskOp& op, const RowFrame& frame) const {
  const std::int64_t stride = ld(op.outputs[0]);
  const std::int64_t out_columns = columns(op.inputs[0]);
  const float* weight = weights(op.inputs[0], *frame.batch);
  T* out = rows(op.outputs[0], frame);
  for (std::int64_t i = 0; i < frame.rows; ++i) {
    const std::int64_t neuron = frame.indices[i];
    const double sign = frame.signs[i];
    kernels_.gather(op, gathered_row(*op.affine->maps[0], neuron), static_cast<T>(sign), out + i * stride);
    if (const std::optional<Window>& window = buffer(op.outputs[0]).window) {
      clear_outside(*window, neuron, out + i * stride);
    }
    if (!op.affine->bias.empty()) frame.constants[i] += sign * op.affine->bias[static_cast<std::size_t>(neuron)];
    const float* own = weight + frame.owners[i] * weight_stride(op.inputs[0], *frame.batch);
    frame.errors[i] += static_cast<double>(own[neuron]) + static_cast<double>(own[out_columns]);
  }
}

template <class Kernels>
void OpDriver<Kernels>::spec_rows(const TaskOp& op, const RowFrame& frame, bool input_terms) const {
  const LinearSpec& spec = *frame.spec;
  const std::int64_t n = columns(op.outputs[0]);
  const std::int64_t stride = ld(op.outputs[0]);
  const std::vector<double>& coefficients = input_terms ? spec.input_coefficients : spec.output_coefficients;
  const std::vector<double>& lost = input_terms ? spec.input_coefficient_errors : spec.output_coefficient_errors;
  const bool nominal = frame.batch->semantics == Semantics::Nominal;
  T* out = rows(op.outputs[0], frame);
  // The program has input terms if any region of the property does; those of this one may all be zero.
  if (input_terms && coefficients.empty()) {
    std::fill_n(out, stride * frame.rows, T(0));
    return;
  }
  for (std::int64_t i = 0; i < frame.rows; ++i) {
    const std::int64_t row = frame.indices[i];
    const auto [l, u] = bounds_of(op.inputs[0], *frame.batch, frame.owners[i]);
    double error = 0;
    // A specification without rows over the inputs, in a program that has room for them.
    if (coefficients.empty()) std::fill_n(out + i * stride, n, T(0));
    for (std::int64_t j = 0; j < n && !coefficients.empty(); ++j) {
      const auto k = static_cast<std::size_t>(row * n + coordinate(op.outputs[0], j));
      const T rounded = static_cast<T>(coefficients[k]);
      out[i * stride + j] = rounded;
      const double distance = std::fabs(coefficients[k] - static_cast<double>(rounded)) + lost[k];
      // A coefficient that is exact costs nothing, even where the output is unbounded.
      if (distance != 0) error += distance * std::max(std::fabs(l[j]), std::fabs(u[j]));
    }
    if (!input_terms) {
      frame.constants[i] += spec.constants[static_cast<std::size_t>(row)];
      error += spec.constant_errors[static_cast<std::size_t>(row)];
    }
    if (!nominal) frame.errors[i] += error * (1 + 0x1p-40);
  }
}

template <class Kernels>
void OpDriver<Kernels>::add_bias_and_error(const AffineData& affine, BufferId id, BufferId weight_id,
                                           const RowFrame& frame, const RowRange& range) const {
  const std::int64_t n = columns(weight_id);
  const std::int64_t stride = weight_stride(weight_id, *frame.batch);
  const float* weight = weights(weight_id, *frame.batch);
  const double* bias = affine.bias.empty() ? nullptr : affine.bias.data();
  const bool nominal = frame.batch->semantics == Semantics::Nominal;
  sum_over_pieces(id, frame, range, [&](const Piece& piece, double* constants, double* errors) {
    kernels_.bias_and_error(rows(id, frame) + piece.row * ld(id) + piece.offset, ld(id), piece.count, piece.length,
                            bias == nullptr ? nullptr : bias + piece.image, nominal ? nullptr : weight + piece.image,
                            stride, frame.owners + piece.row, constants, errors);
  });
  if (nominal) return;
  for (std::int64_t i = range.first; i < range.first + range.count; ++i) {
    frame.errors[i] += static_cast<double>(weight[frame.owners[i] * stride + n]);
  }
  account_constants(frame, range);
}

template <class Kernels>
void OpDriver<Kernels>::bias_and_error(const TaskOp& op, const RowFrame& frame) const {
  const TraceSpan span(frame.batch->trace, SpanKind::RowKernel, "bias_and_error");
  add_bias_and_error(*op.affine, op.inputs[0], op.inputs[1], frame, {0, frame.rows});
}

template <class Kernels>
void OpDriver<Kernels>::relax_rows(const TaskOp& op, const RowFrame& frame, const RowRange& range) const {
  const LineStorage stored = line_storage(op.inputs[1], *frame.batch);
  const std::int64_t n = columns(op.inputs[1]);
  const BufferId id = op.inputs[0];
  const std::int64_t stride = ld(id);
  const T* in = rows(id, frame);
  T* out = rows(op.outputs[0], frame);
  if (buffer(id).window && out != in) std::fill_n(out + range.first * stride, range.count * stride, T(0));
  sum_over_pieces(id, frame, range, [&](const Piece& piece, double* constants, double* errors) {
    const RelaxationLines<T> lines{stored.lower_slope + piece.image,  stored.lower_intercept + piece.image,
                                   stored.upper_slope + piece.image,  stored.upper_intercept + piece.image,
                                   stored.error_weight + piece.image, stored.ld};
    const std::int64_t at = piece.row * stride + piece.offset;
    kernels_.apply_relaxation(in + at, out + at, stride, piece.count, piece.length, lines, frame.owners + piece.row,
                              constants, errors);
  });
  if (frame.batch->semantics == Semantics::Nominal) return;
  for (std::int64_t i = range.first; i < range.first + range.count; ++i) {
    frame.errors[i] += static_cast<double>(stored.error_weight[frame.owners[i] * stored.ld + n]);
  }
  account_constants(frame, range);
}

template <class Kernels>
void OpDriver<Kernels>::apply_relaxation(const TaskOp& op, const RowFrame& frame) const {
  const TraceSpan span(frame.batch->trace, SpanKind::RowKernel, "apply_relaxation");
  relax_rows(op, frame, {0, frame.rows});
}

// A few rows at a time, which the second step finds in the first-level cache.
template <class Kernels>
void OpDriver<Kernels>::apply_relaxation_and_bias(const TaskOp& op, const RowFrame& frame) const {
  constexpr std::int64_t kBytes = 16 << 10;
  const TraceSpan span(frame.batch->trace, SpanKind::RowKernel, "apply_relaxation_and_bias");
  const BufferId result = op.outputs[0];
  const std::int64_t row_bytes = ld(result) * static_cast<std::int64_t>(sizeof(T));
  const std::int64_t step = std::max<std::int64_t>(4, kBytes / row_bytes / 4 * 4);  // kernels take four at once
  for (std::int64_t first = 0; first < frame.rows; first += step) {
    const RowRange range{first, std::min(step, frame.rows - first)};
    relax_rows(op, frame, range);
    add_bias_and_error(*op.affine, result, op.inputs[2], frame, range);
  }
}

template <class Kernels>
void OpDriver<Kernels>::apply_planes(const TaskOp& op, const RowFrame& frame) const {
  const PlaneStorage planes = plane_storage(op.inputs[1], *frame.batch);
  const JointData& joint = *op.joint;
  const std::int64_t n = columns(op.inputs[0]);
  const T* lambda = rows(op.inputs[0], frame);
  for (const BufferId x : op.outputs) std::fill_n(rows(x, frame), ld(x) * frame.rows, T(0));
  for (std::int64_t i = 0; i < frame.rows; ++i) {
    const std::int64_t owner = frame.owners[i];
    double constant = 0;
    double error = static_cast<double>(planes.error_weight[owner * planes.ld + n]);
    for (std::int64_t j = 0; j < n; ++j) {
      const T v = lambda[i * ld(op.inputs[0]) + j];
      const bool below = v >= 0;
      const std::int64_t at = owner * planes.ld + j;
      constant +=
          static_cast<double>(v) * static_cast<double>(below ? planes.lower_intercept[at] : planes.upper_intercept[at]);
      error += std::fabs(static_cast<double>(v)) * static_cast<double>(planes.error_weight[at]);
      const T* slopes = (below ? planes.lower_slope : planes.upper_slope) + owner * planes.terms;
      for (std::int64_t t = joint.starts[static_cast<std::size_t>(j)];
           t < joint.starts[static_cast<std::size_t>(j) + 1]; ++t) {
        const Joint::Term& term = joint.terms[static_cast<std::size_t>(t)];
        if (term.operand < 0) continue;
        const BufferId x = op.outputs[static_cast<std::size_t>(term.operand)];
        rows(x, frame)[i * ld(x) + term.index] += v * slopes[t];
      }
    }
    frame.constants[i] += constant;
    if (frame.batch->semantics != Semantics::Nominal) frame.errors[i] += error;
  }
  if (frame.batch->semantics != Semantics::Nominal) account_constants(frame, {0, frame.rows});
}

template <class Kernels>
void OpDriver<Kernels>::window_to_image(const TaskOp& op, const RowFrame& frame) const {
  const TraceSpan span(frame.batch->trace, SpanKind::RowKernel, "window_to_image");
  const BufferId to = op.outputs[0];
  std::fill_n(rows(to, frame), ld(to) * frame.rows, T(0));
  for_each_piece(op.inputs[0], frame,
                 [&](std::int64_t i, std::int64_t offset, std::int64_t image, std::int64_t length, std::int64_t count) {
                   for (std::int64_t row = i; row < i + count; ++row) {
                     std::copy_n(rows(op.inputs[0], frame) + row * ld(op.inputs[0]) + offset, length,
                                 rows(to, frame) + row * ld(to) + image);
                   }
                 });
}

template <class Kernels>
void OpDriver<Kernels>::add_rows(const TaskOp& op, const RowFrame& frame, bool account) const {
  const BufferId to = op.outputs[0];
  const std::int64_t n = columns(to);
  T* out = rows(to, frame);
  const TraceSpan span(frame.batch->trace, SpanKind::RowKernel, "accumulate");
  const bool rounding = account && frame.batch->semantics != Semantics::Nominal;
  // Operands with smaller windows are brought to the result's first.
  thread_local std::array<std::vector<T>, 2> aligned;
  const auto operand = [&](std::size_t k, std::int64_t i) -> const T* {
    const BufferId id = op.inputs[k];
    const T* row = rows(id, frame) + i * ld(id);
    const std::optional<Window>& own = buffer(id).window;
    if (own == buffer(to).window) return row;
    aligned[k].assign(static_cast<std::size_t>(n), T(0));
    const Window& hull = *buffer(to).window;
    const std::int64_t dy = own->origin[0] - hull.origin[0];
    const std::int64_t dx = own->origin[1] - hull.origin[1];
    for (std::int64_t y = 0; y < own->size[0]; ++y) {
      std::copy_n(row + y * own->size[1] * own->channels, own->size[1] * own->channels,
                  aligned[k].data() + ((y + dy) * hull.size[1] + dx) * hull.channels);
    }
    return aligned[k].data();
  };
  if (!rounding) {
    for (std::int64_t i = 0; i < frame.rows; ++i) add_entries(operand(0, i), operand(1, i), n, out + i * ld(to));
    return;
  }
  // Magnitudes of the value's bounds, which the rows of a subproblem share.
  thread_local std::vector<T> magnitude;
  const std::int64_t value_columns = columns(op.inputs[2]);
  magnitude.resize(static_cast<std::size_t>(value_columns));
  std::int64_t owner = -1;
  const SplitFrame* split = frame.batch->split;
  if (split != nullptr) {  // each row is another subproblem's, whose bounds lie within what is given
    const GivenValue& given = split->given[static_cast<std::size_t>(buffer(to).value)];
    upper_magnitudes(given.lower.data(), given.upper.data(), value_columns, magnitude.data());
  }
  const double inflation = sum_inflation(n, kUnitRoundoff<T>);
  const double underflow = static_cast<double>(n) * kSmallestNormal<T>;
  for (std::int64_t i = 0; i < frame.rows; ++i) {
    if (split == nullptr && frame.owners[i] != owner) {
      owner = frame.owners[i];
      const std::int64_t box = owner * ld(op.inputs[2]);
      upper_magnitudes(lower(op.inputs[2], *frame.batch) + box, upper(op.inputs[2], *frame.batch) + box, value_columns,
                       magnitude.data());
    }
    const T* a = operand(0, i);
    const T* b = operand(1, i);
    T* sums = out + i * ld(to);
    double sum = 0;
    const auto add_run = [&](std::int64_t offset, std::int64_t image, std::int64_t length) {
      sum += static_cast<double>(
          add_entries_counted(a + offset, b + offset, magnitude.data() + image, length, sums + offset));
    };
    if (const std::optional<Window>& window = buffer(to).window) {
      // Pixels outside the image are zero in both operands, and so in a result that takes the place of one.
      if (sums != a && sums != b) std::fill_n(sums, n, T(0));
      for_each_run(*window, frame.indices[i], add_run);
    } else {
      add_run(0, 0, n);
    }
    frame.errors[i] += kUnitRoundoff<T> * (sum * inflation + underflow);
  }
}

// Lambda x + constant over the ball around c: Lambda c - radius ||Lambda||, in the dual norm.
template <class Kernels>
void OpDriver<Kernels>::concretize_ball(const TaskOp& op, const RowFrame& frame, std::int64_t i, double& minimum,
                                        double& magnitude) const {
  const BufferId id = op.inputs[0];
  const std::int64_t n = buffer(id).value_columns();
  const BatchFrame& batch = *frame.batch;
  const double* center = batch.centers + frame.owners[i] * n;
  const T* lambda = rows(id, frame) + i * ld(id);
  double squares = 0;
  double largest = 0;
  const auto add_run = [&](std::int64_t offset, std::int64_t image, std::int64_t length) {
    for (std::int64_t j = 0; j < length; ++j) {
      const double v = static_cast<double>(lambda[offset + j]);
      const double c = center[coordinate(op.inputs[1], image + j)];
      minimum += v * c;
      magnitude += std::fabs(v * c);
      squares += v * v;
      if (!(std::fabs(v) <= largest)) largest = std::fabs(v);  // NaN stays
    }
  };
  if (const std::optional<Window>& window = buffer(id).window) {
    for_each_run(*window, frame.indices[i], add_run);
  } else {
    add_run(0, 0, n);
  }
  const double norm = batch.norm == InputNorm::L2 ? std::sqrt(squares) : largest;
  const double spread = batch.radii[frame.owners[i]] * norm;
  minimum -= spread;
  magnitude += spread;
}

// The least value of Lambda x over the box of each row's owner, and the magnitude of its terms, in frame.scratch.
template <class Kernels>
void OpDriver<Kernels>::add_box_minima(const TaskOp& op, const RowFrame& frame) const {
  const BufferId id = op.inputs[0];
  double* minima = frame.scratch;
  double* magnitudes = frame.scratch + frame.rows;
  thread_local std::vector<BoundsRow> boxes;
  for_each_piece(id, frame,
                 [&](std::int64_t i, std::int64_t offset, std::int64_t image, std::int64_t length, std::int64_t count) {
                   boxes.clear();
                   for (std::int64_t k = i; k < i + count; ++k) {
                     const BoundsRow box = bounds_of(op.inputs[1], *frame.batch, frame.owners[k]);
                     boxes.push_back({box.lower + image, box.upper + image});
                   }
                   kernels_.concretize(rows(id, frame) + i * ld(id) + offset, ld(id), count, length, boxes.data(),
                                       minima + i, magnitudes + i);
                 });
}

// A row's bound over the boxes of all values where it is now; its accumulators stay as they are.
template <class Kernels>
void OpDriver<Kernels>::probe(const TaskOp& op, const RowFrame& frame) const {
  const TraceSpan span(frame.batch->trace, SpanKind::RowKernel, "probe");
  if (op.first) std::fill_n(frame.scratch, 2 * frame.rows, 0.0);
  add_box_minima(op, frame);
  if (!op.last) return;
  for (std::int64_t i = 0; i < frame.rows; ++i) {
    double& bound = frame.scratch[i];
    double& error = frame.scratch[frame.rows + i];
    bound += frame.constants[i];
    error = frame.batch->semantics == Semantics::Nominal
                ? 0
                : row_errors_.finish(frame.errors[i], error, frame.constants[i], bound);
  }
}

// Rows may have come from another value without a move, under its order: what counts is that of the bounds.
template <class Kernels>
void OpDriver<Kernels>::concretize(const TaskOp& op, const RowFrame& frame) const {
  const BufferId id = op.inputs[0];
  const std::int64_t n = buffer(id).value_columns();
  const T* lambda = rows(id, frame);
  const TraceSpan span(frame.batch->trace, SpanKind::RowKernel, "concretize");
  double* minima = frame.scratch;
  double* magnitudes = frame.scratch + frame.rows;
  std::fill_n(minima, 2 * frame.rows, 0.0);
  if (op.at_input && frame.batch->norm != InputNorm::Linf) {
    for (std::int64_t i = 0; i < frame.rows; ++i) {
      concretize_ball(op, frame, i, minima[i], magnitudes[i]);
    }
  } else {
    add_box_minima(op, frame);
  }
  const bool nominal_only = frame.batch->semantics == Semantics::Nominal;
  const std::int64_t inputs = program().inputs;
  for (std::int64_t i = 0; i < frame.rows; ++i) {
    const double before = frame.constants[i];
    const double error_before = frame.errors[i];
    frame.constants[i] += minima[i];
    if (nominal_only) {
      frame.errors[i] = 0;
    } else {
      frame.errors[i] = row_errors_.finish(op.last ? error_before : 0, magnitudes[i], before, frame.constants[i]);
      if (!op.last) frame.errors[i] += error_before;
    }
    if (frame.form == nullptr || !op.last) continue;
    // A row that ends before the input is a constant there.
    double constant = frame.constants[i];
    double error = frame.errors[i];
    if (op.at_input) {
      constant = before;
      if (!nominal_only) error = row_errors_.finish(error_before, 0, before, 0);
      for (std::int64_t j = 0; j < n; ++j) {
        frame.form[i * inputs + coordinate(op.inputs[1], j)] = static_cast<double>(lambda[i * ld(id) + j]);
      }
    } else {
      std::fill_n(frame.form + i * inputs, inputs, 0.0);
    }
    frame.form_constants[i] = nominal_only ? constant : sub_down(constant, error);
  }
}

}  // namespace boundflow
