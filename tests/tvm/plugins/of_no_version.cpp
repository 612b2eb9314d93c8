// A library that opens as a plugin and tells no version.
#include <cstdlib>

#include "exec/tvm/plugin.hpp"

extern "C" __attribute__((visibility("default"))) boundflow::generated::Plugin* boundflow_open_tvm_plugin() {
  std::abort();
}
