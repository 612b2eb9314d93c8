// What soundness costs: the time of a CROWN query with and without error terms, and the share of the error in the
// bounds' width. Usage: soundness_cost net.onnx prop.vnnlib [boxes=64]
//
// The query bounds every output from both sides over `boxes` random sub-boxes of the property's first region, each
// input's width a quarter of the region's. Times are the minimum of 20 warm runs on one thread, the semantics taken in
// turn.

#include <fmt/format.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/error.hpp"
#include "base/random.hpp"
#include "bench_main.hpp"
#include "engine/query_engine.hpp"
#include "exec/native/native_executor.hpp"
#include "frontends/onnx/onnx.hpp"
#include "frontends/vnnlib/vnnlib.hpp"
#include "passes/passes.hpp"

namespace {

using namespace boundflow;

LinearSpec both_sides_of_outputs(std::int64_t inputs, std::int64_t outputs) {
  LinearSpec spec;
  spec.rows = 2 * outputs;
  spec.inputs = inputs;
  spec.outputs = outputs;
  const auto size = static_cast<std::size_t>(spec.rows * outputs);
  spec.output_coefficients.assign(size, 0.0);
  spec.output_coefficient_errors.assign(size, 0.0);
  for (std::int64_t r = 0; r < spec.rows; ++r) {
    spec.output_coefficients[static_cast<std::size_t>(r * outputs + r / 2)] = r % 2 == 0 ? 1 : -1;
  }
  spec.constants.assign(static_cast<std::size_t>(spec.rows), 0.0);
  spec.constant_errors.assign(static_cast<std::size_t>(spec.rows), 0.0);
  return spec;
}

struct Measured {
  double seconds = 1e300;
  BoundAnswer answer;
};

int run(int argc, char** argv) {
  if (argc < 3) throw UsageError("usage: soundness_cost net.onnx prop.vnnlib [boxes]");
  const std::int64_t boxes = argc > 3 ? std::stoll(argv[3]) : 64;
  auto network = std::make_shared<const Network>(run_passes(read_onnx(argv[1]), operator_table()));
  const std::int64_t inputs = network->size_of(network->input());
  const std::int64_t outputs = network->size_of(network->output());
  const Property property = read_vnnlib(argv[2], inputs, outputs);
  const InputBox box = outward_box(property.regions.at(0).box);

  Random random(0);
  std::vector<double> lower;
  std::vector<double> upper;
  std::vector<std::int32_t> owners;
  std::vector<std::int32_t> rows;
  for (std::int64_t b = 0; b < boxes; ++b) {
    for (std::size_t i = 0; i < box.lower.size(); ++i) {
      const double width = (box.upper[i] - box.lower[i]) / 4;
      lower.push_back(random.uniform(box.lower[i], box.upper[i] - width));
      upper.push_back(lower.back() + width);
    }
    for (std::int64_t r = 0; r < 2 * outputs; ++r) {
      owners.push_back(static_cast<std::int32_t>(b));
      rows.push_back(static_cast<std::int32_t>(r));
    }
  }
  const LinearSpec spec = both_sides_of_outputs(inputs, outputs);
  const QueryEngine engine(network, make_native_executor(), {});

  constexpr std::array semantics = {Semantics::Nominal, Semantics::Real, Semantics::Float32};
  std::array<Measured, 3> measured;
  for (int repeat = 0; repeat < 21; ++repeat) {
    for (std::size_t s = 0; s < semantics.size(); ++s) {
      BoundQuery query{
          .subproblems = boxes, .lower = lower, .upper = upper, .spec = &spec, .owners = owners, .rows = rows};
      query.semantics = semantics[s];
      const Deadline clock;
      BoundAnswer answer = engine.bound(query, Deadline());
      const double seconds = clock.elapsed();
      if (repeat > 0) measured[s].seconds = std::min(measured[s].seconds, seconds);
      measured[s].answer = std::move(answer);
    }
  }
  const auto width = [&](const BoundAnswer& answer) {
    double sum = 0;
    for (std::size_t n = 0; n < answer.nominal.size(); ++n) sum -= answer.nominal[n] - answer.error[n];
    return sum;
  };
  const double nominal_width = width(measured[0].answer);
  const auto share = [&](const Measured& m) { return (width(m.answer) - nominal_width) / width(m.answer); };
  fmt::print(
      "{} boxes: nominal {:.3f} ms; real: time x{:.3f}, error {:.2e} of the width; float32: time x{:.3f}, error "
      "{:.2e}\n",
      boxes, measured[0].seconds * 1e3, measured[1].seconds / measured[0].seconds, share(measured[1]),
      measured[2].seconds / measured[0].seconds, share(measured[2]));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  tbb::task_arena one(1);
  return boundflow::bench::run_main("soundness_cost", [&] { return one.execute([&] { return run(argc, argv); }); });
}
