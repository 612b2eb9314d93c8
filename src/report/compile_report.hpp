#pragma once
// What compiling took before a query, in the JSON of all commands.

#include <cstdint>

#include "report/json_writer.hpp"

namespace boundflow {

struct CompileReport {
  double compile_s = 0;                // until the plans of the whole query were there, those of the cache included
  std::int64_t plan_cache_hits = 0;    // plans that an earlier query of the process had left
  std::int64_t plan_cache_misses = 0;  // plans that were compiled and left for later ones
};

// As members of the object that is open.
inline void write_members(JsonWriter& json, const CompileReport& report) {
  json.member("compile_s", report.compile_s);
  json.member("plan_cache_hits", report.plan_cache_hits);
  json.member("plan_cache_misses", report.plan_cache_misses);
}

}  // namespace boundflow
