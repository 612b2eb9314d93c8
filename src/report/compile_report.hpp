#pragma once
// What compiling took before a query, in the JSON of all commands.

#include <cstdint>
#include <string>
#include <vector>

#include "base/kernel_use.hpp"
#include "report/json_writer.hpp"

namespace boundflow {

struct CompileReport {
  double compile_s = 0;                // until the plans of the whole query were there, those of the cache included
  std::int64_t plan_cache_hits = 0;    // plans that an earlier query of the process had left
  std::int64_t plan_cache_misses = 0;  // plans that were compiled and left for later ones
  std::vector<KernelUse> kernels;      // of an executor that generates them
  double workers_s = 0;                // how long the command ran, times its workers
};

// Billions of operations per second, two per multiplication; 0 without calls.
inline double gflops(const KernelUse& use) {
  return use.total_s > 0 ? 2e-9 * use.multiplications / use.total_s : 0;
}

// Whose kernels: "fc1 dense[10, 20] transpose" of a map, or the op's name.
std::string label(const KernelUse& use);
// Where the kernels were, how fast they ran and how much, or why there are none: "tvm, 3 compiled in 0.31 s, ...".
std::string describe(const KernelUse& use, const CompileReport& report);

// As members of the object that is open.
void write_members(JsonWriter& json, const CompileReport& report);

}  // namespace boundflow
