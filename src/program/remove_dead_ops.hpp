#pragma once
// Ops whose results nobody reads, and tasks that tighten bounds which nobody reads.

#include "base/pass_funnel.hpp"
#include "program/bound_program.hpp"

namespace boundflow {

void remove_dead_ops(BoundProgram& program, RewriteBudget& budget);

}  // namespace boundflow
