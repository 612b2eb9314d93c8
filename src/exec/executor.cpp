#include "exec/executor.hpp"

namespace boundflow {

CompiledProgram::CompiledProgram(std::shared_ptr<const BoundProgram> program, std::shared_ptr<const StoragePlan> plan)
    : program_(std::move(program)), plan_(std::move(plan)) {
  for (const Buffer& buffer : program_->buffers) leading_dimensions_.push_back(leading_dimension(buffer));
}

std::byte* CompiledProgram::at(BufferId id, const BatchFrame& frame) const {
  return frame.arena + plan_->placements[static_cast<std::size_t>(id)].offset * frame.subproblems;
}

std::byte* CompiledProgram::at(BufferId id, const RowFrame& frame) const {
  return frame.arena + plan_->placements[static_cast<std::size_t>(id)].offset * frame.rows;
}

double* CompiledProgram::lower(BufferId id, const BatchFrame& frame) const {
  return reinterpret_cast<double*>(at(id, frame));
}

double* CompiledProgram::upper(BufferId id, const BatchFrame& frame) const {
  return lower(id, frame) + ld(id) * frame.subproblems;
}

}  // namespace boundflow
