#pragma once
// KernelUse: where a generated kernel came from and what it took, or why there is none.

#include <cstdint>
#include <string>

namespace boundflow {

struct KernelUse {
  std::string kernel;      // its kind and shape, or the map that has none
  std::string source;      // "compiled", "disk", or "native" for what is not generated
  std::string reason;      // of "native"
  std::int64_t maps = 0;   // maps and directions that use it; all but the first found it in memory
  double compile_s = 0;    // seconds
  double load_s = 0;       // seconds, from object code to a function
  std::int64_t calls = 0;  // not counted for "native"
  double total_s = 0;      // seconds in all calls, summed over threads
};

}  // namespace boundflow
