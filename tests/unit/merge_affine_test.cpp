// merge-affine: what is merged and what is not, and that what cancels in merged constants stays in the error model.
// Golden texts are in tests/golden/passes, random networks in tests/soundness.
#include "passes/merge_affine.hpp"

#include <gtest/gtest.h>

#include "ops/sample_network.hpp"
#include "support/pass_checks.hpp"

namespace boundflow {
namespace {

const Attributes kPadded{{"pads", std::vector<std::int64_t>{1, 1, 1, 1}}};

Network merged(const Network& network) {
  return run_pass(network, "merge-affine");
}

class Builder : public SampleNetwork {
 public:
  using SampleNetwork::SampleNetwork;
  ValueId normalised(ValueId x) {
    const Shape channels{shape_of(x)[1]};
    return node("BatchNormalization", {x, nonzero_constant(channels), nonzero_constant(channels),
                                       nonzero_constant(channels), magnitudes(channels)});
  }
};

TEST(MergeAffine, NormalisationsBehindConvolutionsGo) {
  int finite = 0;
  for (int seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(static_cast<std::uint64_t>(seed));
    Builder builder(random);
    ValueId x = builder.input({1, 2, 3, 3});
    x = builder.node("Conv", {x, builder.nonzero_constant({3, 2, 3, 3}), builder.nonzero_constant({3})}, kPadded);
    x = builder.node("Relu", {builder.normalised(x)});
    x = builder.node("ConvTranspose", {x, builder.nonzero_constant({3, 2, 2, 2})});
    x = builder.normalised(x);
    const Network network = builder.finish("Mul", {x, builder.nonzero_constant({2, 1, 1})});
    const Network after = merged(network);
    ASSERT_EQ(after.nodes().size(), 3U) << print(after);
    EXPECT_EQ(count_op(after, "FoldedConv") + count_op(after, "FoldedConvTranspose"), 2);
    finite += expect_pass_keeps(network, after, random);
  }
  EXPECT_GT(finite, 0);
}

TEST(MergeAffine, ANormalisedInputGoesIntoTheFirstProduct) {
  for (int seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(static_cast<std::uint64_t>(seed));
    Builder builder(random);
    ValueId x = builder.input({1, 2, 3, 3});
    x = builder.node("Sub", {x, builder.nonzero_constant({2, 1, 1})});
    x = builder.node("Div", {x, builder.nonzero_constant({2, 1, 1})});
    const Network network = builder.finish("Conv", {x, builder.nonzero_constant({2, 2, 2, 2})});
    const Network after = run_passes(network, operator_table());
    EXPECT_EQ(after.nodes().size(), 1U) << print(after);
    EXPECT_GT(expect_pass_keeps(network, after, random), 0);
  }
}

TEST(MergeAffine, ReshapesAroundAProductAreLookedThrough) {
  Random random(5);
  Builder builder(random);
  ValueId x = builder.input({1, 2, 3});
  x = builder.node("Div", {builder.node("Sub", {x, builder.scalar(0.5)}), builder.scalar(3)});
  x = builder.node("MatMul", {builder.node("Flatten", {x}), builder.nonzero_constant({6, 4})});
  x = builder.node("Reshape", {x, builder.indices({1, 2, 2, 1})});
  const Network network = builder.finish("Add", {x, builder.nonzero_constant({2, 1, 1})});
  const Network after = run_passes(network, operator_table());
  EXPECT_EQ(count_op(after, "FoldedGemm"), 1) << print(after);
  EXPECT_EQ(after.nodes().size(), 3U) << print(after);  // and a Reshape on either side
  EXPECT_GT(expect_pass_keeps(network, after, random), 0);
}

TEST(MergeAffine, AShiftStaysBeforeAPaddedConvolution) {
  Random random(1);
  Builder builder(random);
  const ValueId x = builder.input({1, 2, 3, 3});
  const ValueId shifted = builder.node("Add", {x, builder.nonzero_constant({2, 1, 1})});
  const ValueId y = builder.node("Conv", {shifted, builder.nonzero_constant({1, 2, 3, 3})}, kPadded);
  // A scale alone does not mind.
  const ValueId scaled = builder.node("Mul", {builder.node("Relu", {y}), builder.scalar(3)});
  const Network network = builder.finish("Conv", {scaled, builder.nonzero_constant({1, 1, 3, 3})}, kPadded);
  const Network after = merged(network);
  EXPECT_EQ(count_op(after, "Add"), 1);
  EXPECT_EQ(count_op(after, "Mul"), 0);
  EXPECT_GT(expect_pass_keeps(network, after, random), 0);
}

// A runtime may scale each term of the sum, which rounds relative to terms that may cancel.
TEST(MergeAffine, AScaleBehindASumIsNotMovedAway) {
  Random random(1);
  for (const bool residual : {false, true}) {
    Builder builder(random);
    const ValueId x = builder.input({1, 2, 4, 4});
    ValueId sum = builder.node("AveragePool", {x}, {{"kernel_shape", std::vector<std::int64_t>{2, 2}}});
    if (residual) sum = builder.node("Sub", {sum, builder.node("Relu", {sum})});
    const ValueId scaled = builder.node("Mul", {sum, builder.nonzero_constant({2, 1, 1})});
    const Network network = builder.finish("Conv", {scaled, builder.nonzero_constant({1, 2, 1, 1})});
    EXPECT_EQ(count_op(merged(network), "Mul"), 1);
  }
}

TEST(MergeAffine, AScaleOfZeroStays) {
  Random random(1);
  Builder builder(random);
  const ValueId x = builder.input({1, 3});
  const ValueId y = builder.node("MatMul", {x, builder.nonzero_constant({3, 2})});
  const Network network = builder.finish("Mul", {y, builder.scalar(0)});
  EXPECT_EQ(count_op(merged(network), "Mul"), 1);
}

TEST(MergeAffine, OneRowPerColumnOfSeveralRows) {
  for (const bool per_row : {false, true}) {
    Random random(2);
    Builder builder(random);
    const ValueId x = builder.input({3, 2});
    const ValueId y = builder.node("MatMul", {x, builder.nonzero_constant({2, 4})});
    const Network network = builder.finish("Mul", {y, builder.nonzero_constant(per_row ? Shape{3, 1} : Shape{4})});
    const Network after = merged(network);
    EXPECT_EQ(count_op(after, "Mul"), per_row ? 1 : 0);
    EXPECT_GT(expect_pass_keeps(network, after, random), 0);
  }
}

// y = (x + 30000.1) 0.3 - 9000.03: the bias nearly cancels, the rounding of executions does not.
TEST(MergeAffine, CancellationInTheBiasStaysInTheErrorModel) {
  Network network;
  const ValueId x = network.add_input("x", {DType::Float32, {1, 1}});
  const auto constant = [&](const char* name, float value, Shape shape) {
    return network.add_constant(name, Tensor(std::move(shape), std::vector<float>{value}));
  };
  const auto add = [&](const char* op, std::vector<ValueId> inputs) {
    const std::string name = "n" + std::to_string(network.nodes().size());
    return network.node(append_node(network, operator_table(), op, name, std::move(inputs), {name})).outputs[0];
  };
  ValueId y = add("Gemm", {x, constant("w", 0.7F, {1, 1}), constant("b", 30000.1F, {1})});
  y = add("Mul", {y, constant("s", 0.3F, {})});
  y = add("Sub", {y, constant("t", 9000.03F, {})});
  network.set_outputs({y});
  const Network after = merged(network);
  ASSERT_EQ(after.nodes().size(), 1U);
  EXPECT_LT(std::fabs(after.value(after.node(0).inputs[2]).constant->at(0)), 0.01);
  Random random(3);
  const LinearSpec spec{.rows = 2,
                        .inputs = 1,
                        .outputs = 1,
                        .output_coefficients = {1, -1},
                        .output_coefficient_errors = {0, 0},
                        .constants = {0, 0},
                        .constant_errors = {0, 0}};
  double largest = 0;
  for (int trial = 0; trial < 200; ++trial) {
    const auto point = static_cast<double>(static_cast<float>(random.uniform(-1, 1)));
    const FlatQuery flat(spec, {InputBox{{point}, {point}}}, Semantics::Float32);
    const QueryEngine engine(std::make_shared<const Network>(after), make_reference_executor(), {});
    const BoundAnswer answer = engine.bound(flat.query, Deadline());
    const double executed = Float32Execution(network, random).run({point})[static_cast<std::size_t>(y)][0];
    EXPECT_LE(answer.nominal[0] - answer.error[0], executed);
    EXPECT_LE(answer.nominal[1] - answer.error[1], -executed);
    largest = std::max(largest, std::fabs(executed - answer.nominal[0]));
  }
  EXPECT_GT(largest, 1e-4);  // far more than a float32 of this size is off
}

// y = s (w1 x1 + w2 x2) with terms that nearly cancel: a runtime that scales the weights rounds each of them, and their
// products, relative to the terms.
TEST(MergeAffine, ExecutionsThatFoldAScaleAreCovered) {
  Random random(4);
  const LinearSpec spec{.rows = 2,
                        .inputs = 2,
                        .outputs = 1,
                        .output_coefficients = {1, -1},
                        .output_coefficient_errors = {0, 0},
                        .constants = {0, 0},
                        .constant_errors = {0, 0}};
  const auto number = [&] { return static_cast<float>(random.uniform(1, 1.1)); };
  double worst = 0;
  for (int trial = 0; trial < 400; ++trial) {
    const float s = number(), w1 = number(), w2 = number(), x1 = number(), x2 = -w1 * x1 / w2;
    Network network;
    const ValueId x = network.add_input("x", {DType::Float32, {1, 2}});
    const ValueId w = network.add_constant("w", Tensor({2, 1}, std::vector<float>{w1, w2}));
    const ValueId scale = network.add_constant("s", Tensor({}, std::vector<float>{s}));
    const NodeId product = append_node(network, operator_table(), "MatMul", "mm", {x, w}, {"p"});
    const NodeId scaled =
        append_node(network, operator_table(), "Mul", "mul", {network.node(product).outputs[0], scale}, {"y"});
    network.set_outputs(network.node(scaled).outputs);
    const auto after = std::make_shared<const Network>(merged(network));
    ASSERT_EQ(after->nodes().size(), 1U);
    const std::vector<double> point{static_cast<double>(x1), static_cast<double>(x2)};
    const FlatQuery flat(spec, {InputBox{point, point}}, Semantics::Float32);
    const BoundAnswer answer =
        QueryEngine(after, make_native_executor(Precision::Float64), {}).bound(flat.query, Deadline());
    const float folded1 = s * w1, folded2 = s * w2, left = folded1 * x1, right = folded2 * x2;
    const auto executed = static_cast<double>(left + right);
    EXPECT_LE(answer.nominal[0] - answer.error[0], executed);
    EXPECT_LE(answer.nominal[1] - answer.error[1], -executed);
    worst =
        std::max(worst, std::fabs(executed - answer.nominal[0]) / (2 * kUnitRoundoff32 * static_cast<double>(left)));
  }
  EXPECT_GT(worst, 1.2);  // more than one rounding of each term could lose
}

}  // namespace
}  // namespace boundflow
