// The choices of a lowering, on examples small enough to work out by hand.
#include "engine/lower.hpp"

#include <gtest/gtest.h>

#include "support/bound_checks.hpp"

namespace boundflow {
namespace {

// y = W2 relu(W1 x + b1) + b2 with x in [-1, 1]^2:
//   z1 = x1 + x2 in [-2, 2], z2 = x1 - x2 + 1 in [-1, 3]; relu in [0, 2] and [0, 3];
//   y1 = r1 - r2, y2 = 2 r1 + r2 - 1.
std::shared_ptr<const Network> small_network() {
  auto network = std::make_shared<Network>();
  const auto constant = [&](const char* name, Shape shape, std::vector<float> values) {
    return network->add_constant(name, Tensor(std::move(shape), std::move(values)));
  };
  const auto node = [&](const char* op, std::vector<ValueId> inputs, const std::string& name) {
    const NodeId id = append_node(*network, operator_table(), op, name, std::move(inputs), {name + ".out"});
    return network->node(id).outputs.front();
  };
  const ValueId x = network->add_input("x", {DType::Float32, {1, 2}});
  const ValueId z = node("Gemm", {x, constant("w1", {2, 2}, {1, 1, 1, -1}), constant("b1", {2}, {0, 1})}, "first");
  const ValueId r = node("Relu", {z}, "relu");
  const ValueId y = node("Gemm", {r, constant("w2", {2, 2}, {1, 2, -1, 1}), constant("b2", {2}, {0, -1})}, "last");
  network->set_outputs({y});
  return network;
}

LinearSpec rows_of(std::vector<double> coefficients, std::vector<double> constants) {
  LinearSpec spec{.rows = static_cast<std::int64_t>(constants.size()), .inputs = 2, .outputs = 2};
  spec.output_coefficients = std::move(coefficients);
  spec.output_coefficient_errors.assign(spec.output_coefficients.size(), 0.0);
  spec.constants = std::move(constants);
  spec.constant_errors.assign(spec.constants.size(), 0.0);
  return spec;
}

BoundAnswer bound(const LinearSpec& spec, const BoundLowering& lowering) {
  const QueryEngine engine(small_network(), make_reference_executor(), {.lowering = lowering});
  const FlatQuery flat(spec, {InputBox{{-1, -1}, {1, 1}}}, Semantics::Nominal);
  return engine.bound(flat.query, Deadline());
}

void expect_near(const std::vector<double>& values, const std::vector<double>& expected) {
  ASSERT_EQ(values.size(), expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], expected[i], 1e-12) << "row " << i;
}

// Interval bounds with the rows fused into the last affine node: C W2 on [0, 2] x [0, 3], not C on bounds of y.
TEST(IntervalSpecification, FusesRowsIntoTheLastAffineNode) {
  // y1 + y2 = 3 r1 - 1, where r2 cancels; y1 - y2 / 2 = -1.5 r2 + 0.5; -y1 = r2 - r1; y2 + 5.
  const LinearSpec spec = rows_of({1, 1, 1, -0.5, -1, 0, 0, 1}, {0, 0, 0, 5});
  const BoundAnswer answer =
      bound(spec, {.intermediate = IntermediateBounds::Interval, .specification = SpecificationBounds::Interval});
  expect_near(answer.nominal, {-1, -4, -2, 4});
  // What the form says of a row that ends before the input: its constant.
  for (const double coefficient : answer.form) EXPECT_EQ(coefficient, 0);
  EXPECT_EQ(answer.form_constant, answer.nominal);
}

// Rows over the inputs count on the input box, next to those over the outputs.
TEST(IntervalSpecification, AddsRowsOverTheInputs) {
  LinearSpec spec = rows_of({1, 1}, {0});
  spec.input_coefficients = {2, -3};
  spec.input_coefficient_errors = {0, 0};
  const BoundAnswer answer = bound(spec, {.intermediate = IntermediateBounds::Interval,
                                          .specification = SpecificationBounds::Interval,
                                          .input_terms = true});
  expect_near(answer.nominal, {-1 - 5});
}

// The relaxations of CROWN: with u = -l, r1 takes the lower line 0, with u > -l, r2 the identity; the upper lines are
// r1 <= (z1 + 2) / 2 and r2 <= (z2 + 1) 3 / 4.
TEST(CrownSpecification, WalksRowsToTheInput) {
  const LinearSpec spec = rows_of({1, 0, 0, 1, -1, 0}, {0, 0, 0});
  const BoundAnswer answer = bound(spec, {});
  // y1 >= 0 - 3/4 (x1 - x2 + 2) >= -3; y2 >= 0 + (x1 - x2 + 1) - 1 >= -2; -y1 >= (x1 - x2 + 1) - (x1 + x2 + 2) / 2
  // = x1 / 2 - 3 x2 / 2 >= -2.
  expect_near(answer.nominal, {-3, -2, -2});
}

// With one hidden layer, whose interval bounds are exact, all rules for intermediate bounds agree.
TEST(CrownWhereIntervalUnstable, FindsTheSameWhereIntervalsAreExact) {
  const LinearSpec spec = rows_of({1, 0, 0, 1}, {0, 0});
  const BoundAnswer tight = bound(spec, {});
  const BoundAnswer rule = bound(spec, {.intermediate = IntermediateBounds::CrownWhereIntervalUnstable});
  expect_near(rule.nominal, tight.nominal);
}

}  // namespace
}  // namespace boundflow
