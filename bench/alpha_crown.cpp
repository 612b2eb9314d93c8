// How long optimised slopes take: warm, in process, one thread, the least processor time of up to 20 runs (of what fits
// into 20 s). Usage: alpha_crown net.onnx boxes.npz [steps=20]...
//
// boxes.npz as for bounds_speed; its first box is taken, and lower bounds of that box's rows are computed, the bounds
// of hidden neurons among it. Nominal bounds, as the reference's are. Prints a line per number of steps: the mean
// bound, that of the reference's optimised bounds where the file has them, and milliseconds.
#include <fmt/format.h>
#include <tbb/task_arena.h>

#include <ctime>
#include <numeric>
#include <string>

#include "base/deadline.hpp"
#include "base/error.hpp"
#include "bench_main.hpp"
#include "boxes.hpp"
#include "engine/split_engine.hpp"
#include "exec/native/native_executor.hpp"
#include "frontends/onnx/onnx.hpp"
#include "passes/passes.hpp"

namespace {

using namespace boundflow;

double processor_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::vector<double> optimised(const std::shared_ptr<const QueryEngine>& engine, const InputBox& box,
                              const LinearSpec& spec, std::int64_t rows, int steps) {
  SplitEngine slopes(engine, box, Semantics::Nominal, Deadline());
  slopes.refine(SplitEngine::Refinement{.effort = {.steps = steps}}, {Deadline()});
  std::vector<SplitSubproblem> subproblems(static_cast<std::size_t>(rows));
  std::vector<SplitSubproblem*> pointers;
  for (SplitSubproblem& subproblem : subproblems) {
    subproblem.row = static_cast<std::int32_t>(pointers.size());
    pointers.push_back(&subproblem);
  }
  std::vector<SplitAnswer> answers;
  slopes.bound(spec, pointers, {.steps = steps, .candidates = false, .stop_above_zero = false}, Deadline(), answers);
  std::vector<double> bounds;
  for (const SplitAnswer& answer : answers) bounds.push_back(answer.nominal);
  return bounds;
}

int run(int argc, char** argv) {
  if (argc < 3) throw UsageError("usage: alpha_crown net.onnx boxes.npz [steps]...");
  const auto network = std::make_shared<const Network>(run_passes(read_onnx(argv[1]), operator_table()));
  const std::int64_t inputs = network->size_of(network->input());
  const bench::Boxes boxes(argv[2], inputs, network->size_of(network->output()));
  const InputBox box{{boxes.lower.begin(), boxes.lower.begin() + inputs},
                     {boxes.upper.begin(), boxes.upper.begin() + inputs}};
  const std::int64_t rows = boxes.spec.rows / boxes.query.subproblems;
  const auto engine =
      std::make_shared<const QueryEngine>(network, make_native_executor(), QueryEngine::Options{.splits = true});
  if (engine->split_programs().programs.empty()) throw UsageError("the network has no slopes to choose");
  std::vector<int> steps;
  for (int k = 3; k < argc; ++k) steps.push_back(std::stoi(argv[k]));
  if (steps.empty()) steps.push_back(20);
  const auto reference = boxes.arrays.find("lb_CROWN-Optimized");
  tbb::task_arena arena(1);
  for (const int count : steps) {
    double least = 1e300;
    std::vector<double> bounds;
    const auto begin = Clock::now();
    for (int run = 0; run <= 20 && (run < 2 || seconds_between(begin, Clock::now()) < 20); ++run) {
      const double start = processor_seconds();
      arena.execute([&] { bounds = optimised(engine, box, boxes.spec, rows, count); });
      if (run > 0) least = std::min(least, processor_seconds() - start);  // the first run warms up
    }
    fmt::print("steps {:<3} mean bound {:.6f}", count, mean(bounds));
    if (reference != boxes.arrays.end()) {
      fmt::print("  reference {:.6f}", mean(std::span(reference->second.values).first(bounds.size())));
    }
    fmt::print("  {:9.3f} ms\n", 1e3 * least);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return boundflow::bench::run_main("alpha_crown", [&] { return run(argc, argv); });
}
