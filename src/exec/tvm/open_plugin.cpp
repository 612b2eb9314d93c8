#include "exec/tvm/open_plugin.hpp"

#include <dlfcn.h>

#include <csignal>
#include <mutex>

#include "base/error.hpp"

namespace boundflow::generated {

namespace {

constexpr const char* kLibrary = "libboundflow_tvm.so";

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

Plugin& open() {
  const KeptSignal kept;
  // Along the paths that the calling library or program was linked with, and never closed: kernels live in it.
  void* const library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    throw UsageError(std::string("--backend tvm: ") + dlerror() +
                     "; scripts/setup.sh --tvm installs TVM, with which CMake then builds the library");
  }
  const auto open_plugin = reinterpret_cast<OpenPlugin>(dlsym(library, kOpenPlugin));
  if (open_plugin == nullptr) throw UsageError(std::string("--backend tvm: ") + kLibrary + " is not BoundFlow's");
  return *translate_errors([&] { return open_plugin(); });
}

}  // namespace

Plugin& open_plugin() {
  static std::mutex mutex;
  static Plugin* plugin = nullptr;
  const std::lock_guard lock(mutex);
  if (plugin == nullptr) plugin = &open();
  return *plugin;
}

}  // namespace boundflow::generated
