// How long bounds take: warm, in process, one thread, minimum of 20 runs (or of what fits into 20 s); reading and
// compiling the network apart. Usage: bounds_speed net.onnx boxes.npz [threads=1] [native|tvm]
//
// boxes.npz holds x_lo and x_hi [B, inputs] and the rows C [B, rows, outputs], of which lower bounds are computed, as
// in the golden data of auto_LiRPA. Prints a line per method and semantics.

#include <fmt/format.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "base/deadline.hpp"
#include "base/error.hpp"
#include "bench_main.hpp"
#include "boxes.hpp"
#include "engine/query_engine.hpp"
#include "exec/native/native_executor.hpp"
#include "exec/tvm/tvm_executor.hpp"
#include "frontends/onnx/onnx.hpp"
#include "passes/passes.hpp"

namespace {

using namespace boundflow;
using bench::Boxes;

double fastest(const QueryEngine& engine, const BoundQuery& query) {
  double best = 1e300;
  const auto begin = Clock::now();
  for (int run = 0; run <= 20 && (run < 2 || seconds_between(begin, Clock::now()) < 20); ++run) {
    const auto start = Clock::now();
    engine.bound(query, Deadline());
    if (run > 0) best = std::min(best, seconds_between(start, Clock::now()));  // the first run warms up
  }
  return best;
}

int run(int argc, char** argv) {
  if (argc < 3) throw UsageError("usage: bounds_speed net.onnx boxes.npz [threads] [native|tvm]");
  const auto begin = Clock::now();
  const auto network = std::make_shared<const Network>(run_passes(read_onnx(argv[1]), operator_table()));
  fmt::print("import {:.1f} ms\n", 1e3 * seconds_between(begin, Clock::now()));
  Boxes boxes(argv[2], network->size_of(network->input()), network->size_of(network->output()));
  const auto intervals = IntermediateBounds::Interval;
  const std::pair<const char*, BoundLowering> methods[] = {
      {"ibp", {.intermediate = intervals, .specification = SpecificationBounds::Interval}},
      {"crown-ibp", {.intermediate = intervals}},
      {"crown", {}}};
  tbb::task_arena arena(argc > 3 ? std::stoi(argv[3]) : 1);
  const std::shared_ptr<const Executor> executor =
      argc > 4 && std::string_view(argv[4]) == "tvm" ? make_tvm_executor() : make_native_executor();
  for (const auto& [name, lowering] : methods) {
    const auto start = Clock::now();
    const QueryEngine engine(network, executor, {.lowering = lowering});
    const double compile_s = seconds_between(start, Clock::now());
    double seconds[2];
    for (const int sound : {0, 1}) {
      boxes.query.semantics = sound == 1 ? Semantics::Float32 : Semantics::Nominal;
      arena.execute([&] { seconds[sound] = fastest(engine, boxes.query); });
    }
    fmt::print("{:<10} batch {:<3} compile {:8.2f} ms  nominal {:10.3f} ms  float32 {:10.3f} ms\n", name,
               boxes.query.subproblems, 1e3 * compile_s, 1e3 * seconds[0], 1e3 * seconds[1]);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return boundflow::bench::run_main("bounds_speed", [&] { return run(argc, argv); });
}
