// Executions that really differ from the exact values: where the terms of docs/soundness.md for joint functions and for
// biases made of parts are needed, bounds without them would exclude what is executed.
#include <gtest/gtest.h>

#include "ops/sample_network.hpp"
#include "support/soundness_trial.hpp"

namespace boundflow {
namespace {

// The network at one point, its output as the only row from both sides, over the box that is this point.
Trial at_point(const Network& network, const std::vector<double>& point) {
  Trial trial;
  trial.network = std::make_shared<const Network>(network);
  const std::int64_t inputs = network.size_of(network.input()), outputs = network.size_of(network.output());
  trial.spec = {.rows = 2 * outputs, .inputs = inputs, .outputs = outputs};
  for (std::int64_t k = 0; k < outputs; ++k) {
    for (const double sign : {1.0, -1.0}) {
      for (std::int64_t j = 0; j < outputs; ++j) trial.spec.output_coefficients.push_back(j == k ? sign : 0.0);
    }
  }
  trial.spec.output_coefficient_errors.assign(trial.spec.output_coefficients.size(), 0.0);
  trial.spec.constants.assign(static_cast<std::size_t>(2 * outputs), 0.0);
  trial.spec.constant_errors = trial.spec.constants;
  trial.boxes = {{point, point}};
  Random random(1);
  trial.seen = {{see(network, point, random)}};
  return trial;
}

double executed(const Trial& trial) {
  return trial.seen[0][0].executed[0][static_cast<std::size_t>(trial.network->output())][0];
}

void expect_bounds_hold(const Trial& trial) {
  Random random(2);
  Tally tally;
  check_everything(trial, random, tally);
  EXPECT_EQ(tally.finite, tally.rows);
}

TEST(ExecutedError, OfAProductOfTwoVariables) {
  Random random(1);
  SampleNetwork sample(random);
  const ValueId x = sample.input({1, 1});
  const Network network = sample.finish("Mul", {sample.node("Abs", {x}), sample.node("Relu", {x})});
  const double point = 1 + 0x1p-12;
  const Trial trial = at_point(network, {point});
  // The product is exact in double, and rounds in float32.
  EXPECT_EQ(executed(trial), point * point - 0x1p-24);
  expect_bounds_hold(trial);
}

TEST(ExecutedError, OfANormalizationWhosePartsCancel) {
  // (x - mean) s + B with mean s near B: the exact bias is next to nothing.
  Network cancelling;
  const ValueId input = cancelling.add_input("x", {DType::Float32, {1, 1}});
  const auto constant = [&](const char* name, float value) {
    return cancelling.add_constant(name, Tensor({1}, std::vector<float>{value}));
  };
  const NodeId node = append_node(
      cancelling, operator_table(), "BatchNormalization", "normalize",
      {input, constant("scale", 3), constant("b", 30000), constant("mean", 10000), constant("variance", 0.999F)}, {"y"},
      {{"epsilon", 0.0009765625}});
  cancelling.set_outputs(cancelling.node(node).outputs);
  const Trial trial = at_point(cancelling, {0.1F});
  const Enclosure& real = trial.seen[0][0].real[static_cast<std::size_t>(cancelling.output())];
  EXPECT_GT(std::fabs(executed(trial) - real.lower[0]), 1e-4);
  expect_bounds_hold(trial);
}

}  // namespace
}  // namespace boundflow
