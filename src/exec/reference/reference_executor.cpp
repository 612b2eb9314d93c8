#include "exec/reference/reference_executor.hpp"

#include <map>

#include "exec/gathered_rows.hpp"
#include "exec/op_driver.hpp"

namespace boundflow {

namespace {

class PlainKernels {
 public:
  using Element = double;
  using Rows = std::shared_ptr<const std::vector<double>>;
  using Packed = std::map<const LinearMap*, Rows>;
  PlainKernels(const BoundProgram& program, Packed& packed, const Deadline& /*deadline*/) {
    for (const Task& task : program.tasks) {
      for (const TaskOp& op : task.ops) {
        gathered_.emplace_back();
        if (op.kind != TaskOpKind::GatherRows) continue;
        Rows& rows = packed[op.affine->maps[0].get()];
        if (!rows) rows = std::make_shared<const std::vector<double>>(gathered_rows(*op.affine->maps[0]));
        gathered_.back() = rows;
      }
    }
  }

  void count(HeldBytes& held) const {
    held.add(gathered_);
    for (const Rows& rows : gathered_) held.add_shared(rows);
  }

  void transpose(const TaskOp& op, const double* rows, std::int64_t ld, std::int64_t n, double* out,
                 std::int64_t ld_out) const {
    const LinearMap& map = *op.affine->maps[op.term];
    for (std::int64_t i = 0; i < n; ++i) {
      const std::span<double> x(out + i * ld_out, static_cast<std::size_t>(map.in_size()));
      std::fill(x.begin(), x.end(), 0.0);
      map.apply_transpose({rows + i * ld, static_cast<std::size_t>(map.out_size())}, x);
    }
  }

  void forward(const TaskOp& op, std::size_t term, const double* x, std::int64_t ld, std::int64_t n, double* y,
               std::int64_t ld_y, bool accumulate) const {
    apply(*op.affine->maps[term], x, ld, n, y, ld_y, false, accumulate);
  }

  void interval(const TaskOp& op, std::size_t term, const double* x, std::int64_t spans, std::int64_t n, double* y,
                std::int64_t ld_y, bool accumulate) const {
    const LinearMap& map = *op.affine->maps[term];
    const std::int64_t ld = map.in_size();
    apply(map, x, ld, n, y, ld_y, false, accumulate);
    apply(map, x + n * ld, ld, spans * n, y + n * ld_y, ld_y, true, accumulate);
  }

  // By way of the whole image, so that windows have a meaning that does not depend on their geometry.
  void transpose_windows(const TaskOp& op, const double* rows, std::int64_t ld, std::int64_t n, const Window& from,
                         double* out, std::int64_t ld_out, const Window& to, const std::int32_t* starts) const {
    const LinearMap& map = *op.affine->maps[op.term];
    std::vector<double> image(static_cast<std::size_t>(map.out_size()));
    std::vector<double> result(static_cast<std::size_t>(map.in_size()));
    for (std::int64_t i = 0; i < n; ++i) {
      std::fill(image.begin(), image.end(), 0.0);
      std::fill(result.begin(), result.end(), 0.0);
      for_each_run(from, starts[i], [&](std::int64_t offset, std::int64_t at, std::int64_t length) {
        std::copy_n(rows + i * ld + offset, length, image.data() + at);
      });
      map.apply_transpose(image, result);
      for_each_run(to, starts[i], [&](std::int64_t offset, std::int64_t at, std::int64_t length) {
        std::copy_n(result.data() + at, length, out + i * ld_out + offset);
      });
    }
  }

  void forward_windows(const TaskOp& op, std::size_t term, const double* x, std::int64_t ld, std::int64_t n,
                       const Window& from, double* y, std::int64_t ld_y, const Window& to,
                       const std::int32_t* starts) const {
    const LinearMap& map = *op.affine->maps[term];
    std::vector<double> image(static_cast<std::size_t>(map.in_size()));
    std::vector<double> result(static_cast<std::size_t>(map.out_size()));
    for (std::int64_t i = 0; i < n; ++i) {
      std::fill(image.begin(), image.end(), 0.0);
      std::fill(result.begin(), result.end(), 0.0);
      for_each_run(from, starts[i], [&](std::int64_t offset, std::int64_t at, std::int64_t length) {
        std::copy_n(x + i * ld + offset, length, image.data() + at);
      });
      map.apply(image, result, false);
      for_each_run(to, starts[i], [&](std::int64_t offset, std::int64_t at, std::int64_t length) {
        for (std::int64_t j = 0; j < length; ++j) y[i * ld_y + offset + j] += result[static_cast<std::size_t>(at + j)];
      });
    }
  }

