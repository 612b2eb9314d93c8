#pragma once
// OpDriver's ops per row and per point. Included by op_driver.hpp only.

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
      return kernels_.transpose(op, rows(op.inputs[0], frame), ld(op.inputs[0]), frame.rows, rows(op.outputs[0], frame),
                                ld(op.outputs[0]));
    case TaskOpKind::ApplyRelaxation:
      return apply_relaxation(op, frame);
    case TaskOpKind::Accumulate:
      return add_rows(op, frame, true);
    case TaskOpKind::Concretize:
      return concretize(op, frame);
    case TaskOpKind::LoadPoints:
      return load(frame.points, op.outputs[0], frame);
    case TaskOpKind::AffineForward:
      return affine_forward(op, frame);
    case TaskOpKind::ScalarValue:
      return scalar_value(op, frame);
    case TaskOpKind::StorePoints:
      return store(op.inputs[0], frame.values, frame);
    case TaskOpKind::LoadCotangents:
      return load(frame.cotangents, op.outputs[0], frame);
    case TaskOpKind::ScaleByDerivative:
      return scale_by_derivative(op, frame);
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
  for (std::int64_t i = 0; i < frame.rows; ++i) out[i * stride + frame.indices[i]] = static_cast<T>(frame.signs[i]);
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
    kernels_.gather(op, neuron, static_cast<T>(sign), out + i * stride);
    if (!op.affine->bias.empty()) frame.constants[i] += sign * op.affine->bias[static_cast<std::size_t>(neuron)];
    const float* own = weight + frame.owners[i] * ld(op.inputs[0]);
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
    const std::int64_t box = frame.owners[i] * ld(op.inputs[0]);
    const double* l = lower(op.inputs[0], *frame.batch) + box;
    const double* u = upper(op.inputs[0], *frame.batch) + box;
    double error = 0;
    // A specification without rows over the inputs, in a program that has room for them.
    if (coefficients.empty()) std::fill_n(out + i * stride, n, T(0));
    for (std::int64_t j = 0; j < n && !coefficients.empty(); ++j) {
      const auto k = static_cast<std::size_t>(row * n + j);
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
void OpDriver<Kernels>::bias_and_error(const TaskOp& op, const RowFrame& frame) const {
  const std::int64_t n = columns(op.inputs[0]);
  const std::int64_t weight_stride = ld(op.inputs[1]);
  const float* weight = weights(op.inputs[1], *frame.batch);
  const double* bias = op.affine->bias.empty() ? nullptr : op.affine->bias.data();
  const bool nominal = frame.batch->semantics == Semantics::Nominal;
  kernels_.bias_and_error(rows(op.inputs[0], frame), ld(op.inputs[0]), frame.rows, n, bias, nominal ? nullptr : weight,
                          weight_stride, frame.owners, frame.constants, frame.errors);
  if (nominal) return;
  for (std::int64_t i = 0; i < frame.rows; ++i) {
    frame.errors[i] += static_cast<double>(weight[frame.owners[i] * weight_stride + n]);
  }
  account_constants(frame);
}

template <class Kernels>
void OpDriver<Kernels>::apply_relaxation(const TaskOp& op, const RowFrame& frame) const {
  const std::int64_t n = columns(op.inputs[0]);
  const LineStorage stored = line_storage(op.inputs[1], *frame.batch);
  const RelaxationLines<T> lines{stored.lower_slope,     stored.lower_intercept, stored.upper_slope,
                                 stored.upper_intercept, stored.error_weight,    stored.ld};
  kernels_.apply_relaxation(rows(op.inputs[0], frame), rows(op.outputs[0], frame), ld(op.inputs[0]), frame.rows, n,
                            lines, frame.owners, frame.constants, frame.errors);
  if (frame.batch->semantics == Semantics::Nominal) return;
  for (std::int64_t i = 0; i < frame.rows; ++i) {
    frame.errors[i] += static_cast<double>(stored.error_weight[frame.owners[i] * stored.ld + n]);
  }
  account_constants(frame);
}

template <class Kernels>
void OpDriver<Kernels>::add_rows(const TaskOp& op, const RowFrame& frame, bool account) const {
  const std::int64_t n = columns(op.outputs[0]);
  const std::int64_t stride = ld(op.outputs[0]);
  const T* a = rows(op.inputs[0], frame);
  const T* b = rows(op.inputs[1], frame);
  T* out = rows(op.outputs[0], frame);
  const bool rounding = account && frame.batch->semantics != Semantics::Nominal;
  for (std::int64_t i = 0; i < frame.rows; ++i) {
    const T* terms_a = a + i * stride;
    const T* terms_b = b + i * stride;
    const auto write_sum = [&] {  // over an operand, possibly
      for (std::int64_t j = 0; j < n; ++j) out[i * stride + j] = terms_a[j] + terms_b[j];
    };
    if (!rounding) {
      write_sum();
      continue;
    }
    const std::int64_t box = frame.owners[i] * ld(op.inputs[2]);
    const double* l = lower(op.inputs[2], *frame.batch) + box;
    const double* u = upper(op.inputs[2], *frame.batch) + box;
    double sum = 0;
    for (std::int64_t j = 0; j < n; ++j) {
      // A sum with an exact zero does not round.
      if (terms_a[j] == 0 || terms_b[j] == 0) continue;
      sum += std::fabs(static_cast<double>(terms_a[j] + terms_b[j])) * std::max(std::fabs(l[j]), std::fabs(u[j]));
    }
    frame.errors[i] += kUnitRoundoff<T> * sum * (1 + 0x1p-20);
    write_sum();
  }
}

template <class Kernels>
void OpDriver<Kernels>::concretize(const TaskOp& op, const RowFrame& frame) const {
  const std::int64_t n = columns(op.inputs[0]);
  const std::int64_t stride = ld(op.inputs[0]);
  const T* lambda = rows(op.inputs[0], frame);
  std::vector<double> minimum(static_cast<std::size_t>(frame.rows), 0.0);
  std::vector<double> magnitude(static_cast<std::size_t>(frame.rows), 0.0);
  kernels_.concretize(lambda, stride, frame.rows, n, lower(op.inputs[1], *frame.batch),
                      upper(op.inputs[1], *frame.batch), ld(op.inputs[1]), frame.owners, minimum.data(),
                      magnitude.data());
  const bool nominal_only = frame.batch->semantics == Semantics::Nominal;
  for (std::int64_t i = 0; i < frame.rows; ++i) {
    const auto k = static_cast<std::size_t>(i);
    const double nominal = frame.constants[i] + minimum[k];
    if (frame.form != nullptr) {
      std::copy_n(lambda + i * stride, n, frame.form + i * n);
      const double error =
          nominal_only ? 0.0 : finish_error(frame.errors[i], 0, frame.constants[i], 0, error_terms_, kUnitRoundoff<T>);
      frame.form_constants[i] = nominal_only ? frame.constants[i] : sub_down(frame.constants[i], error);
    }
    frame.errors[i] = nominal_only ? 0.0
                                   : finish_error(frame.errors[i], magnitude[k], frame.constants[i], nominal,
                                                  error_terms_, kUnitRoundoff<T>);
    frame.constants[i] = nominal;
  }
}

template <class Kernels>
void OpDriver<Kernels>::load(const double* from, BufferId to, const RowFrame& frame) const {
  const std::int64_t n = columns(to);
  T* out = rows(to, frame);
  for (std::int64_t i = 0; i < frame.rows; ++i) {
    for (std::int64_t j = 0; j < n; ++j) out[i * ld(to) + j] = static_cast<T>(from[i * n + j]);
  }
}

template <class Kernels>
void OpDriver<Kernels>::store(BufferId from, double* to, const RowFrame& frame) const {
  const std::int64_t n = columns(from);
  const T* in = rows(from, frame);
  for (std::int64_t i = 0; i < frame.rows; ++i) std::copy_n(in + i * ld(from), n, to + i * n);
}

template <class Kernels>
void OpDriver<Kernels>::affine_forward(const TaskOp& op, const RowFrame& frame) const {
  const BufferId y = op.outputs[0];
  const std::int64_t n = columns(y);
  T* out = rows(y, frame);
  for (std::int64_t i = 0; i < frame.rows; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      out[i * ld(y) + j] =
          op.affine->bias.empty() ? T(0) : static_cast<T>(op.affine->bias[static_cast<std::size_t>(j)]);
    }
  }
  for (std::size_t t = 0; t < op.inputs.size(); ++t) {
    kernels_.forward(op, t, rows(op.inputs[t], frame), ld(op.inputs[t]), frame.rows, out, ld(y), false, true);
  }
}

template <class Kernels>
void OpDriver<Kernels>::scalar_value(const TaskOp& op, const RowFrame& frame) const {
  const T* x = rows(op.inputs[0], frame);
  T* y = rows(op.outputs[0], frame);
  for (std::int64_t i = 0; i < frame.rows; ++i) {
    for (std::int64_t j = 0; j < columns(op.inputs[0]); ++j) {
      const std::int64_t k = i * ld(op.inputs[0]) + j;
      y[k] = static_cast<T>(op.function->value(static_cast<double>(x[k])));
    }
  }
}

template <class Kernels>
void OpDriver<Kernels>::scale_by_derivative(const TaskOp& op, const RowFrame& frame) const {
  const T* lambda = rows(op.inputs[0], frame);
  const T* x = rows(op.inputs[1], frame);
  T* out = rows(op.outputs[0], frame);
  for (std::int64_t i = 0; i < frame.rows; ++i) {
    for (std::int64_t j = 0; j < columns(op.inputs[0]); ++j) {
      const std::int64_t k = i * ld(op.inputs[0]) + j;
      out[k] = lambda[k] * static_cast<T>(op.function->derivative(static_cast<double>(x[k])));
    }
  }
}

}  // namespace boundflow
