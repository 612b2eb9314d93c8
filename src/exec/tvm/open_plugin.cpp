#include "exec/tvm/open_plugin.hpp"

#include <dlfcn.h>

#include <csignal>
#include <mutex>

#include "base/error.hpp"

namespace boundflow::generated {

namespace {

// TVM's library takes over the signal of a segmentation fault when it is loaded: whoever had it keeps it.
class KeptSignal {
 public:
  KeptSignal() { sigaction(SIGSEGV, nullptr, &before_); }
  KeptSignal(const KeptSignal&) = delete;
  KeptSignal& operator=(const KeptSignal&) = delete;
  ~KeptSignal() { sigaction(SIGSEGV, &before_, nullptr); }

 private:
  struct sigaction before_ {};
};

}  // namespace

Plugin& open_plugin_library(const std::string& library) {
  const KeptSignal kept;
  // Never closed: kernels live in it.
  void* const opened = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (opened == nullptr) {
    throw UsageError(
        std::string("--backend tvm: ") + dlerror() +
        "; scripts/setup.sh --tvm installs TVM, with which CMake then builds the library, and cmake --install "
        "BUILD --component tvm adds it to an installed BoundFlow");
  }
  const auto interface = reinterpret_cast<PluginInterface>(dlsym(opened, kPluginInterface));
  const auto open_plugin = reinterpret_cast<OpenPlugin>(dlsym(opened, kOpenPlugin));
  if (interface == nullptr || open_plugin == nullptr) {
    throw UsageError("--backend tvm: " + library + " is not BoundFlow's, or of an older version");
  }
  if (const int version = interface(); version != kInterfaceVersion) {
    throw UsageError("--backend tvm: " + library + " is of another version of BoundFlow (interface " +
                     std::to_string(version) + ", not " + std::to_string(kInterfaceVersion) + "): build both together");
  }
  return *translate_errors([&] { return open_plugin(); });
}

Plugin& open_plugin() {
  static std::mutex mutex;
  static Plugin* plugin = nullptr;
  const std::lock_guard lock(mutex);
  if (plugin == nullptr) plugin = &open_plugin_library("libboundflow_tvm.so");
  return *plugin;
}

}  // namespace boundflow::generated
