#pragma once
// What a ProductKernel stands for, in plain loops; and whether a generated kernel computes it. Kernels check none of
// their arguments and are told the layout of some by the fields of TVM's types, so each is tried before it is used.

#include <span>

#include "exec/tvm/plugin.hpp"

namespace boundflow::generated {

// What LoadedKernel::run of the kernel is to do with these arguments.
void run_plainly(const ProductKernel& kernel, std::span<const TensorArgument> arguments);

// Runs the kernel on small integers, whose sums are exact, with gaps between all rows, and once more with an entry that
// is not a number. std::runtime_error where it leaves anything else than plain loops do. Takes microseconds.
void check_answers(const ProductKernel& kernel, const LoadedKernel& loaded);

}  // namespace boundflow::generated
