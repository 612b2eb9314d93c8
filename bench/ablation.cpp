// What each part of the compiler is worth: CROWN queries with parts of it switched off, one JSON object per line.
// Usage: ablation net.onnx boxes.npz [name] [threads=1]
//
// boxes.npz as for bounds_speed, or with center [B, ...], eps_linf and C. The parts, each on or off (docs/benchmarks.md
// describes the fields of a line):
//   fusion  rows start behind their first affine node, lines and the bias behind them are one op, and blocks of rows
//           travel the whole walk while they are in the cache; off: one-hot rows, no program passes, and every op runs
//           over all rows of a task before the next one does
//   reuse   buffers share bytes and stay from query to query; off: each has its own, fresh in each query
//   rows    rows of unstable neurons only, as long as they are needed; off: all neurons, to the input
//   layout  the passes over the network that compose, move and absorb layouts; off: the other passes alone
// The baseline has all parts off: the same kernels, op by op. A line is written on failure, too, with its reason.
//
// Two more lines, with "halved": true, are about boxes of half the width around the same centres: the program of the
// whole boxes, and that of the network specialised to them (specialisation), which is what a search runs.

#include <fmt/format.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.hpp"
#include "base/rounding.hpp"
#include "bench_main.hpp"
#include "boxes.hpp"
#include "engine/query_engine.hpp"
#include "engine/value_ranges.hpp"
#include "exec/native/native_executor.hpp"
#include "fma_peak.hpp"
#include "frontends/onnx/onnx.hpp"
#include "passes/passes.hpp"

