// How fast a search splits neurons: one row of a specification over one box, and a threshold that is hard to prove.
// Usage: splitting net.onnx boxes.npz [seconds=10] [share=0.95] [threads=1]
//
// boxes.npz as for bounds_speed; the first box and its first row are taken. The property is that the row exceeds
// L + share (m - L), where L is CROWN's bound over the box and m the least value that descent finds: true as far as
// that shows, and beyond what the root proves. Prints a line of a Markdown table: how the search ended; subproblems;
// how many of them per second and thread, over all of the search and from its first quarter on; the products' GFLOP/s
// while they run, and over all of the time, with shares of one thread's measured peak; and where the time of the
// threads went in a second run, which is traced: products, row kernels of ops, steps between ops (slopes and
// multipliers, narrowing), what else ops do, the rest; and the share outside of all these kernels without what tracing
// itself takes.
#include "boundflow/boundflow.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "base/trace.hpp"
#include "bench_main.hpp"
#include "boxes.hpp"
#include "fma_peak.hpp"

namespace {

using namespace boundflow;
using Json = nlohmann::json;

struct OneRow {
  std::vector<double> lower, upper, row;
};

OneRow first_of(const std::string& path, const Model& network) {
  const std::int64_t inputs = network.input().size, outputs = network.output().size;
  const bench::Boxes boxes(path, inputs, outputs);
  return {{boxes.lower.begin(), boxes.lower.begin() + inputs},
          {boxes.upper.begin(), boxes.upper.begin() + inputs},
          {boxes.spec.output_coefficients.begin(), boxes.spec.output_coefficients.begin() + outputs}};
}

double crown_bound(const Model& network, const OneRow& query, const Options& options) {
  BoundsRequest request;
  request.lower = Numbers::view(std::span<const double>(query.lower));
  request.upper = Numbers::view(std::span<const double>(query.upper));
  request.specification = {{static_cast<std::int64_t>(query.row.size())}, query.row};
  return bounds(network, request, options).lower.at(0);
}

// The least value of the row on the way from the middle of the box along signs of gradients.
double descend(const Model& network, const OneRow& query) {
  std::vector<double> x;
  for (std::size_t i = 0; i < query.lower.size(); ++i) x.push_back(0.5 * (query.lower[i] + query.upper[i]));
  double least = kInfinity;
  for (int step = 0; step < 50; ++step) {
    const GradientResult at =
        network.gradient(Numbers::view(std::span<const double>(x)), Numbers::view(std::span<const double>(query.row)));
    double value = 0;
    for (std::size_t k = 0; k < query.row.size(); ++k) value += query.row[k] * at.outputs[k];
    least = std::min(least, value);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double stride = 0.1 * (query.upper[i] - query.lower[i]);
      x[i] = std::clamp(x[i] - (at.gradients[i] > 0 ? stride : -stride), query.lower[i], query.upper[i]);
    }
  }
  return least;
}

// What tracing a span takes, where nothing is kept of it but totals.
double seconds_per_span() {
  constexpr int kSpans = 1'000'000;
  Trace trace(0);
  const auto begin = Clock::now();
  for (int i = 0; i < kSpans; ++i) const TraceSpan span(&trace, SpanKind::RowKernel, "nothing", &trace);
  return seconds_between(begin, Clock::now()) / kSpans;
}

// Subproblems per second from the first sample after `begin` to the last one.
double late_rate(const Json& samples, double begin) {
  const auto first =
      std::find_if(samples.begin(), samples.end(), [&](const Json& sample) { return sample.at("time_s") > begin; });
  if (first == samples.end()) return 0;
  const Json& last = samples.back();
  const double seconds = last.at("time_s").get<double>() - first->at("time_s").get<double>();
  const double count = last.at("subproblems").get<double>() - first->at("subproblems").get<double>();
  return seconds > 0 ? count / seconds : 0;
}

int run(int argc, char** argv) {
  if (argc < 3) throw UsageError("usage: splitting net.onnx boxes.npz [seconds] [share] [threads]");
  Options options;
  options.timeout = argc > 3 ? std::stod(argv[3]) : 10;
  const double share = argc > 4 ? std::stod(argv[4]) : 0.95;
  options.threads = argc > 5 ? std::stoi(argv[5]) : 1;
  const Model network = Model::load(argv[1]);
  const OneRow query = first_of(argv[2], network);
  const double bound = crown_bound(network, query, options), least = descend(network, query);
  const std::vector<double> offset{-(bound + share * (least - bound))};
  VerifyRequest request;
  request.lower = Numbers::view(std::span<const double>(query.lower));
  request.upper = Numbers::view(std::span<const double>(query.upper));
  request.specification = {{static_cast<std::int64_t>(query.row.size())}, query.row};
  request.offset = Numbers::view(std::span<const double>(offset));
  options.branching = "activation";
  const double peak = bench::fma_peak_float32();
  const VerifyResult untraced = verify(network, request, options);
  options.profile = "kept in memory";
  const VerifyResult traced = verify(network, request, options);
  const Json report = Json::parse(untraced.json).at("statistics");
  const auto subproblems = report.at("subproblems").get<std::int64_t>();
  fmt::print("| {} | {}, {:.1f} s | {} | {:.0f} | {:.0f} |", argv[1], untraced.verdict, untraced.time_s, subproblems,
             static_cast<double>(subproblems) / (untraced.time_s * options.threads),
             late_rate(report.at("samples"), untraced.time_s / 4) / options.threads);
  const Json trace = Json::parse(traced.profile).at("boundflow");
  const double all = traced.time_s * options.threads;
  const double products = trace.at("products_s"), row_kernels = trace.at("row_kernels_s"), ops = trace.at("ops_s");
  const double flops = trace.at("executed_flop").get<double>() / products * 1e-9;
  fmt::print(" {:.1f} ({:.0f} %) | {:.1f} ({:.0f} %) |", flops, 100 * flops / peak, flops * products / all,
             100 * flops * products / all / peak);
  const double steps = trace.at("steps_s");
  for (const double part : {products, row_kernels, steps, ops - products - row_kernels, all - ops - steps}) {
    fmt::print(" {:.0f} % |", 100 * part / all);
  }
  double spans = 0;
  for (const Json& total : trace.at("totals")) spans += total.at("count").get<double>();
  fmt::print(" {:.0f} % |\n", 100 * (1 - (products + row_kernels + steps) / (all - spans * seconds_per_span())));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return boundflow::bench::run_main("splitting", [&] { return run(argc, argv); });
}