  void gather(const TaskOp& op, std::int64_t row, double sign, double* out) const {
    const std::vector<double>& rows = *gathered_[static_cast<std::size_t>(op.number)];
    const auto count = static_cast<std::int64_t>(rows.size()) / gathered_row_count(*op.affine->maps[0]);
    for (std::int64_t j = 0; j < count; ++j) out[j] = sign * rows[static_cast<std::size_t>(row * count + j)];
  }

  void bias_and_error(const double* lambda, std::int64_t ld, std::int64_t m, std::int64_t n, const double* bias,
                      const float* weight, std::int64_t weight_ld, const std::int32_t* weight_row, double* constant,
                      double* error) const {
    for (std::int64_t i = 0; i < m; ++i) {
      double dot = 0;
      double cost = 0;
      for (std::int64_t j = 0; j < n; ++j) {
        const double v = lambda[i * ld + j];
        if (bias != nullptr) dot += v * bias[j];
        if (weight != nullptr) cost += std::fabs(v) * static_cast<double>(weight[weight_row[i] * weight_ld + j]);
      }
      constant[i] += dot;
      error[i] += cost;
    }
  }

  void apply_relaxation(const double* lambda, double* out, std::int64_t ld, std::int64_t m, std::int64_t n,
                        const RelaxationLines<double>& lines, const std::int32_t* owner, double* constant,
                        double* error) const {
    for (std::int64_t i = 0; i < m; ++i) {
      const std::int64_t base = owner[i] * lines.ld;
      double dot = 0;
      double cost = 0;
      for (std::int64_t j = 0; j < n; ++j) {
        const double v = lambda[i * ld + j];
        const bool lower = v >= 0;
        dot += v * (lower ? lines.lower_intercept[base + j] : lines.upper_intercept[base + j]);
        cost += std::fabs(v) * static_cast<double>(lines.error_weight[base + j]);
        out[i * ld + j] = v * (lower ? lines.lower_slope[base + j] : lines.upper_slope[base + j]);
      }
      constant[i] += dot;
      error[i] += cost;
    }
  }

  void concretize(const double* lambda, std::int64_t ld, std::int64_t m, std::int64_t n, const BoundsRow* boxes,
                  double* minimum, double* magnitude) const {
    for (std::int64_t i = 0; i < m; ++i) {
      const auto [l, u] = boxes[i];
      for (std::int64_t j = 0; j < n; ++j) {
        const double v = lambda[i * ld + j];
        minimum[i] += v >= 0 ? v * l[j] : v * u[j];
        magnitude[i] += std::fabs(v) * std::max(std::fabs(l[j]), std::fabs(u[j]));
      }
    }
  }

  void minimizer(const double* lambda, const double* lower, const double* upper, std::int64_t n, double* point) const {
    for (std::int64_t j = 0; j < n; ++j) point[j] = lambda[j] >= 0 ? lower[j] : upper[j];
  }

  void line_value(const double* lambda, const double* x, std::int64_t n, const RelaxationLines<double>& lines,
                  double* y) const {
    for (std::int64_t j = 0; j < n; ++j) {
      const bool below = lambda[j] >= 0;
      y[j] = (below ? lines.lower_slope[j] : lines.upper_slope[j]) * x[j] +
             (below ? lines.lower_intercept[j] : lines.upper_intercept[j]);
    }
  }

 private:
  static void apply(const LinearMap& map, const double* x, std::int64_t ld, std::int64_t n, double* y,
                    std::int64_t ld_y, bool absolute, bool accumulate) {
    for (std::int64_t i = 0; i < n; ++i) {
      const std::span<double> out(y + i * ld_y, static_cast<std::size_t>(map.out_size()));
      if (!accumulate) std::fill(out.begin(), out.end(), 0.0);
      map.apply({x + i * ld, static_cast<std::size_t>(map.in_size())}, out, absolute);
    }
  }

  std::vector<Rows> gathered_;  // by op number, of GatherRows
};

class ReferenceExecutor final : public Executor {
 public:
  std::string_view name() const override { return "reference"; }
  std::int64_t element_bytes() const override { return sizeof(double); }
  std::vector<std::shared_ptr<const CompiledProgram>> compile(std::span<const PlannedProgram> programs,
                                                              const Deadline& deadline) const override {
    return compile_together<PlainKernels>(programs, deadline);
  }
};

}  // namespace

std::unique_ptr<Executor> make_reference_executor() {
  return std::make_unique<ReferenceExecutor>();
}

}  // namespace boundflow
