#include "engine/row_block.hpp"

#include <algorithm>
#include <cmath>

#include "base/rounding.hpp"

namespace boundflow {

void RowList::clear() {
  owners.clear();
  neurons.clear();
  signs.clear();
}

void RowList::add_pair(std::int64_t owner, std::int64_t neuron) {
  for (const double sign : {1.0, -1.0}) {
    owners.push_back(static_cast<std::int32_t>(owner));
    neurons.push_back(static_cast<std::int32_t>(neuron));
    signs.push_back(sign);
  }
}

void RowBlock::lend(RowFrame& frame, std::int64_t row_bytes) {
  constexpr auto scratch = static_cast<std::int64_t>(2 * sizeof(double));
  frame.capacity = frame.rows;
  frame.arena = arena_.reserve(static_cast<std::size_t>((row_bytes + scratch) * frame.rows));
  frame.scratch = reinterpret_cast<double*>(frame.arena + row_bytes * frame.rows);
}

void RowBlock::load(const RowList& list, std::int64_t first, RowFrame& frame) {
  const std::int64_t last = first + frame.rows;
  rows_.owners.assign(list.owners.begin() + first, list.owners.begin() + last);
  rows_.neurons.assign(list.neurons.begin() + first, list.neurons.begin() + last);
  rows_.signs.assign(list.signs.begin() + first, list.signs.begin() + last);
  const auto rows = static_cast<std::size_t>(frame.rows);
  rows_.constants.assign(rows, 0.0);
  rows_.errors.assign(rows, 0.0);
  best_.assign(rows, {-kInfinity, 0});
  places_.resize(rows);
  for (std::size_t i = 0; i < rows; ++i) places_[i] = first + static_cast<std::int64_t>(i);
  ended_.clear();
  frame.owners = rows_.owners.data();
  frame.indices = rows_.neurons.data();
  frame.signs = rows_.signs.data();
  frame.constants = rows_.constants.data();
  frame.errors = rows_.errors.data();
}

void RowBlock::move_row(std::int64_t from, std::int64_t to) {
  const auto source = static_cast<std::size_t>(from);
  const auto target = static_cast<std::size_t>(to);
  rows_.owners[target] = rows_.owners[source];
  rows_.neurons[target] = rows_.neurons[source];
  rows_.signs[target] = rows_.signs[source];
  rows_.constants[target] = rows_.constants[source];
  rows_.errors[target] = rows_.errors[source];
  best_[target] = best_[source];
  places_[target] = places_[source];
}

void RowBlock::end_constant(const CompiledProgram& program, const Task& task, std::span<const TaskOp> probes,
                            const TargetBounds& target, RowFrame& frame) {
  for (std::int64_t i = 0; i < frame.rows; ++i) {
    const Bound met{frame.scratch[i], frame.scratch[frame.rows + i]};
    Bound& best = best_[static_cast<std::size_t>(i)];
    const double bound = sub_down(met.nominal, met.error);
    // NaN and infinities prove nothing.
    if (std::isfinite(met.nominal) && bound > sub_down(best.nominal, best.error)) best = met;
  }
  std::int64_t kept = 0;
  for (std::int64_t i = 0; i < frame.rows; i += 2) {
    const auto k = static_cast<std::size_t>(i);
    const std::int64_t at = rows_.owners[k] * target.stride + rows_.neurons[k];
    const double lower = std::max(target.lower[at], sub_down(best_[k].nominal, best_[k].error));
    const double upper = std::min(target.upper[at], -sub_down(best_[k + 1].nominal, best_[k + 1].error));
    const bool constant = std::all_of(task.functions.begin(), task.functions.end(), [&](const auto& function) {
      double low = 0, high = 0;
      function->image(lower, upper, low, high);
      return low == high;  // not for NaN
    });
    for (std::int64_t row = i; row < i + 2; ++row) {
      const auto r = static_cast<std::size_t>(row);
      if (constant) {
        ended_.emplace_back(places_[r], best_[r]);
        continue;
      }
      if (kept != row) {
        move_row(row, kept);
        for (const TaskOp& probe : probes) program.copy_row(probe.inputs[0], frame, row, kept);
      }
      ++kept;
    }
  }
  frame.rows = kept;
}

void RowBlock::store(const RowFrame& frame, RowList& list) {
  const auto write = [&](std::int64_t place, const Bound& bound) {
    list.constants[static_cast<std::size_t>(place)] = bound.nominal;
    list.errors[static_cast<std::size_t>(place)] = bound.error;
  };
  for (const auto& [place, bound] : ended_) write(place, bound);
  for (std::int64_t i = 0; i < frame.rows; ++i) {
    const auto k = static_cast<std::size_t>(i);
    const Bound arrived{frame.constants[i], frame.errors[i]};
    const bool better = sub_down(best_[k].nominal, best_[k].error) > sub_down(arrived.nominal, arrived.error);
    write(places_[k], better ? best_[k] : arrived);
  }
}

}  // namespace boundflow
