#pragma once
// Opens libboundflow_tvm.so when it is first asked for.

#include "exec/tvm/plugin.hpp"

namespace boundflow::generated {

// The process's plugin. UsageError that says how to get it where it, or the TVM that it is written for, is not there.
Plugin& open_plugin();

}  // namespace boundflow::generated
