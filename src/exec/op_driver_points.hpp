#pragma once
// OpDriver's ops per point. Included by op_driver.hpp only.

namespace boundflow {

template <class Kernels>
void OpDriver<Kernels>::load(const double* from, BufferId to, const RowFrame& frame) const {
  const TraceSpan span(frame.batch->trace, SpanKind::RowKernel, "load");
  const std::int64_t n = columns(to);
  T* out = rows(to, frame);
  for (std::int64_t i = 0; i < frame.rows; ++i) {
    for (std::int64_t j = 0; j < n; ++j) out[i * ld(to) + j] = static_cast<T>(from[i * n + coordinate(to, j)]);
  }
}

template <class Kernels>
void OpDriver<Kernels>::store(BufferId from, double* to, const RowFrame& frame) const {
  const TraceSpan span(frame.batch->trace, SpanKind::RowKernel, "store");
  const std::int64_t n = columns(from);
  const T* in = rows(from, frame);
  for (std::int64_t i = 0; i < frame.rows; ++i) {
    for (std::int64_t j = 0; j < n; ++j) to[i * n + coordinate(from, j)] = static_cast<double>(in[i * ld(from) + j]);
  }
}

template <class Kernels>
void OpDriver<Kernels>::affine_forward(const TaskOp& op, const RowFrame& frame) const {
  const BufferId y = op.outputs[0];
  if (buffer(y).window) return affine_windows(op, frame);
  const std::int64_t n = columns(y);
  T* out = rows(y, frame);
  const std::vector<double>& bias = op.affine->bias;
  for (std::int64_t j = 0; j < n; ++j) out[j] = bias.empty() ? T(0) : static_cast<T>(bias[static_cast<std::size_t>(j)]);
  for (std::int64_t i = 1; i < frame.rows; ++i) std::copy_n(out, n, out + i * ld(y));
  const TraceSpan span(frame.batch->trace, SpanKind::Product, "affine_forward", nullptr,
                       useful_products(op, frame.rows));
  for (std::size_t t = 0; t < op.inputs.size(); ++t) {
    kernels_.forward(op, t, rows(op.inputs[t], frame), ld(op.inputs[t]), frame.rows, out, ld(y), true);
  }
}

// In the window of each row's result: a convolution's operand is the window that it reads for it, any other operand has
// the same window.
template <class Kernels>
void OpDriver<Kernels>::affine_windows(const TaskOp& op, const RowFrame& frame) const {
  const BufferId y = op.outputs[0];
  const Window& window = *buffer(y).window;
  T* out = rows(y, frame);
  std::fill_n(out, ld(y) * frame.rows, T(0));
  // add(row of the result, row of the operand, offset, image offset, length) for each row and run.
  const auto for_each_row = [&](BufferId x, const auto& add) {
    for (std::int64_t i = 0; i < frame.rows; ++i) {
      for_each_run(window, frame.indices[i], [&](std::int64_t offset, std::int64_t image, std::int64_t length) {
        add(out + i * ld(y) + offset, rows(x, frame) + i * ld(x) + offset, static_cast<std::size_t>(image),
            static_cast<std::size_t>(length));
      });
    }
  };
  const std::vector<double>& bias = op.affine->bias;
  if (!bias.empty()) {
    for_each_row(y, [&](T* to, const T*, std::size_t image, std::size_t length) {
      for (std::size_t j = 0; j < length; ++j) to[j] = static_cast<T>(bias[image + j]);
    });
  }
  for (std::size_t t = 0; t < op.inputs.size(); ++t) {
    const LinearMap& map = *op.affine->maps[t];
    const BufferId x = op.inputs[t];
    if (map.conv() != nullptr) {
      const TraceSpan span(frame.batch->trace, SpanKind::Product, "affine_forward", nullptr,
                           static_cast<double>(map.terms() * window.columns() * frame.rows));
      kernels_.forward_windows(op, t, rows(x, frame), ld(x), frame.rows, *buffer(x).window, out, ld(y), window,
                               frame.indices);
      continue;
    }
    const std::vector<double>* factors = map.scale() != nullptr ? &map.scale()->factors : nullptr;
    const T factor = factors == nullptr ? static_cast<T>(map.index()->factor) : T(1);
    for_each_row(x, [&](T* to, const T* from, std::size_t image, std::size_t length) {
      for (std::size_t j = 0; j < length; ++j) {
        to[j] += (factors == nullptr ? factor : static_cast<T>((*factors)[image + j])) * from[j];
      }
    });
  }
  for (std::int64_t i = 0; i < frame.rows; ++i) clear_outside(window, frame.indices[i], out + i * ld(y));
}

template <class Kernels>
void OpDriver<Kernels>::scalar_value(const TaskOp& op, const RowFrame& frame) const {
  const TraceSpan span(frame.batch->trace, SpanKind::RowKernel, "scalar_value");
  T* y = rows(op.outputs[0], frame);
  for_each_point(op.inputs[0], frame, [&](std::int64_t at, const double* x, std::int64_t count, double* values) {
    op.function->values(x, count, values);
    for (std::int64_t j = 0; j < count; ++j) y[at + j] = static_cast<T>(values[j]);
  });
}

// take(entry, points, count, room for as many numbers): some of each row's entries at a time.
template <class Kernels>
template <class Take>
void OpDriver<Kernels>::for_each_point(BufferId id, const RowFrame& frame, const Take& take) const {
  constexpr std::int64_t kBlock = 128;
  double x[kBlock], room[kBlock];
  const T* points = rows(id, frame);
  for (std::int64_t i = 0; i < frame.rows; ++i) {
    for (std::int64_t first = 0; first < columns(id); first += kBlock) {
      const std::int64_t count = std::min(kBlock, columns(id) - first), at = i * ld(id) + first;
      std::transform(points + at, points + at + count, x, [](T v) { return static_cast<double>(v); });
      take(at, x, count, room);
    }
  }
}

template <class Kernels>
void OpDriver<Kernels>::joint_value(const TaskOp& op, const RowFrame& frame) const {
  const BufferId y = op.outputs[0];
  const JointData& joint = *op.joint;
  thread_local std::vector<double> x;
  for (std::int64_t i = 0; i < frame.rows; ++i) {
    for (std::int64_t j = 0; j < columns(y); ++j) {
      joint_point(op, frame, i, j, x);
      rows(y, frame)[i * ld(y) + j] = static_cast<T>(joint.function->value(x));
    }
  }
}

// The operands of component j at point i.
template <class Kernels>
void OpDriver<Kernels>::joint_point(const TaskOp& op, const RowFrame& frame, std::int64_t i, std::int64_t j,
                                    std::vector<double>& x) const {
  x.clear();
  const JointData& joint = *op.joint;
  for (std::int64_t t = joint.starts[static_cast<std::size_t>(j)]; t < joint.starts[static_cast<std::size_t>(j) + 1];
       ++t) {
    const Joint::Term& term = joint.terms[static_cast<std::size_t>(t)];
    if (term.operand < 0) {
      x.push_back(term.constant);
    } else {
      const BufferId id = op.inputs[static_cast<std::size_t>(term.operand)];
      x.push_back(static_cast<double>(rows(id, frame)[i * ld(id) + term.index]));
    }
  }
}

template <class Kernels>
void OpDriver<Kernels>::joint_gradient(const TaskOp& op, const RowFrame& frame) const {
  const JointData& joint = *op.joint;
  const BufferId y = op.inputs.back();
  for (const BufferId x : op.outputs) std::fill_n(rows(x, frame), ld(x) * frame.rows, T(0));
  thread_local std::vector<double> x, gradient;
  for (std::int64_t i = 0; i < frame.rows; ++i) {
    for (std::int64_t j = 0; j < columns(y); ++j) {
      const T v = rows(y, frame)[i * ld(y) + j];
      if (v == 0) continue;
      joint_point(op, frame, i, j, x);
      gradient.assign(x.size(), 0.0);
      joint.function->gradient(x, gradient);
      const std::int64_t first = joint.starts[static_cast<std::size_t>(j)];
      for (std::size_t k = 0; k < x.size(); ++k) {
        const Joint::Term& term = joint.terms[static_cast<std::size_t>(first) + k];
        if (term.operand < 0) continue;
        const BufferId id = op.outputs[static_cast<std::size_t>(term.operand)];
        rows(id, frame)[i * ld(id) + term.index] += v * static_cast<T>(gradient[k]);
      }
    }
  }
}

template <class Kernels>
void OpDriver<Kernels>::scale_by_derivative(const TaskOp& op, const RowFrame& frame) const {
  const TraceSpan span(frame.batch->trace, SpanKind::RowKernel, "scale_by_derivative");
  const T* lambda = rows(op.inputs[0], frame);
  T* out = rows(op.outputs[0], frame);
  for_each_point(op.inputs[1], frame, [&](std::int64_t at, const double* x, std::int64_t count, double* slopes) {
    op.function->derivatives(x, count, slopes);
    for (std::int64_t j = 0; j < count; ++j) out[at + j] = lambda[at + j] * static_cast<T>(slopes[j]);
  });
}

}  // namespace boundflow
