#include "api/process_plans.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace boundflow {

PlanCache& process_plans(std::int64_t memory_bytes) {
  constexpr std::int64_t kMostBytes = std::int64_t{256} << 20;
  // Never destroyed: other threads may be in a call while the process ends.
  static PlanCache& plans = *new PlanCache(0);
  plans.limit(std::min(memory_bytes / 8, kMostBytes));
  return plans;
}

void add_compilation(CompileReport& report, const QueryEngine& engine) {
  const QueryEngine::Compilation& compilation = engine.compilation();
  report.compile_s += compilation.seconds;
  report.plan_cache_hits += compilation.lookup == PlanLookup::Hit ? 1 : 0;
  report.plan_cache_misses += compilation.lookup == PlanLookup::Miss ? 1 : 0;
}

void add_kernel_uses(CompileReport& report, const Request& request, const Deadline& deadline) {
  report.kernels = request.executor->kernel_uses();
  report.workers_s = deadline.elapsed() * request.threads;
  for (const KernelUse& use : report.kernels) {
    spdlog::info("kernels of {}: {}", label(use), describe(use, report));
  }
}

}  // namespace boundflow
