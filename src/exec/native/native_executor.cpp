#include "exec/native/native_executor.hpp"

#include <map>

#include "exec/native/kernels.hpp"
#include "exec/op_driver.hpp"

namespace boundflow {

namespace {

template <class T>
class NativeKernels {
 public:
  using Element = T;

  explicit NativeKernels(const BoundProgram& program) {
    // Ops of many tasks walk through the same node: its packed weights are shared.
    std::map<std::pair<const LinearMap*, Form>, std::shared_ptr<const native::PackedMatrix<T>>> packed;
    const auto pack = [&](const LinearMap& map, Form form) -> std::shared_ptr<const native::PackedMatrix<T>> {
      const DenseMap* dense = map.dense();
      if (dense == nullptr) return nullptr;
      auto& entry = packed[{&map, form}];
      if (!entry) {
        const bool transpose = form == Form::Transpose;  // rows W: W itself is the right factor; x W^T: its transpose
        entry = std::make_shared<native::PackedMatrix<T>>(dense->weights, transpose ? dense->rows : dense->columns,
                                                          transpose ? dense->columns : dense->rows, !transpose,
                                                          form == Form::ForwardAbsolute);
      }
      return entry;
    };
    for (const Task& task : program.tasks) {
      for (const TaskOp& op : task.ops) {
        Prepared prepared;
        if (op.kind == TaskOpKind::Transpose) {
          prepared.maps.push_back(pack(*op.affine->maps[op.term], Form::Transpose));
        } else if (op.kind == TaskOpKind::IntervalAffine || op.kind == TaskOpKind::AffineForward) {
          for (const auto& map : op.affine->maps) prepared.maps.push_back(pack(*map, Form::Forward));
          if (op.kind == TaskOpKind::IntervalAffine) {
            for (const auto& map : op.affine->maps) prepared.absolute.push_back(pack(*map, Form::ForwardAbsolute));
          }
        }
        if (op.kind == TaskOpKind::GatherRows) {
          const std::vector<double>& weights = op.affine->maps[0]->dense()->weights;
          prepared.rows = std::make_shared<const std::vector<T>>(weights.begin(), weights.end());
        }
        prepared_.push_back(std::move(prepared));
      }
    }
  }

  void transpose(const TaskOp& op, const T* rows, std::int64_t ld, std::int64_t n, T* out, std::int64_t ld_out) const {
    const LinearMap& map = *op.affine->maps[op.term];
    if (const IndexMap* index = map.index()) return scatter(*index, rows, ld, n, out, ld_out);
    const native::PackedMatrix<T>& packed = *prepared_[static_cast<std::size_t>(op.number)].maps[0];
    product(*map.dense(), packed, map.dense()->rows, map.dense()->columns, rows, ld, n, out, ld_out, false);
  }

  void forward(const TaskOp& op, std::size_t term, const T* x, std::int64_t ld, std::int64_t n, T* y, std::int64_t ld_y,
               bool absolute, bool accumulate) const {
    const LinearMap& map = *op.affine->maps[term];
    if (const IndexMap* index = map.index()) return gather(*index, x, ld, n, y, ld_y, absolute, accumulate);
    const Prepared& prepared = prepared_[static_cast<std::size_t>(op.number)];
    const native::PackedMatrix<T>& packed = absolute ? *prepared.absolute[term] : *prepared.maps[term];
    product(*map.dense(), packed, map.dense()->columns, map.dense()->rows, x, ld, n, y, ld_y, accumulate);
  }

  void gather(const TaskOp& op, std::int64_t neuron, T sign, T* out) const {
    const std::vector<T>& rows = *prepared_[static_cast<std::size_t>(op.number)].rows;
    const std::int64_t n = op.affine->maps[0]->in_size();
    const T* row = rows.data() + neuron * n;
    for (std::int64_t j = 0; j < n; ++j) out[j] = sign * row[j];
  }

  void bias_and_error(const T* lambda, std::int64_t ld, std::int64_t m, std::int64_t n, const double* bias,
                      const float* weight, std::int64_t weight_ld, const std::int32_t* weight_row, double* constant,
                      double* error) const {
    native::bias_and_error(lambda, ld, m, n, bias, weight, weight_ld, weight_row, constant, error);
  }
  void apply_relaxation(const T* lambda, T* out, std::int64_t ld, std::int64_t m, std::int64_t n,
                        const RelaxationLines<T>& lines, const std::int32_t* owner, double* constant,
                        double* error) const {
    native::apply_relaxation(lambda, out, ld, m, n, lines, owner, constant, error);
  }
  void concretize(const T* lambda, std::int64_t ld, std::int64_t m, std::int64_t n, const double* lower,
                  const double* upper, std::int64_t box_ld, const std::int32_t* owner, double* minimum,
                  double* magnitude) const {
    native::concretize(lambda, ld, m, n, lower, upper, box_ld, owner, minimum, magnitude);
  }

