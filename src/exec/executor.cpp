#include "exec/executor.hpp"

#include <cstring>

namespace boundflow {

CompiledProgram::CompiledProgram(std::shared_ptr<const BoundProgram> program, std::shared_ptr<const StoragePlan> plan)
    : program_(std::move(program)), plan_(std::move(plan)) {
  for (const Buffer& buffer : program_->buffers) leading_dimensions_.push_back(leading_dimension(buffer));
}

std::byte* CompiledProgram::at(BufferId id, const BatchFrame& frame) const {
  return frame.arena + plan_->placements[static_cast<std::size_t>(id)].offset * frame.subproblems;
}

std::byte* CompiledProgram::at(BufferId id, const RowFrame& frame) const {
  return frame.arena + plan_->placements[static_cast<std::size_t>(id)].offset * frame.capacity;
}

void CompiledProgram::copy_row(BufferId id, const RowFrame& frame, std::int64_t from, std::int64_t to) const {
  const std::int64_t bytes = ld(id) * plan_->element_bytes;
  std::memcpy(at(id, frame) + to * bytes, at(id, frame) + from * bytes, static_cast<std::size_t>(bytes));
}

void CompiledProgram::count(HeldBytes& held) const {
  held.add(*program_);
  held.add(*plan_);
  held.add(leading_dimensions_);
}

double* CompiledProgram::lower(BufferId id, const BatchFrame& frame) const {
  return reinterpret_cast<double*>(at(id, frame));
}

const float* CompiledProgram::error_weights(BufferId id, const BatchFrame& frame) const {
  return reinterpret_cast<const float*>(at(id, frame));
}

double* CompiledProgram::upper(BufferId id, const BatchFrame& frame) const {
  return lower(id, frame) + ld(id) * frame.subproblems;
}

bool find_choices(const ScalarFunction& function, double l, double u, bool float32_slopes, Semantics semantics,
                  double unit_roundoff, KnownChoices& found) {
  if (!function.choices(l, u, float32_slopes, found.lines)) return false;
  const bool exact = semantics != Semantics::Float32 || function.is_selection();
  found.deployed_error = exact ? 0 : function.deployed_error(l, u, unit_roundoff);
  return true;
}

}  // namespace boundflow
