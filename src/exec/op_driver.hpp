#pragma once
// OpDriver: the meaning of every TaskOp, once, over a set of kernels. An executor is this driver with kernels of its
// own; so executors differ in kernels only and share one error analysis. Kernels provide
//
//   using Element = float | double;
//   struct Packed;                                                             what programs share, by address of maps
//   Kernels(const BoundProgram&, Packed&, const Deadline&);                    packs what the ops need and nobody has
//   count(HeldBytes&)                                                          what is packed
//   transpose(op, rows, ld, n, out, ld_out)                                    out = rows M
//   transpose_windows(op, rows, ld, n, from, out, ld_out, to, starts)          the same from window to window
//   forward(op, term, x, ld, n, y, ld_y, accumulate)                           y (+)= x M^T
//   forward_windows(op, term, x, ld, n, from, y, ld_y, to, starts)             y += x M^T, window to window
//   interval(op, term, x, spans, n, y, ld_y, accumulate)                       as MapKernel::apply_interval
//   gather(op, row, sign, out)                                                 out = sign * row of gathered_rows.hpp
//   bias_and_error, apply_relaxation, concretize, minimizer, line_value        as in native/kernels.hpp

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <optional>
#include <vector>

#include "exec/error_model.hpp"
#include "exec/executor.hpp"
#include "exec/gathered_rows.hpp"
#include "exec/interval_loops.hpp"
#include "exec/line_block.hpp"
#include "exec/relaxation_lines.hpp"
#include "exec/window_runs.hpp"

namespace boundflow {

template <class Kernels>
class OpDriver final : public CompiledProgram {
  using T = typename Kernels::Element;
  static constexpr bool kFloat32 = sizeof(T) == 4;

 public:
  OpDriver(const PlannedProgram& planned, typename Kernels::Packed& packed, const Deadline& deadline);
  void run(const TaskOp& op, const BatchFrame& frame) const override;
  void run(const TaskOp& op, const RowFrame& frame) const override;
  void count(HeldBytes& held) const override;

