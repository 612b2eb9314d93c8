#pragma once
// What kernels are generated for, and where they are kept.

#include <memory>
#include <string>

#include "exec/tvm/artifact_store.hpp"

namespace boundflow::generated {

// The level of x86-64 that this CPU and its operating system have, as LLVM calls it: code for it runs here, and on
// others of the level. UsageError where kernels are generated for none that it has.
std::string cpu_level();

// The CPU as its maker calls it: what costs that were measured are true for.
std::string cpu_model();

// The store in the folder; empty: in the user's cache folder, $XDG_CACHE_HOME/boundflow or ~/.cache/boundflow. nullptr
// with a warning where there is none. UsageError as ArtifactStore.
std::shared_ptr<const ArtifactStore> open_store(const std::string& cache_folder);

}  // namespace boundflow::generated
