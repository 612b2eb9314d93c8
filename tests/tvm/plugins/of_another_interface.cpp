// A plugin of another version of BoundFlow: nothing of it but its version may be called.
#include <cstdlib>

#include "exec/tvm/plugin.hpp"

extern "C" __attribute__((visibility("default"))) int boundflow_tvm_plugin_interface() {
  return boundflow::generated::kInterfaceVersion + 40;
}

extern "C" __attribute__((visibility("default"))) boundflow::generated::Plugin* boundflow_open_tvm_plugin() {
  std::abort();
}
