#pragma once
// The native executor: constant weights packed once for programs that are compiled together, kernels for the
// instruction set found at run time, in float32 or float64 from one source.

#include <memory>

#include "exec/executor.hpp"

namespace boundflow {

enum class Precision { Float32, Float64 };

std::unique_ptr<Executor> make_native_executor(Precision precision = Precision::Float32);

}  // namespace boundflow
