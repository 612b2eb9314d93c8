#pragma once
// Opens libboundflow_tvm.so when it is first asked for.

#include <stdexcept>
#include <string>

#include "base/error.hpp"
#include "exec/tvm/plugin.hpp"

namespace boundflow::generated {

// The plugin in a library, along the paths that the calling library or program was linked with; it stays open.
// UsageError as below.
Plugin& open_plugin_library(const std::string& library);

// The process's plugin. UsageError that says how to get it where it, or the TVM that it is written for, is not there,
// or is of another build of BoundFlow.
Plugin& open_plugin();

// What `work` returns; what the plugin throws as a UsageError.
template <class Work>
auto translate_errors(const Work& work) {
  try {
    return work();
  } catch (const Error&) {
    throw;
  } catch (const std::runtime_error& error) {
    throw UsageError(std::string("--backend tvm: ") + error.what());
  }
}

}  // namespace boundflow::generated
