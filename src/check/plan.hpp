#pragma once
// Independent check of a StoragePlan: recomputes lifetimes with its own code and asserts that no two live buffers share
// bytes.

#include "program/storage_plan.hpp"

namespace boundflow {

// InternalError that names the two buffers and the op at which both are live.
void check_plan(const BoundProgram& program, const StoragePlan& plan);

}  // namespace boundflow