 private:
  // Per subproblem.
  void input_box(const TaskOp& op, const BatchFrame& frame) const;
  void interval_affine(const TaskOp& op, const BatchFrame& frame) const;
  void interval_products(const TaskOp& op, const BatchFrame& frame) const;
  void interval_products(const TaskOp& op, const BatchFrame& frame, std::int64_t first, std::int64_t count) const;
  void interval_moves(const TaskOp& op, const BatchFrame& frame) const;
  void store_row_scalar(const TaskOp& op, const BatchFrame& frame, std::int64_t b, double max_abs_x) const;
  void leave_out_ball(const TaskOp& op, const BatchFrame& frame, std::int64_t b, const T* centre, T* radius) const;
  double ball_radius(const TaskOp& op, const BatchFrame& frame, std::int64_t b, std::int64_t i) const;
  void copy_bounds(const TaskOp& op, const BatchFrame& frame) const;
  void interval_image(const TaskOp& op, const BatchFrame& frame) const;
  void interval_joint(const TaskOp& op, const BatchFrame& frame) const;
  void relax_joint(const TaskOp& op, const BatchFrame& frame) const;
  void relax(const TaskOp& op, const BatchFrame& frame) const;
  void deployed_relaxations(const TaskOp& op, const BatchFrame& frame, const double* l, const double* u,
                            std::int64_t count, const LineRows& lines) const;
  void given_bounds(const TaskOp& op, const BatchFrame& frame) const;
  void given_errors(const TaskOp& op, const BatchFrame& frame) const;
  void apply_slopes(const TaskOp& op, const BatchFrame& frame) const;
  const KnownChoices* known_choices(const TaskOp& op, std::int64_t place, double l, double u, const BatchFrame& frame,
                                    KnownChoices& own) const;
  // Per row.
  void one_hot(const TaskOp& op, const RowFrame& frame) const;
  void gather_rows(const TaskOp& op, const RowFrame& frame) const;
  void spec_rows(const TaskOp& op, const RowFrame& frame, bool input_terms) const;
  void bias_and_error(const TaskOp& op, const RowFrame& frame) const;
  void apply_relaxation_and_bias(const TaskOp& op, const RowFrame& frame) const;
  void transpose(const TaskOp& op, const RowFrame& frame) const;
  void apply_relaxation(const TaskOp& op, const RowFrame& frame) const;
  void apply_planes(const TaskOp& op, const RowFrame& frame) const;
  void window_to_image(const TaskOp& op, const RowFrame& frame) const;
  void add_rows(const TaskOp& op, const RowFrame& frame, bool account) const;
  void concretize(const TaskOp& op, const RowFrame& frame) const;
  void apply_splits(const TaskOp& op, const RowFrame& frame) const;
  void minimizer(const TaskOp& op, const RowFrame& frame) const;
  void cut_window(const TaskOp& op, const RowFrame& frame) const;
  void line_value(const TaskOp& op, const RowFrame& frame) const;
  void plane_value(const TaskOp& op, const RowFrame& frame) const;
  void keep_points(const TaskOp& op, const RowFrame& frame) const;
  void keep_rows(const TaskOp& op, const RowFrame& frame) const;
  template <class Look>
  void keep(const TaskOp& op, const RowFrame& frame, float* kept, const Look& look) const;
  void probe(const TaskOp& op, const RowFrame& frame) const;
  void add_box_minima(const TaskOp& op, const RowFrame& frame) const;
  // Per point.
  void load(const double* from, BufferId to, const RowFrame& frame) const;
  void store(BufferId from, double* to, const RowFrame& frame) const;
  void affine_forward(const TaskOp& op, const RowFrame& frame) const;
  void affine_windows(const TaskOp& op, const RowFrame& frame) const;
  void scalar_value(const TaskOp& op, const RowFrame& frame) const;
  void joint_value(const TaskOp& op, const RowFrame& frame) const;
  void joint_point(const TaskOp& op, const RowFrame& frame, std::int64_t i, std::int64_t j,
                   std::vector<double>& x) const;
  template <class Take>
  void for_each_point(BufferId id, const RowFrame& frame, const Take& take) const;
  void scale_by_derivative(const TaskOp& op, const RowFrame& frame) const;
  void joint_gradient(const TaskOp& op, const RowFrame& frame) const;
  // Of a frame.
  struct RowRange {
    std::int64_t first;
    std::int64_t count;
  };
  void relax_rows(const TaskOp& op, const RowFrame& frame, const RowRange& range) const;
  void add_bias_and_error(const AffineData& affine, BufferId id, BufferId weight_id, const RowFrame& frame,
                          const RowRange& range) const;
  double useful_products(const LinearMap& map, BufferId id, const RowFrame& frame) const;
  // The same for `count` products M x of the whole op.
  static double useful_products(const TaskOp& op, std::int64_t count) {
    double products = 0;
    for (const auto& map : op.affine->maps) {
      if (map->index() == nullptr) products += static_cast<double>(map->terms()) * static_cast<double>(map->out_size());
    }
    return products * static_cast<double>(count);
  }
  void concretize_ball(const TaskOp& op, const RowFrame& frame, std::int64_t i, double& minimum,
                       double& magnitude) const;

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
  void choose_lines(const TaskOp& op, const BatchFrame& frame, std::int64_t b, std::int64_t k, const LineStorage& out,
                    LineBlock<T>& block) const;
  void store_chosen(const BatchFrame& frame, const LineStorage& out, std::int64_t columns, LineBlock<T>& block) const;
  // `count` lines of `in` from entry `from` on, to entry `to` of `out`.
  static void copy_lines(const LineStorage& in, std::int64_t from, const LineStorage& out, std::int64_t to,
                         std::int64_t count) {
    std::copy_n(in.lower_slope + from, count, out.lower_slope + to);
    std::copy_n(in.lower_intercept + from, count, out.lower_intercept + to);
    std::copy_n(in.upper_slope + from, count, out.upper_slope + to);
    std::copy_n(in.upper_intercept + from, count, out.upper_intercept + to);
    std::copy_n(in.error_weight + from, count, out.error_weight + to);
  }
  // A Planes buffer: slopes of lower and upper planes [B, terms], intercepts [B, ld], then the error weights.
  struct PlaneStorage {
    T* lower_slope;
    T* upper_slope;
    T* lower_intercept;
    T* upper_intercept;
    float* error_weight;
    std::int64_t terms;
    std::int64_t ld;
  };
  PlaneStorage plane_storage(BufferId id, const BatchFrame& frame) const {
    const std::int64_t terms = buffer(id).terms;
    const std::int64_t slopes = (terms + 15) / 16 * 16 * frame.subproblems;
    const std::int64_t block = ld(id) * frame.subproblems;
    T* base = reinterpret_cast<T*>(at(id, frame));
    T* intercepts = base + 2 * slopes;
    return {base,  base + slopes, intercepts, intercepts + block, reinterpret_cast<float*>(intercepts + 2 * block),
            terms, ld(id)};
  }
  const Buffer& buffer(BufferId id) const { return program().buffers[static_cast<std::size_t>(id)]; }
  // The network's coordinate at position p of a buffer.
  std::int64_t coordinate(BufferId id, std::int64_t p) const {
    const Order& order = buffer(id).order;
    return order ? (*order)[static_cast<std::size_t>(p)] : p;
  }
  // Bounds of the terms of component j of a joint function in subproblem b.
  void joint_bounds(const TaskOp& op, const BatchFrame& frame, std::int64_t b, std::int64_t j, std::vector<double>& l,
                    std::vector<double>& u) const;
  // Bounds of x in subproblem b, wherever they lie.
  BoundsRow bounds_of(BufferId x, const BatchFrame& frame, std::int64_t b) const {
    const ValueId value = buffer(x).value;
    if (frame.split != nullptr && frame.split->is_whole(b, value)) return frame.split->known_of(b, value);
    return {lower(x, frame) + b * ld(x), upper(x, frame) + b * ld(x)};
  }
  // From one subproblem's error weights to the next one's: those that are given serve all of them.
  std::int64_t weight_stride(BufferId y, const BatchFrame& frame) const { return frame.split != nullptr ? 0 : ld(y); }
  // kernel(row, window offset, image offset, length, rows): once for all rows of images; for windows once per run of
  // those rows that start at the same pixel.
  template <class Kernel>
  void for_each_piece(BufferId id, const RowFrame& frame, const Kernel& kernel) const;
  // Of `count` rows from `row` on: what lies side by side in a window and in its image.
  struct Piece {
    std::int64_t row;
    std::int64_t offset;  // in the window
    std::int64_t image;   // the same in the image
    std::int64_t length;
    std::int64_t count;
  };
  static constexpr std::int64_t kMostRowsOfPixel = 32;
  static std::int64_t rows_of_pixel(const Window& window, const RowFrame& frame, const RowRange& range);
  template <class Kernel>
  void sum_over_pieces(BufferId id, const RowFrame& frame, const RowRange& range, const Kernel& kernel) const;
  // Each addition to a row's constant rounds once more, in double.
  static void account_constants(const RowFrame& frame, const RowRange& range) {
    for (std::int64_t i = range.first; i < range.first + range.count; ++i) {
      frame.errors[i] += 2 * kUnitRoundoff64 * std::fabs(frame.constants[i]);
    }
  }

