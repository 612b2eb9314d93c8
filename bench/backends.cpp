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
#include <array>
#include <functional>
#include <map>
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

// The times of each, taken in turns until `budget_s` has passed; who is first changes from round to round.
using Times = std::vector<std::vector<double>>;  // [works][rounds]
Times in_turns(const std::vector<std::function<void()>>& works, double budget_s) {
  Times times(works.size());
  const auto begin = Clock::now();
  for (std::size_t round = 0; round < 5 || seconds_between(begin, Clock::now()) < budget_s; ++round) {
    for (std::size_t i = 0; i < works.size(); ++i) {
      const std::size_t which = (round + i) % works.size();
      times[which].push_back(seconds_of(works[which]));
    }
  }
  return times;
}

std::vector<double> least(const Times& times) {
  std::vector<double> best;
  for (const auto& of_one : times) best.push_back(*std::min_element(of_one.begin(), of_one.end()));
  return best;
}

// The median of a's time over b's in the same round: what else the machine does meets both, and changes neither side.
double median_ratio(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < a.size(); ++i) ratios.push_back(a[i] / b[i]);
  std::nth_element(ratios.begin(), ratios.begin() + std::ssize(ratios) / 2, ratios.end());
  return ratios[ratios.size() / 2];
}

void compare_map(const LinearMap& map, Direction direction, generated::GeneratedKernels& kernels) {
  const bool transpose = direction == Direction::Transpose;
  const std::int64_t in = transpose ? map.out_size() : map.in_size();
  const std::int64_t out = transpose ? map.in_size() : map.out_size();
  const std::int64_t ld_in = padded_columns(in), ld_out = padded_columns(out);
  const auto native = native::make_map_kernel<float>(map, direction);
  KernelUse use;
  const auto generated = generated::make_generated_map(map, direction, kernels, {}, use);
  const bool interval = direction == Direction::Interval;
  constexpr std::int64_t kSpans = 2;
  for (const std::int64_t rows : {1, 2, 4, 8, 32, 64}) {
    const std::int64_t all_rows = interval ? (1 + kSpans) * rows : rows;
    Random random(1);
    std::vector<float> x(static_cast<std::size_t>(all_rows * ld_in)), y(static_cast<std::size_t>(all_rows * ld_out));
    for (float& value : x) value = static_cast<float>(random.uniform(-1, 1));
    // So many calls that the clock does not matter.
    const auto apply = [&](const native::MapKernel<float>& kernel, int calls) {
      for (int i = 0; i < calls; ++i) {
        if (interval) {
          kernel.apply_interval(x.data(), kSpans, rows, y.data(), ld_out, false);
        } else {
          kernel.apply(x.data(), ld_in, rows, y.data(), ld_out, false);
        }
      }
    };
    const int calls = static_cast<int>(1 + 20e-6 / seconds_of([&] { apply(*native, 1); }));
    const auto seconds = least(in_turns({[&] { apply(*native, calls); }, [&] { apply(*generated, calls); }}, 0.1));
    const double before = executed_products;
    apply(*native, calls);
    const double operations = 2e-9 * (executed_products - before);
    fmt::print("{:<48} {:<9} rows {:<3} native {:6.1f} GFLOP/s  tvm {:6.1f} GFLOP/s  tvm/native {:.3f}\n", map.print(),
               to_string(direction), rows, operations / seconds[0], operations / seconds[1], seconds[1] / seconds[0]);
  }
}

// What each map takes in CROWN of the whole network, by native and by generated kernels, in turns.
void compare_maps_of_network(const std::shared_ptr<const Network>& network, const std::string& cache_folder,
                             const BoundQuery& query) {
  constexpr int kRounds = 12;
  // An executor that expects nothing to do takes native kernels, and counts.
  const std::shared_ptr<const Executor> executors[] = {make_auto_executor(cache_folder, 0),
                                                       make_tvm_executor(cache_folder)};
  std::vector<std::unique_ptr<const QueryEngine>> engines;
  for (const auto& executor : executors)
    engines.push_back(std::make_unique<const QueryEngine>(network, executor, QueryEngine::Options{}));
  std::map<std::string, std::array<double, 2>> seconds;  // by map and direction
  std::map<std::string, std::int64_t> calls;
  const auto add = [&](double sign, std::int64_t sign_of_calls) {
    for (std::size_t i = 0; i < std::size(executors); ++i) {
      for (const KernelUse& use : executors[i]->kernel_uses()) {
        const std::string name = fmt::format("{:<44} {:<16}", use.map, use.direction);
        seconds[name][i] += sign * use.total_s;
        calls[name] += i == 1 ? sign_of_calls * use.calls : 0;
      }
    }
  };
  add(-1, -1);  // what the executors have done before
  for (int round = 0; round < kRounds; ++round) {
    for (const auto& engine : engines) engine->bound(query, Deadline());
  }
  add(1, 1);
  for (const auto& [name, times] : seconds) {
    if (calls[name] == 0) continue;
    fmt::print("{} {:7} calls  native {:8.3f} ms  tvm {:8.3f} ms  tvm/native {:.3f}\n", name, calls[name] / kRounds,
               1e3 * times[0] / kRounds, 1e3 * times[1] / kRounds, times[1] / times[0]);
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
    Times times;
    arena.execute([&] { times = in_turns(works, 10); });
    const std::vector<double> seconds = least(times);
    fmt::print("crown batch {:<3} {}", boxes.query.subproblems,
               semantics == Semantics::Nominal ? "nominal" : "float32");
    for (std::size_t i = 0; i < works.size(); ++i) fmt::print("  {} {:.2f} ms", backends[i].name, 1e3 * seconds[i]);
    const double tvm_native = median_ratio(times[1], times[0]);
    fmt::print("  medians of ratios: tvm/native {:.3f}  auto/better {:.3f}\n", tvm_native,
               median_ratio(times[2], times[tvm_native < 1 ? 1 : 0]));
  }

  arena.execute([&] { compare_maps_of_network(network, argv[1], boxes.query); });

  generated::GeneratedKernels kernels(generated::open_plugin(), "x86-64-v3",
                                      std::make_shared<const generated::ArtifactStore>(argv[1]));
  std::set<std::string> seen;
  const LoweredNetwork lowered(network, operator_table());
  for (const LoweredNode& node : lowered.nodes()) {
    if (node.facet != FacetKind::Affine) continue;
    for (const auto& map : node.affine->maps) {
      if (native::why_no_multiplier(*map) != nullptr || !seen.insert(map->print()).second) continue;
      if (generated::kernel_directions(*map, Direction::Interval).size() == 1) {
        compare_map(*map, Direction::Interval, kernels);
      }
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
