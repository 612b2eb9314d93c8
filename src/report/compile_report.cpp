#include "report/compile_report.hpp"

#include <fmt/format.h>

namespace boundflow {

namespace {

double share(const KernelUse& use, const CompileReport& report) {
  return report.workers_s > 0 ? use.total_s / report.workers_s : 0;
}

}  // namespace

std::string label(const KernelUse& use) {
  return use.op.empty() ? fmt::format("{} {} {}", use.node, use.map, use.direction) : use.op;
}

std::string describe(const KernelUse& use, const CompileReport& report) {
  std::string text = use.executor;
  if (use.compiled > 0) text += fmt::format(", {} kernels compiled in {:.2f} s", use.compiled, use.compile_s);
  if (use.from_disk > 0) text += fmt::format(", {} from disk in {:.1f} ms", use.from_disk, 1e3 * use.load_s);
  if (use.from_memory > 0) text += fmt::format(", {} from memory", use.from_memory);
  text += fmt::format(", {} calls in {:.1f} ms", use.calls, 1e3 * use.total_s);
  if (use.multiplications > 0) text += fmt::format(", {:.1f} GFLOP/s", gflops(use));
  text += fmt::format(", {:.1f} % of all time", 100 * share(use, report));
  return use.reason.empty() ? text : text + " (" + use.reason + ")";
}

void write_members(JsonWriter& json, const CompileReport& report) {
  json.member("compile_s", report.compile_s);
  json.member("plan_cache_hits", report.plan_cache_hits);
  json.member("plan_cache_misses", report.plan_cache_misses);
  if (report.kernels.empty()) return;
  json.open('[', "kernels");
  for (const KernelUse& use : report.kernels) {
    json.open('{');
    if (use.op.empty()) {
      json.member("node", use.node);
      json.member("map", use.map);
      json.member("direction", use.direction);
    } else {
      json.member("op", use.op);
    }
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
    json.member("gflops", gflops(use));
    json.member("share", share(use, report));
    json.close('}');
  }
  json.close(']');
}

}  // namespace boundflow