  // Of an IntervalAffine.
  struct IntervalData {
    AffineErrorModel model;
    std::vector<double> bias;            // [n]
    std::vector<double> bias_magnitude;  // [n]
    // On the query's input set: each component's dual norms of L2 and L1 balls, rounded up.
    std::vector<double> l2_norms;
    std::vector<double> l1_norms;
  };

  Kernels kernels_;
  std::vector<IntervalData> intervals_;  // by op number
  RowErrorModel row_errors_;
};

// Programs whose kernels share what they pack. All maps live as long as `programs`, so that addresses tell them apart.
template <class Kernels>
std::vector<std::shared_ptr<const CompiledProgram>> compile_together(std::span<const PlannedProgram> programs,
                                                                     const Deadline& deadline,
                                                                     typename Kernels::Packed packed = {}) {
  std::vector<std::shared_ptr<const CompiledProgram>> compiled;
  for (const PlannedProgram& planned : programs) {
    compiled.push_back(std::make_shared<const OpDriver<Kernels>>(planned, packed, deadline));
  }
  return compiled;
}

}  // namespace boundflow

#include "exec/op_driver_batch.hpp"
#include "exec/op_driver_points.hpp"
#include "exec/op_driver_rows.hpp"
#include "exec/op_driver_splits.hpp"
