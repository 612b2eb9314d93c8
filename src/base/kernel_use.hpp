#pragma once
// KernelUse: whose kernels a map of the network runs on, where those came from, and what they took; and what the ops
// around the maps take.

#include <cstdint>
#include <string>

namespace boundflow {

struct KernelUse {
  std::string op;    // what the ops of one kind did besides multiplying by maps; node, map, direction are empty then
  std::string node;  // whose map it is
  std::string map;   // its kind and shape
  std::string direction;  // "forward", "forward_absolute", "transpose" or "interval"
  std::string executor;   // "tvm" or "native"
  std::string reason;     // why it is native; empty for "tvm"
  // Kernels that the map asked for, by where they were.
  std::int64_t compiled = 0;
  std::int64_t from_disk = 0;
  std::int64_t from_memory = 0;
  double compile_s = 0;        // of those that were compiled
  double load_s = 0;           // from object code to functions that have been tried
  std::int64_t calls = 0;      // of the map or the ops
  double multiplications = 0;  // that its calls executed, lanes that hold nothing included
  double total_s = 0;          // in all calls, summed over threads; of ops without their maps
};

}  // namespace boundflow
