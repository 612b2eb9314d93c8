// What the plan cache saves: compiling a network against finding its plan, and packing the constants of both programs
// together against each on its own. One thread, minimum of 20 runs. Usage: plan_cache net.onnx...
//
// Prints a line per network and precision: reading it, compiling (cold), finding the plan of an equal network (hashed
// anew) and of the same object, each until an engine has bound its buffers for another number of subproblems, that
// binding alone, and the bytes of the plan. CROWN; binary megabytes.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>

#include "bench_main.hpp"
#include "engine/query_engine.hpp"
#include "exec/native/native_executor.hpp"
#include "frontends/onnx/onnx.hpp"
#include "passes/passes.hpp"

namespace {

using namespace boundflow;

// Seconds.
template <class Call>
double fastest(const Call& call) {
  double best = 1e300;
  for (int run = 0; run < 20; ++run) {
    const auto start = Clock::now();
    call(run);
    best = std::min(best, seconds_between(start, Clock::now()));
  }
  return best;
}

// Places every buffer of both programs for so many subproblems, and as many rows; returns the last place.
const void* bind(const CompiledPlan& plan, Arena& arena, std::int64_t size) {
  const void* last = nullptr;
  for (const CompiledProgram* program : {plan.bounds.get(), plan.values.get()}) {
    const StoragePlan& storage = program->plan();
    std::byte* base = arena.reserve(static_cast<std::size_t>(std::max(storage.batch_bytes, storage.row_bytes) * size));
    for (const Placement& placement : storage.placements) last = base + placement.offset * size;
  }
  return last;
}

double megabytes(std::int64_t bytes) {
  return static_cast<double>(bytes) / (1 << 20);
}

void measure(const std::string& path, Precision precision) {
  const auto begin = Clock::now();
  const Network imported = run_passes(read_onnx(path), operator_table());
  const double import_s = seconds_between(begin, Clock::now());
  const auto network = std::make_shared<const Network>(imported);
  const PlanSource source{.network = network, .executor = make_native_executor(precision)};
  const CompiledPlan plan = compile_plan(source, operator_table(), Deadline());

  std::array<PlannedProgram, 2> planned;
  for (std::size_t i = 0; i < planned.size(); ++i) {
    const CompiledProgram& program = i == 0 ? *plan.bounds : *plan.values;
    planned[i] = {std::make_shared<const BoundProgram>(program.program()),
                  std::make_shared<const StoragePlan>(program.plan())};
  }
  std::vector<std::shared_ptr<const CompiledProgram>> apart;
  const double apart_s = fastest([&](int) {
    apart.clear();
    for (const PlannedProgram& one : planned) {
      apart.push_back(source.executor->compile({&one, 1}, Deadline()).at(0));
    }
  });
  const double together_s = fastest([&](int) { source.executor->compile(planned, Deadline()); });
  HeldBytes held;
  for (const auto& program : apart) program->count(held);

  constexpr std::int64_t kMostBytes = std::int64_t{1} << 40;
  Arena arena;
  const void* volatile place = nullptr;  // so that binding is not optimised away
  arena.reserve(
      static_cast<std::size_t>(20 * std::max(plan.bounds->plan().batch_bytes, plan.bounds->plan().row_bytes)));
  const auto ask = [&](PlanCache& cache, std::shared_ptr<const Network> asked, int run) {
    const QueryEngine engine(std::move(asked), source.executor, {.plans = &cache});
    place = bind(plan, arena, 1 + run);
  };
  const double cold_s = fastest([&](int run) {
    PlanCache cache(kMostBytes);
    ask(cache, network, run);
  });
  PlanCache cache(kMostBytes);
  std::vector<std::shared_ptr<const Network>> equal;
  for (int run = 0; run < 20; ++run) equal.push_back(std::make_shared<const Network>(imported));
  const double equal_s = fastest([&](int run) { ask(cache, equal[static_cast<std::size_t>(run)], run); });
  const double same_s = fastest([&](int run) { ask(cache, equal[0], run); });
  const double bind_s = fastest([&](int run) { place = bind(plan, arena, 1 + run); });
  fmt::print(
      "{:<30} {} import {:8.2f} ms  cold {:8.2f} ms  equal network {:7.3f} ms  same network {:6.2f} us  binding "
      "{:5.2f} "
      "us  packing {:7.2f} ms, apart {:7.2f} ms  plan {:7.2f} MB, apart {:7.2f} MB\n",
      std::filesystem::path(path).filename().string(), precision == Precision::Float32 ? "float32" : "float64",
      1e3 * import_s, 1e3 * cold_s, 1e3 * equal_s, 1e6 * same_s, 1e6 * bind_s, 1e3 * together_s, 1e3 * apart_s,
      megabytes(plan.bytes), megabytes(held.total()));
}

int run(int argc, char** argv) {
  if (argc < 2) throw UsageError("usage: plan_cache net.onnx...");
  for (int i = 1; i < argc; ++i) {
    for (const Precision precision : {Precision::Float32, Precision::Float64}) measure(argv[i], precision);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return boundflow::bench::run_main("plan_cache", [&] { return run(argc, argv); });
}
