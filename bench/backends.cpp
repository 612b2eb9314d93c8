// The native, the tvm and the auto executor beside each other: start-up, every map of a network, and bounds by CROWN;
// one thread, warm, the executors in turns so that whatever else the machine does meets both.
//
// Usage: backends CACHE_FOLDER net.onnx boxes.npz
//
// boxes.npz as for bounds_speed. Run it twice: with an empty folder the start is cold, then warm. A map's rows have a
// value in every column.

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/deadline.hpp"
#include "base/error.hpp"
#include "base/random.hpp"
#include "bench_main.hpp"
#include "boxes.hpp"
#include "domains/lowered_network.hpp"
#include "engine/query_engine.hpp"
#include "exec/native/native_executor.hpp"
#include "exec/tvm/auto_executor.hpp"
#include "exec/tvm/generated_map.hpp"
#include "exec/tvm/open_plugin.hpp"
#include "exec/tvm/tvm_executor.hpp"
#include "frontends/onnx/onnx.hpp"
#include "passes/passes.hpp"
#include "program/storage_plan.hpp"

namespace {

using namespace boundflow;
using native::Direction;

// As for a long search, so that costs are measured.
constexpr double kExpectedQueries = 1e6;

double seconds_of(const auto& work) {
  const auto begin = Clock::now();
  work();
  return seconds_between(begin, Clock::now());
}

// The least time of each, taken in turns until `budget_s` has passed.
std::vector<double> fastest_in_turns(const std::vector<std::function<void()>>& works, double budget_s) {
  std::vector<double> best(works.size(), std::numeric_limits<double>::infinity());
  const auto begin = Clock::now();
  for (int round = 0; round < 3 || seconds_between(begin, Clock::now()) < budget_s; ++round) {
    for (std::size_t i = 0; i < works.size(); ++i) best[i] = std::min(best[i], seconds_of(works[i]));
  }
  return best;
}

void compare_map(const LinearMap& map, Direction direction, generated::GeneratedKernels& kernels) {
  const bool transpose = direction == Direction::Transpose;
  const std::int64_t in = transpose ? map.out_size() : map.in_size();
  const std::int64_t out = transpose ? map.in_size() : map.out_size();
  const std::int64_t ld_in = padded_columns(in), ld_out = padded_columns(out);
  const auto native = native::make_map_kernel<float>(map, direction);
  KernelUse use;
  const auto generated = generated::make_generated_map(map, direction, kernels, {}, use);
  for (const std::int64_t rows : {1, 4, 64}) {
    Random random(1);
    std::vector<float> x(static_cast<std::size_t>(rows * ld_in)), y(static_cast<std::size_t>(rows * ld_out));
    for (float& value : x) value = static_cast<float>(random.uniform(-1, 1));
    // So many calls that the clock does not matter.
    const auto apply = [&](const native::MapKernel<float>& kernel, int calls) {
      for (int i = 0; i < calls; ++i) kernel.apply(x.data(), ld_in, rows, y.data(), ld_out, false);
    };
    const int calls = static_cast<int>(1 + 20e-6 / seconds_of([&] { apply(*native, 1); }));
    const auto seconds = fastest_in_turns({[&] { apply(*native, calls); }, [&] { apply(*generated, calls); }}, 0.1);
    const double before = executed_products;
    apply(*native, calls);
    const double operations = 2e-9 * (executed_products - before);
    fmt::print("{:<48} {:<9} rows {:<3} native {:6.1f} GFLOP/s  tvm {:6.1f} GFLOP/s  tvm/native {:.3f}\n", map.print(),
               transpose ? "transpose" : "forward", rows, operations / seconds[0], operations / seconds[1],
               seconds[1] / seconds[0]);
  }
}

int run(int argc, char** argv) {
  spdlog::set_level(spdlog::level::warn);
  if (argc != 4) throw UsageError("usage: backends CACHE_FOLDER net.onnx boxes.npz");
  const auto network = std::make_shared<const Network>(run_passes(read_onnx(argv[2]), operator_table()));
  bench::Boxes boxes(argv[3], network->size_of(network->input()), network->size_of(network->output()));

  struct Backend {
    const char* name;
    std::function<std::shared_ptr<const Executor>()> make;
    std::unique_ptr<const QueryEngine> engine = nullptr;
  };
  Backend backends[] = {{"native", [] { return make_native_executor(); }},
                        {"tvm", [&] { return make_tvm_executor(argv[1]); }},
                        {"auto", [&] { return make_auto_executor(argv[1], kExpectedQueries); }}};
  for (Backend& backend : backends) {
    const double start_s = seconds_of(
        [&] { backend.engine = std::make_unique<const QueryEngine>(network, backend.make(), QueryEngine::Options{}); });
    fmt::print("start {:<6} {:9.1f} ms\n", backend.name, 1e3 * start_s);
  }
  tbb::task_arena arena(1);
  for (const Semantics semantics : {Semantics::Nominal, Semantics::Float32}) {
    boxes.query.semantics = semantics;
    std::vector<std::function<void()>> works;
    for (const Backend& backend : backends) {
      works.emplace_back([&] { backend.engine->bound(boxes.query, Deadline()); });
    }
    std::vector<double> seconds;
    arena.execute([&] { seconds = fastest_in_turns(works, 10); });
    fmt::print("crown batch {:<3} {}", boxes.query.subproblems,
               semantics == Semantics::Nominal ? "nominal" : "float32");
    for (std::size_t i = 0; i < works.size(); ++i) fmt::print("  {} {:.2f} ms", backends[i].name, 1e3 * seconds[i]);
    fmt::print("\n");
  }

  generated::GeneratedKernels kernels(generated::open_plugin(), "x86-64-v3",
                                      std::make_shared<const generated::ArtifactStore>(argv[1]));
  std::set<std::string> seen;
  const LoweredNetwork lowered(network, operator_table());
  for (const LoweredNode& node : lowered.nodes()) {
    if (node.facet != FacetKind::Affine) continue;
    for (const auto& map : node.affine->maps) {
      if (native::why_no_multiplier(*map) != nullptr || !seen.insert(map->print()).second) continue;
      for (const Direction direction : {Direction::Forward, Direction::Transpose})
        compare_map(*map, direction, kernels);
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return boundflow::bench::run_main("backends", [&] { return run(argc, argv); });
}
