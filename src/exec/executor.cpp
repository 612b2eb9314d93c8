#include "exec/executor.hpp"

namespace boundflow {

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
