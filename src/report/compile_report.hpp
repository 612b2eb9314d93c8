#pragma once
// What compiling took before a query, in the JSON of all commands.

#include <cstdint>
#include <vector>

#include "base/kernel_use.hpp"
#include "report/json_writer.hpp"

namespace boundflow {

struct CompileReport {
  double compile_s = 0;                // until the plans of the whole query were there, those of the cache included
  std::int64_t plan_cache_hits = 0;    // plans that an earlier query of the process had left
  std::int64_t plan_cache_misses = 0;  // plans that were compiled and left for later ones
  std::vector<KernelUse> kernels;      // of an executor that generates them
};

// As members of the object that is open.
inline void write_members(JsonWriter& json, const CompileReport& report) {
  json.member("compile_s", report.compile_s);
  json.member("plan_cache_hits", report.plan_cache_hits);
  json.member("plan_cache_misses", report.plan_cache_misses);
  if (report.kernels.empty()) return;
  json.open('[', "kernels");
  for (const KernelUse& use : report.kernels) {
    json.open('{');
    json.member("node", use.node);
    json.member("map", use.map);
    json.member("direction", use.direction);
    json.member("executor", use.executor);
    if (!use.reason.empty()) json.member("reason", use.reason);
    json.member("compiled", use.compiled);
    json.member("from_disk", use.from_disk);
    json.member("from_memory", use.from_memory);
    json.member("compile_s", use.compile_s);
    json.member("load_s", use.load_s);
    json.member("calls", use.calls);
    json.member("total_s", use.total_s);
    json.member("multiplications", use.multiplications);
    json.close('}');
  }
  json.close(']');
}

}  // namespace boundflow
