#pragma once
// The native executor's kernels as OpDriver wants them. Executors with kernels of their own for some maps take these
// for all the rest.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "exec/gathered_rows.hpp"
#include "exec/native/kernels.hpp"
#include "exec/native/map_kernel.hpp"
#include "program/held_bytes.hpp"

namespace boundflow {

// visit(map, direction) for each map that the op applies, in the order of the op's operands.
template <class Visit>
void for_each_map(const TaskOp& op, const Visit& visit) {
  using native::Direction;
  if (op.kind == TaskOpKind::Transpose) visit(*op.affine->maps[op.term], Direction::Transpose);
  if (op.kind != TaskOpKind::IntervalAffine && op.kind != TaskOpKind::AffineForward) return;
  const bool interval = op.kind == TaskOpKind::IntervalAffine;
  for (const auto& map : op.affine->maps) visit(*map, interval ? Direction::Interval : Direction::Forward);
}

template <class T>
class NativeKernels {
 public:
  using Element = T;

  // Ops of many tasks, and of several programs, walk through the same node: its packed weights are shared.
  struct Packed {
    // What another executor has in the place of native kernels; nullptr for an interval step that it puts together from
    // the two directions.
    std::function<std::unique_ptr<const native::MapKernel<T>>(const std::string& node, const LinearMap& map,
                                                              native::Direction direction)>
        instead = nullptr;
    std::map<std::pair<const LinearMap*, native::Direction>, std::shared_ptr<const native::MapKernel<T>>> kernels;
    std::map<const LinearMap*, std::shared_ptr<const std::vector<T>>> gathered;
  };

  NativeKernels(const BoundProgram& program, Packed& packed, const Deadline& deadline) {
    for (const Task& task : program.tasks) {
      for (const TaskOp& op : task.ops) {
        deadline.check();
        Prepared prepared;
        for_each_map(op, [&](const LinearMap& map, Direction direction) {
          prepared.maps.push_back(make(packed, op.affine->name, map, direction));
        });
        if (op.kind == TaskOpKind::GatherRows) {
          auto& shared = packed.gathered[op.affine->maps[0].get()];
          if (!shared) {
            const std::vector<double> rows = gathered_rows(*op.affine->maps[0]);
            shared = std::make_shared<const std::vector<T>>(rows.begin(), rows.end());
          }
          prepared.rows = shared;
          prepared.row_size = program.buffers[static_cast<std::size_t>(op.outputs[0])].columns;
        }
        prepared_.push_back(std::move(prepared));
      }
    }
  }

  void count(HeldBytes& held) const {
    held.add(prepared_);
    for (const Prepared& prepared : prepared_) {
      for (const auto& kernel : prepared.maps) kernel->count(held);
      held.add_shared(prepared.rows);
    }
  }

  void transpose(const TaskOp& op, const T* rows, std::int64_t ld, std::int64_t n, T* out, std::int64_t ld_out) const {
    prepared_[static_cast<std::size_t>(op.number)].maps[0]->apply(rows, ld, n, out, ld_out, false);
  }

  void transpose_windows(const TaskOp& op, const T* rows, std::int64_t ld, std::int64_t n, const Window& from, T* out,
                         std::int64_t ld_out, const Window& to, const std::int32_t* /*starts*/) const {
    prepared_[static_cast<std::size_t>(op.number)].maps[0]->apply_windows(rows, ld, n, from, out, ld_out, to, false);
  }

  void forward_windows(const TaskOp& op, std::size_t term, const T* x, std::int64_t ld, std::int64_t n,
                       const Window& from, T* y, std::int64_t ld_y, const Window& to,
                       const std::int32_t* /*starts*/) const {
    prepared_[static_cast<std::size_t>(op.number)].maps[term]->apply_windows(x, ld, n, from, y, ld_y, to, true);
  }

  void forward(const TaskOp& op, std::size_t term, const T* x, std::int64_t ld, std::int64_t n, T* y, std::int64_t ld_y,
               bool accumulate) const {
    prepared_[static_cast<std::size_t>(op.number)].maps[term]->apply(x, ld, n, y, ld_y, accumulate);
  }

  void interval(const TaskOp& op, std::size_t term, const T* x, std::int64_t spans, std::int64_t n, T* y,
                std::int64_t ld_y, bool accumulate) const {
    prepared_[static_cast<std::size_t>(op.number)].maps[term]->apply_interval(x, spans, n, y, ld_y, accumulate);
  }

  void gather(const TaskOp& op, std::int64_t row, T sign, T* out) const {
    const Prepared& prepared = prepared_[static_cast<std::size_t>(op.number)];
    const T* from = prepared.rows->data() + row * prepared.row_size;
    for (std::int64_t j = 0; j < prepared.row_size; ++j) out[j] = sign * from[j];
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
  void concretize(const T* lambda, std::int64_t ld, std::int64_t m, std::int64_t n, const BoundsRow* boxes,
                  double* minimum, double* magnitude) const {
    native::concretize(lambda, ld, m, n, boxes, minimum, magnitude);
  }

  void minimizer(const T* lambda, const double* lower, const double* upper, std::int64_t n, T* point) const {
    native::minimizer(lambda, lower, upper, n, point);
  }
  void line_value(const T* lambda, const T* x, std::int64_t n, const RelaxationLines<T>& lines, T* y) const {
    native::line_value(lambda, x, n, lines, y);
  }

 private:
  using Direction = native::Direction;
  using Map = std::shared_ptr<const native::MapKernel<T>>;

  static Map make(Packed& packed, const std::string& node, const LinearMap& map, Direction direction) {
    Map& entry = packed.kernels[{&map, direction}];
    if (!entry && packed.instead) entry = packed.instead(node, map, direction);
    // The values of the network's points take the same packed weights as the centres.
    if (!entry && direction == Direction::Interval) {
      entry = native::make_interval_kernel<T>(make(packed, node, map, Direction::Forward),
                                              make(packed, node, map, Direction::ForwardAbsolute), map);
    }
    if (!entry) entry = native::make_map_kernel<T>(map, direction);
    return entry;
  }

  struct Prepared {
    std::vector<Map> maps;                       // in the order of the op's operands
    std::shared_ptr<const std::vector<T>> rows;  // GatherRows
    std::int64_t row_size = 0;
  };

  std::vector<Prepared> prepared_;  // by op number
};

}  // namespace boundflow
