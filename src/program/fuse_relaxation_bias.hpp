#pragma once
// A relaxation's lines and, right behind them, the bias and the error terms of the affine node before: one op, which
// takes a few rows through both while they are in the first-level cache.

#include "base/pass_funnel.hpp"
#include "program/bound_program.hpp"

namespace boundflow {

void fuse_relaxation_bias(BoundProgram& program, RewriteBudget& budget);

}  // namespace boundflow
