#pragma once
// The tvm executor: float32, with kernels that TVM has generated for the matrices of the network and this CPU, and the
// native ones for all the rest.

#include <memory>
#include <string>

#include "exec/executor.hpp"

namespace boundflow {

// The process's executor with this cache folder; what it has loaded stays in memory. `cache_folder` empty: the user's
// cache folder, $XDG_CACHE_HOME/boundflow or ~/.cache/boundflow. UsageError where TVM is not there or not the right
// one, the CPU is none that kernels are generated for, or the folder is not the user's alone.
std::shared_ptr<const Executor> make_tvm_executor(const std::string& cache_folder = "");

}  // namespace boundflow
