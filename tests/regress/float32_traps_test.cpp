// Networks that are fine over the reals and fail when they run in float32. Other verifiers answer `unsat` where a
// float32 execution, such as onnxruntime's, violates the property.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "ops/operator.hpp"
#include "support/sanitized_time.hpp"
#include "support/verify_case.hpp"

namespace boundflow {
namespace {

using testing::StartsWith;

const std::string kGap = "proved for real arithmetic, float32 gap";

Options real_semantics() {
  Options options;
  options.semantics = "real";
  return options;
}

double execute(const OnnxModel& model, float x) {
  const Network network = model.import();
  const std::vector<Tensor> values = evaluate_network(network, Tensor({1, 1}, std::vector<float>{x}));
  return values[static_cast<std::size_t>(network.output())].at(0);
}

// y = relu(x + B) - B: near B, float32 counts in whole numbers.
OnnxModel absorbing_model(float big) {
  OnnxModel model;
  model.input("x", {1, 1});
  model.floats("B", {1, 1}, {big});
  model.node("Add", "add", {"x", "B"}, {"s"});
  model.node("Relu", "relu", {"s"}, {"r"});
  model.node("Sub", "sub", {"r", "B"}, {"y"});
  model.output("y", {1, 1});
  return model;
}

TEST(Float32Traps, AbsorbedInput) {
  const OnnxModel model = absorbing_model(12582912);
  EXPECT_EQ(execute(model, 0.6F), 1.0);  // an execution violates y >= 0.9
  const std::string property = declarations(1, 1) + input_bounds(0, "0", "0.6") + "(assert (>= Y_0 0.9))";
  const VerifyResult both = verify_case(model, property);
  EXPECT_EQ(both.verdict, "unknown");
  EXPECT_THAT(both.reason, StartsWith(kGap));
  EXPECT_EQ(verify_case(model, property, real_semantics()).verdict, "unsat");
  // The gap is an error bound, not a ban: far enough away both hold, and over the reals 0.5 is reached.
  const std::string far = declarations(1, 1) + input_bounds(0, "0", "0.6") + "(assert (>= Y_0 8))";
  EXPECT_EQ(verify_case(model, far).verdict, "unsat");
  const std::string near = declarations(1, 1) + input_bounds(0, "0", "0.6") + "(assert (>= Y_0 0.5))";
  EXPECT_EQ(verify_case(model, near).verdict, "sat");
}

// x 1 + 2^29 1.5 - 2^29 1.5 in one product: onnxruntime gives 0 at x = 0.4, and any order of the sum is allowed.
TEST(Float32Traps, AbsorbedInsideOneProduct) {
  OnnxModel model;
  model.input("x", {1, 1});
  model.floats("spread", {1, 3}, {1, 0, 0});
  model.floats("ones", {3}, {0, 1.5F, 1.5F});
  model.node("Gemm", "widen", {"x", "spread", "ones"}, {"h"});
  model.floats("W", {3, 1}, {1, 0x1p29F, -0x1p29F});
  model.floats("b", {1}, {0});
  model.node("Gemm", "cancel", {"h", "W", "b"}, {"y"});
  model.output("y", {1, 1});
  const std::string property = declarations(1, 1) + input_bounds(0, "0.4", "0.6") + "(assert (<= Y_0 0.3))";
  const VerifyResult both = verify_case(model, property);
  EXPECT_EQ(both.verdict, "unknown");
  EXPECT_THAT(both.reason, StartsWith(kGap));
  EXPECT_EQ(verify_case(model, property, real_semantics()).verdict, "unsat");
}

// A constant folded by the importer must not hide the rounding of the original order: (x + B) - B as Add, Add.
TEST(Float32Traps, AdditionsOfConstantsAreNotReassociated) {
  OnnxModel model;
  model.input("x", {1, 1});
  model.floats("plus", {1, 1}, {0x1p25F});
  model.floats("minus", {1, 1}, {-0x1p25F});
  model.node("Add", "up", {"x", "plus"}, {"s"});
  model.node("Add", "down", {"s", "minus"}, {"y"});
  model.output("y", {1, 1});
  ASSERT_EQ(execute(model, 1.0F), 0.0);
  const std::string property = declarations(1, 1) + input_bounds(0, "1", "1.5") + "(assert (<= Y_0 0.5))";
  EXPECT_NE(verify_case(model, property).verdict, "unsat");
  EXPECT_EQ(verify_case(model, property, real_semantics()).verdict, "unsat");
}

// Overflow: over the reals y = 3e38 x 2 1e-38 = 6 x; in float32 it is infinite at x = 1.
TEST(Float32Traps, ProductThatOverflows) {
  const OnnxModel model = dense_model(1, {{{3e38F}, {0}, true}, {{2}, {0}, true}, {{1e-38F}, {0}, false}});
  ASSERT_EQ(execute(model, 1.0F), std::numeric_limits<double>::infinity());
  const std::string property = declarations(1, 1) + input_bounds(0, "0", "1") + "(assert (>= Y_0 7))";
  Options options;
  options.timeout = 2 * kSanitizedTime;
  EXPECT_NE(verify_case(model, property, options).verdict, "unsat");
}

// The last sum overflows: float32 bounds of its parts are finite.
TEST(Float32Traps, BiasThatOverflows) {
  const OnnxModel model = dense_model(1, {{{2e38F}, {2e38F}, false}});
  ASSERT_EQ(execute(model, 1.0F), std::numeric_limits<double>::infinity());
  const std::string property = declarations(1, 1) + input_bounds(0, "0.9", "1") + "(assert (>= Y_0 5e38))";
  Options options;
  options.timeout = 2 * kSanitizedTime;
  EXPECT_NE(verify_case(model, property, options).verdict, "unsat");
  EXPECT_EQ(verify_case(model, property, real_semantics()).verdict, "unsat");
}

// (a + a) - a with a near 2e38: Inf in float32, a over the reals. With minus a + a instead, NaN.
OnnxModel doubling_model(bool twice) {
  OnnxModel model;
  model.input("x", {1, 1});
  model.floats("W", {1, 1}, {2e38F});
  model.node("Gemm", "scale", {"x", "W"}, {"a"});
  model.node("Add", "double", {"a", "a"}, {"s"});
  model.node("Sub", "back", {"s", twice ? "s" : "a"}, {"y"});
  model.output("y", {1, 1});
  return model;
}

TEST(Float32Traps, SumThatOverflows) {
  const OnnxModel model = doubling_model(false);
  ASSERT_EQ(execute(model, 1.0F), std::numeric_limits<double>::infinity());
  const std::string property = declarations(1, 1) + input_bounds(0, "0.9", "1") + "(assert (>= Y_0 3e38))";
  Options options;
  options.timeout = 2 * kSanitizedTime;
  EXPECT_NE(verify_case(model, property, options).verdict, "unsat");
}

TEST(Float32Traps, InfinityMinusInfinityIsNoProof) {
  const OnnxModel model = doubling_model(true);
  ASSERT_TRUE(std::isnan(execute(model, 1.0F)));
  Options options;
  options.timeout = 2 * kSanitizedTime;
  for (const std::string atom : {"(assert (>= Y_0 1))", "(assert (<= Y_0 -1))"}) {
    const std::string property = declarations(1, 1) + input_bounds(0, "0.9", "1") + atom;
    EXPECT_NE(verify_case(model, property, options).verdict, "unsat") << atom;
  }
}

// A NaN bound compared the wrong way round reads as "below the threshold": constants that are not finite.
TEST(Float32Traps, ConstantsThatAreNotFiniteGiveNoProof) {
  for (const float constant : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                               -std::numeric_limits<float>::infinity()}) {
    for (const std::string atom : {"(assert (>= Y_0 1))", "(assert (<= Y_0 -1))"}) {
      const OnnxModel model = dense_model(1, {{{1}, {constant}, true}, {{1}, {0}, false}});
      const std::string property = declarations(1, 1) + input_bounds(0, "0.1", "0.2") + atom;
      Options options;
      options.timeout = 1 * kSanitizedTime;
      try {
        EXPECT_NE(verify_case(model, property, options).verdict, "unsat") << constant << atom;
      } catch (const Error&) {
        SUCCEED();  // refusing the model is as good
      }
    }
  }
}

// alpha may be applied to a sum that has overflowed already.
TEST(Float32Traps, ScaledProductThatOverflowsBeforeItIsScaled) {
  OnnxModel model = dense_model(1, {{{3e38F}, {0}, false}});
  OnnxModel::float_attribute(model.graph()->mutable_node(0), "alpha", 0x1p-100F);
  ASSERT_EQ(execute(model, 2.0F), std::numeric_limits<double>::infinity());
  const std::string property = declarations(1, 1) + input_bounds(0, "1", "2") + "(assert (>= Y_0 1e10))";
  Options options;
  options.timeout = 2 * kSanitizedTime;
  EXPECT_NE(verify_case(model, property, options).verdict, "unsat");
  EXPECT_EQ(verify_case(model, property, real_semantics()).verdict, "unsat");
}

// Large is not infinite: what cannot overflow is still proved.
TEST(Float32Traps, LargeFiniteValuesAreProved) {
  const OnnxModel model = dense_model(1, {{{1e37F}, {1e37F}, true}, {{1, 1}, {0, 0}, false}});
  const std::string property = declarations(1, 2) + input_bounds(0, "0", "1") + "(assert (>= Y_0 2.1e37))";
  EXPECT_EQ(verify_case(model, property).verdict, "unsat");
}

// Inputs whose float32 is infinite.
TEST(Float32Traps, InputsBeyondTheRangeOfFloat32AreRefused) {
  const OnnxModel model = dense_model(1, {{{1}, {0}, false}});
  const std::string property = declarations(1, 1) + input_bounds(0, "0", "1e39") + "(assert (>= Y_0 2e39))";
  EXPECT_THROW(verify_case(model, property), InputError);
}

// y_0 - y_1 = relu(t) - 1.5 relu(t) - 0.001 for t = x_0 - 0.5, plus 20 sums of 40 inputs that both outputs add up
// alike. Their rounding errors cancel in a row, but not in the matrix that a specialised network reads the inputs by.
TEST(TightMargins, AreProvedWhereMergedProductsLeaveThemOpen) {
  constexpr int kInputs = 40, kSums = 20;
  DenseLayer first, second{{}, {-0.001F, 0}, false};
  for (int i = 0; i < kInputs; ++i) {
    for (int j = 0; j < kSums; ++j) first.weights.push_back(0.1F + 0.01F * static_cast<float>(j));
    for (int j = 0; j < 2; ++j) first.weights.push_back(i == 0 ? 1.0F : 0.0F);
  }
  first.bias.assign(kSums, 1.0F);
  first.bias.insert(first.bias.end(), {-0.5F, -0.5F});
  second.weights.assign(2 * kSums, 1.0F);
  second.weights.insert(second.weights.end(), {1.0F, 0.0F, -1.5F, 0.0F});
  std::string text = declarations(kInputs, 2) + "(assert (>= Y_0 Y_1))";
  for (int i = 0; i < kInputs; ++i) text += input_bounds(i, "0", "1");
  const VerifyResult result = verify_case(dense_model(kInputs, {first, second}), text);
  EXPECT_EQ(result.verdict, "unsat") << result.reason;
  const auto statistics = nlohmann::json::parse(result.json).at("statistics");
  EXPECT_GT(statistics.at("bounded_in_double").get<int>(), 0) << "the margin is not tight enough";
}

}  // namespace
}  // namespace boundflow