namespace {

using namespace boundflow;
using bench::Boxes;
using Json = nlohmann::ordered_json;

struct Parts {
  bool fusion, reuse, rows, layout;
  bool specialisation = false;
};

QueryEngine::Options options_of(const Parts& parts) {
  QueryEngine::Options options;
  options.lowering.rows = parts.rows ? NeuronRows::UntilConstant : NeuronRows::All;
  options.lowering.gather = parts.fusion;
  options.reuse_storage = parts.reuse;
  if (!parts.fusion) {
    for (const ProgramPass& pass : program_pass_table()) options.program_passes.disabled.emplace(pass.name);
    options.max_block_rows = std::int64_t{1} << 40;
    options.block_bytes = options.max_block_bytes = std::int64_t{1} << 60;
  }
  return options;
}

double percentile(std::vector<double> seconds, double share) {
  std::sort(seconds.begin(), seconds.end());
  return seconds[static_cast<std::size_t>(share * static_cast<double>(seconds.size() - 1) + 0.5)];
}

struct Measured {
  BoundAnswer answer;
  Json line;
};

// The network specialised to all boxes.
std::shared_ptr<const Network> specialised(const std::shared_ptr<const Network>& network, const BoundQuery& boxes,
                                           Json& line) {
  const QueryEngine general(network, make_native_executor(), {});
  BoundQuery query = boxes;
  query.semantics = Semantics::Float32;
  const std::vector<ValueRange> ranges = value_ranges(general, *network, query);
  const auto start = Clock::now();
  SpecialisedNetwork result = specialise(*network, operator_table(), ranges);
  line["specialise_s"] = seconds_between(start, Clock::now());
  line["removed_neurons"] = result.removed;
  line["merged_neurons"] = result.merged;
  line["fixed_inputs"] = result.fixed;
  line["products"] = result.products;
  line["products_before"] = result.products_before;
  return std::make_shared<const Network>(std::move(result.network));
}

void measure(const std::shared_ptr<const Network>& network, const Boxes& boxes, const Parts& parts, Measured& result) {
  const auto start = Clock::now();
  QueryEngine engine(network, make_native_executor(), options_of(parts));
  result.line["compile_s"] = seconds_between(start, Clock::now());
  const BoundProgram& program = engine.bounds_program().program();
  const StoragePlan& plan = engine.bounds_program().plan();
  std::size_t kernels = 0;
  for (const Task& task : program.tasks) kernels += task.ops.size();
  result.line["tasks"] = program.tasks.size();
  result.line["ops"] = kernels;
  result.line["batch_bytes"] = plan.batch_bytes * boxes.query.subproblems;
  result.line["batch_bytes_without_reuse"] = plan.batch_bytes_without_reuse * boxes.query.subproblems;
  result.line["bytes_per_row"] = plan.row_bytes;
  result.line["bytes_per_row_without_reuse"] = plan.row_bytes_without_reuse;
  const auto first = Clock::now();
  engine.answer(boxes.query, Deadline(), result.answer);
  result.line["first_run_s"] = seconds_between(first, Clock::now());
  std::vector<double> seconds;
  const auto begin = Clock::now();
  while (seconds.size() < 20 && (seconds.size() < 2 || seconds_between(begin, Clock::now()) < 5)) {
    const auto run = Clock::now();
    engine.answer(boxes.query, Deadline(), result.answer);
    seconds.push_back(seconds_between(run, Clock::now()));
  }
  result.line["runs"] = seconds.size();
  result.line["min_s"] = percentile(seconds, 0);
  result.line["p50_s"] = percentile(seconds, 0.5);
  result.line["p95_s"] = percentile(seconds, 0.95);
  result.line["arena_bytes"] = engine.arena_bytes();
  // A run of its own: counting takes time.
  const auto trace = std::make_shared<Trace>(0);
  engine.trace(trace);
  engine.answer(boxes.query, Deadline(), result.answer);
  const Trace::Total products = trace->total_of(SpanKind::Product);
  const double kernels_s = products.seconds + trace->total_of(SpanKind::RowKernel).seconds;
  result.line["useful_flop"] = 2 * products.useful;
  result.line["executed_flop"] = 2 * products.executed;
  result.line["products_s"] = products.seconds;
  result.line["row_kernels_s"] = trace->total_of(SpanKind::RowKernel).seconds;
  result.line["other_ops_s"] = trace->total_of(SpanKind::Op).seconds - kernels_s;
}

int run(int argc, char** argv) {
  if (argc < 3) throw UsageError("usage: ablation net.onnx boxes.npz [name] [threads]");
  const Network imported = read_onnx(argv[1]);
  const NetworkPassOptions no_layout{.disabled = {"compose-layouts", "sink-layouts", "absorb-layouts"}};
  const auto unmoved = std::make_shared<const Network>(run_passes(imported, operator_table(), pass_table(), no_layout));
  const auto normal = std::make_shared<const Network>(run_passes(imported, operator_table()));
  Boxes boxes(argv[2], normal->size_of(normal->input()), normal->size_of(normal->output()));
  const std::string name = argc > 3 ? argv[3] : argv[2];
  tbb::task_arena arena(argc > 4 ? std::stoi(argv[4]) : 1);
  const double peak = 1e9 * bench::fma_peak_float32();
  BoundAnswer best;  // of all parts on, which comes first for either width
  Boxes halved(argv[2], normal->size_of(normal->input()), normal->size_of(normal->output()));
  halved.halve();
  boxes.query.semantics = halved.query.semantics = Semantics::Nominal;
  for (int setting = 0; setting < 18; ++setting) {
    const bool half = setting >= 16;
    const int off = half ? 0 : setting;
    const Parts parts{(off & 1) == 0, (off & 2) == 0, (off & 4) == 0, (off & 8) == 0, setting == 17};
    Measured measured;
    measured.line = {{"schema", 2},
                     {"network", name},
                     {"batch", boxes.query.subproblems},
                     {"fusion", parts.fusion},
                     {"reuse", parts.reuse},
                     {"rows", parts.rows},
                     {"layout", parts.layout},
                     {"halved", half},
                     {"specialisation", parts.specialisation},
                     {"peak_flop_per_s", peak},
                     {"error", ""}};
    try {
      arena.execute([&] {
        const std::shared_ptr<const Network>& network = parts.layout ? normal : unmoved;
        measure(parts.specialisation ? specialised(network, boxes.query, measured.line) : network,
                half ? halved : boxes, parts, measured);
      });
      if (off == 0 && !parts.specialisation) best = measured.answer;
      double looser = 0, difference = 0;
      for (std::size_t n = 0; n < best.nominal.size(); ++n) {
        const double scale = 1 + std::fabs(measured.answer.nominal[n]);
        const double change = (measured.answer.nominal[n] - best.nominal[n]) / scale;
        looser = std::max(looser, change);
        difference = std::max(difference, std::fabs(change));
      }
      // Relative to 1 + |bound|: by how much a bound with all parts on lies below this one at most, and differs from
      // it.
      measured.line["all_parts_looser_by"] = looser;
      measured.line["difference"] = difference;
    } catch (const std::exception& error) {
      measured.line["error"] = error.what();
    }
    fmt::print("{}\n", measured.line.dump());
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return boundflow::bench::run_main("ablation", [&] { return run(argc, argv); });
}