 private:
  enum class Form { Transpose, Forward, ForwardAbsolute };
  struct Prepared {
    std::vector<std::shared_ptr<const native::PackedMatrix<T>>> maps;
    std::vector<std::shared_ptr<const native::PackedMatrix<T>>> absolute;
    std::shared_ptr<const std::vector<T>> rows;  // GatherRows: the weights, row-major
  };

  // out[i, a, :, c] = in[i, a, :, c] B on the middle axis of [outer, k, inner] -> [outer, n, inner].
  static void product(const DenseMap& map, const native::PackedMatrix<T>& packed, std::int64_t k, std::int64_t n,
                      const T* in, std::int64_t ld, std::int64_t count, T* out, std::int64_t ld_out, bool accumulate) {
    if (map.inner == 1) {
      if (map.outer == 1) return native::multiply(in, ld, count, packed, out, ld_out, accumulate);
      for (std::int64_t i = 0; i < count; ++i) {
        native::multiply(in + i * ld, k, map.outer, packed, out + i * ld_out, n, accumulate);
      }
      return;
    }
    // The axis is strided: one transposed copy in and out per entry.
    std::vector<T> a(static_cast<std::size_t>(map.inner * k));
    std::vector<T> c(static_cast<std::size_t>(map.inner * n));
    for (std::int64_t i = 0; i < count * map.outer; ++i) {
      const T* from = in + i / map.outer * ld + i % map.outer * k * map.inner;
      T* to = out + i / map.outer * ld_out + i % map.outer * n * map.inner;
      for (std::int64_t j = 0; j < k * map.inner; ++j) {
        a[static_cast<std::size_t>(j % map.inner * k + j / map.inner)] = from[j];
      }
      native::multiply(a.data(), k, map.inner, packed, c.data(), n, false);
      for (std::int64_t j = 0; j < n * map.inner; ++j) {
        const T value = c[static_cast<std::size_t>(j % map.inner * n + j / map.inner)];
        to[j] = accumulate ? to[j] + value : value;
      }
    }
  }

  static void scatter(const IndexMap& map, const T* rows, std::int64_t ld, std::int64_t n, T* out,
                      std::int64_t ld_out) {
    const T factor = static_cast<T>(map.factor);
    for (std::int64_t i = 0; i < n; ++i) {
      std::fill_n(out + i * ld_out, map.in, T(0));
      for (std::int64_t j = 0; j < map.out; ++j) {
        const std::int64_t source = map.source.empty() ? j : map.source[static_cast<std::size_t>(j)];
        if (source >= 0) out[i * ld_out + source] += factor * rows[i * ld + j];
      }
    }
  }

  static void gather(const IndexMap& map, const T* x, std::int64_t ld, std::int64_t n, T* y, std::int64_t ld_y,
                     bool absolute, bool accumulate) {
    const T factor = absolute ? T(1) : static_cast<T>(map.factor);
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = 0; j < map.out; ++j) {
        const std::int64_t source = map.source.empty() ? j : map.source[static_cast<std::size_t>(j)];
        const T value = source >= 0 ? factor * x[i * ld + source] : T(0);
        y[i * ld_y + j] = accumulate ? y[i * ld_y + j] + value : value;
      }
    }
  }

  std::vector<Prepared> prepared_;  // by op number
};

class NativeExecutor final : public Executor {
 public:
  explicit NativeExecutor(Precision precision) : precision_(precision) {}
  std::string_view name() const override { return "native"; }
  std::int64_t element_bytes() const override { return precision_ == Precision::Float32 ? 4 : 8; }
  std::unique_ptr<CompiledProgram> compile(std::shared_ptr<const BoundProgram> program,
                                           std::shared_ptr<const StoragePlan> plan) const override {
    if (precision_ == Precision::Float32) {
      return std::make_unique<OpDriver<NativeKernels<float>>>(std::move(program), std::move(plan));
    }
    return std::make_unique<OpDriver<NativeKernels<double>>>(std::move(program), std::move(plan));
  }

 private:
  Precision precision_;
};

}  // namespace

std::unique_ptr<Executor> make_native_executor(Precision precision) {
  return std::make_unique<NativeExecutor>(precision);
}

}  // namespace boundflow
