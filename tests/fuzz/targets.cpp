#include "fuzz/targets.hpp"

#include "check/plan.hpp"
#include "frontends/onnx/onnx.hpp"
#include "frontends/vnnlib/vnnlib.hpp"
#include "fuzz/graph_oracles.hpp"
#include "passes/passes.hpp"
#include "search/specification.hpp"
#include "support/soundness_trial.hpp"

namespace boundflow {

namespace {

std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Bad input has two classes of errors; anything else is a bug.
template <class Action>
void with_input_errors(const Action& action) {
  try {
    action();
  } catch (const InputError& error) {
    EXPECT_STRNE(error.what(), "");
  } catch (const UnsupportedError& error) {
    EXPECT_STRNE(error.what(), "");
  }
}

std::int64_t largest_value(const Network& network) {
  std::int64_t largest = 0;
  for (std::size_t v = 0; v < network.values().size(); ++v) {
    largest = std::max(largest, network.size_of(static_cast<ValueId>(v)));
  }
  return largest;
}

// The sum of the outputs, bounded over [-1, 1]^n.
void check_bounds_of(const std::shared_ptr<const Network>& network) {
  const std::int64_t inputs = network->size_of(network->input()), outputs = network->size_of(network->output());
  Trial trial;
  trial.network = network;
  trial.spec = {.rows = 1, .inputs = inputs, .outputs = outputs};
  trial.spec.output_coefficients.assign(static_cast<std::size_t>(outputs), 1.0);
  trial.spec.output_coefficient_errors.assign(static_cast<std::size_t>(outputs), 0.0);
  trial.spec.constants = trial.spec.constant_errors = {0.0};
  Random random(0);
  const QueryEngine guide(network, make_native_executor(Precision::Float64), {});
  const std::vector<double> ones(static_cast<std::size_t>(inputs), 1.0), minus(static_cast<std::size_t>(inputs), -1.0);
  look_into(trial, guide, {minus, ones}, random);
  Tally tally;
  check_lowering(trial, {"float32", make_native_executor()}, {"crown", {}}, observe_some_point(trial, random), tally);
}

// What is accepted goes all the way: printed, through the passes, and lowered where that is cheap. Small float32
// networks are bounded, too.
void import_model(Bytes bytes) {
  with_input_errors([&] {
    const Network source = import_onnx(text_of(bytes), "fuzzed.onnx");
    verify_network(source);
    EXPECT_FALSE(print(source).empty());
    const auto network = std::make_shared<const Network>(run_passes(source, operator_table()));
    EXPECT_FALSE(print(*network).empty());
    const std::int64_t largest = largest_value(*network);
    if (largest > 500 || network->nodes().size() > 40) return;
    const BoundProgram program = lower_bounds(LoweredNetwork(network, operator_table()), {});
    const StoragePlan plan = plan_storage(program, make_native_executor()->element_bytes());
    EXPECT_FALSE(print(program, plan).empty());
    check_plan(program, plan);
    const bool float32 = network->value(network->input()).type.dtype == DType::Float32 &&
                         network->value(network->output()).type.dtype == DType::Float32;
    if (float32 && largest <= 50 && network->nodes().size() <= 10) check_bounds_of(network);
  });
}

std::int64_t occurrences(std::string_view text, std::string_view word) {
  std::int64_t count = 0;
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) ++count;
  return count;
}

// For a network with as many inputs and outputs as the file seems to declare.
void parse_property(Bytes bytes) {
  with_input_errors([&] {
    const std::string_view text = text_of(bytes);
    const Property property =
        parse_vnnlib(text, "fuzzed.vnnlib", std::max<std::int64_t>(1, occurrences(text, "declare-const X_")),
                     std::max<std::int64_t>(1, occurrences(text, "declare-const Y_")));
    EXPECT_FALSE(print(property).empty());
    for (const Region& region : property.regions) {
      const Specification specification = make_specification(region, property.input_count, property.output_count);
      for (std::size_t i = 0; i < specification.box.lower.size(); ++i) {
        EXPECT_LE(specification.box.lower[i], specification.box.upper[i]);
      }
    }
  });
}

template <auto check>
void judge(Bytes bytes) {
  Random choices(bytes);
  check(make_graph_case(choices));
}

void check_some_bounds(const GraphCase& files) {
  check_bounds(files, Extent::One);
}

constexpr FuzzTarget kTargets[] = {
    {"onnx", InputKind::OnnxFile, import_model},
    {"vnnlib", InputKind::VnnlibFile, parse_property},
    {"bounds", InputKind::Choices, judge<check_some_bounds>},
    {"executors", InputKind::Choices, judge<check_executors>},
    {"verdict", InputKind::Choices, judge<check_verdict>},
};

}  // namespace

std::span<const FuzzTarget> fuzz_targets() {
  return kTargets;
}

const FuzzTarget& fuzz_target(std::string_view name) {
  for (const FuzzTarget& target : kTargets) {
    if (target.name == name) return target;
  }
  throw InternalError("no fuzz target is called '" + std::string(name) + "'");
}

}  // namespace boundflow
