#pragma once
// The auto executor: float32, each map with the kernels, native or generated, that take less time on this machine.

#include <memory>
#include <string>

#include "exec/executor.hpp"

namespace boundflow {

// Decides by costs that were measured once and are kept in `cache_folder` (empty: the user's, as make_tvm_executor). It
// measures where the work of `expected_queries` is worth it, and opens TVM only where it is expected to save more than
// that takes. kernel_uses() has the decisions with what was rejected, and so has the log (info). Where TVM is not there
// all is native. UsageError where the folder is not the user's alone.
std::shared_ptr<const Executor> make_auto_executor(const std::string& cache_folder, double expected_queries);

}  // namespace boundflow
