#pragma once
// OpDriver: the meaning of every TaskOp, once, over a set of kernels. An executor is this driver with kernels of its
// own; so executors differ in kernels only and share one error analysis. Kernels provide
//
//   using Element = float | double;
//   explicit Kernels(const BoundProgram&);                                     packs what the ops need
//   transpose(op, rows, ld, n, out, ld_out)                                    out = rows M
//   forward(op, term, x, ld, n, y, ld_y, absolute, accumulate)                 y (+)= x M^T, or |M|^T
//   gather(op, neuron, sign, out)                                              out = sign * row `neuron` of M
//   bias_and_error, apply_relaxation, concretize                               as in native/kernels.hpp

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "exec/error_model.hpp"
#include "exec/executor.hpp"
#include "exec/relaxation_lines.hpp"

namespace boundflow {

template <class Kernels>
class OpDriver final : public CompiledProgram {
  using T = typename Kernels::Element;
  static constexpr bool kFloat32 = sizeof(T) == 4;

 public:
  OpDriver(std::shared_ptr<const BoundProgram> program, std::shared_ptr<const StoragePlan> plan);
  void run(const TaskOp& op, const BatchFrame& frame) const override;
  void run(const TaskOp& op, const RowFrame& frame) const override;

 private:
  // Per subproblem.
  void input_box(const TaskOp& op, const BatchFrame& frame) const;
  void interval_affine(const TaskOp& op, const BatchFrame& frame) const;
  void interval_products(const TaskOp& op, const BatchFrame& frame) const;
  void interval_moves(const TaskOp& op, const BatchFrame& frame) const;
  void store_coordinate(const TaskOp& op, const BatchFrame& frame, std::int64_t b, std::int64_t i, AffineSums sums,
                        std::int64_t additions) const;
  void store_row_scalars(const TaskOp& op, const BatchFrame& frame, std::int64_t b) const;
  void interval_image(const TaskOp& op, const BatchFrame& frame) const;
  void relax(const TaskOp& op, const BatchFrame& frame) const;
  // Per row.
  void one_hot(const TaskOp& op, const RowFrame& frame) const;
  void gather_rows(const TaskOp& op, const RowFrame& frame) const;
  void spec_rows(const TaskOp& op, const RowFrame& frame, bool input_terms) const;
  void bias_and_error(const TaskOp& op, const RowFrame& frame) const;
  void apply_relaxation(const TaskOp& op, const RowFrame& frame) const;
  void add_rows(const TaskOp& op, const RowFrame& frame, bool account) const;
  void concretize(const TaskOp& op, const RowFrame& frame) const;
  // Per point.
  void load(const double* from, BufferId to, const RowFrame& frame) const;
  void store(BufferId from, double* to, const RowFrame& frame) const;
  void affine_forward(const TaskOp& op, const RowFrame& frame) const;
  void scalar_value(const TaskOp& op, const RowFrame& frame) const;
  void scale_by_derivative(const TaskOp& op, const RowFrame& frame) const;

  T* rows(BufferId id, const RowFrame& frame) const { return reinterpret_cast<T*>(at(id, frame)); }
  float* weights(BufferId id, const BatchFrame& frame) const { return reinterpret_cast<float*>(at(id, frame)); }
  // A Lines buffer: four arrays [B, ld] in kernel precision, then the error weights.
  struct LineStorage {
    T* lower_slope;
    T* lower_intercept;
    T* upper_slope;
    T* upper_intercept;
    float* error_weight;
    std::int64_t ld;
  };
  LineStorage line_storage(BufferId id, const BatchFrame& frame) const {
    const std::int64_t block = ld(id) * frame.subproblems;
    T* base = reinterpret_cast<T*>(at(id, frame));
    return {base, base + block, base + 2 * block, base + 3 * block, reinterpret_cast<float*>(base + 4 * block), ld(id)};
  }
  static std::int64_t live_coordinates(const double* lower, const double* upper, std::int64_t n);
  static double max_abs(const double* lower, const double* upper, std::int64_t n);
  // Each addition to a row's constant rounds once more, in double.
  static void account_constants(const RowFrame& frame) {
    for (std::int64_t i = 0; i < frame.rows; ++i) {
      frame.errors[i] += 2 * kUnitRoundoff64 * std::fabs(frame.constants[i]);
    }
  }

  Kernels kernels_;
  std::vector<AffineErrorModel> models_;  // by op number; of affine ops
  std::int64_t error_terms_ = 0;          // at least the additions that any row's error sum goes through
};

}  // namespace boundflow

#include "exec/op_driver_batch.hpp"
#include "exec/op_driver_rows.hpp"
