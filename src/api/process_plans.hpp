#pragma once
// The plan cache that all calls of the façade share.

#include <cstdint>

#include "api/request.hpp"
#include "base/deadline.hpp"
#include "engine/query_engine.hpp"
#include "report/compile_report.hpp"

namespace boundflow {

// From now on it keeps what a call with this memory limit may leave in use: an eighth of it, but 256 MiB at most. 0
// empties it.
PlanCache& process_plans(std::int64_t memory_bytes);

// Adds what an engine's constructor did.
void add_compilation(CompileReport& report, const QueryEngine& engine);

// Adds what the executor's kernels did until now, and says it in the log (info).
void add_kernel_uses(CompileReport& report, const Request& request, const Deadline& deadline);

}  // namespace boundflow
