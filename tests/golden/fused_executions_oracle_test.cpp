// Executions of onnxruntime lie inside the bounds for float32 executions where it computes several nodes as one: scales
// that it folds into weights, sums that it adds to while they grow.
#include <gtest/gtest.h>

#include <cmath>

#include "support/executions.hpp"

namespace boundflow {
namespace {

class FusedExecutions : public Executions {};

// A convolution's sums of ordinary terms, and an exact one that is larger than any of them: each partial sum that is
// added to it is rounded to its size.
Case large_residual(Random& random) {
  constexpr std::int64_t kFrom = 64, kTo = 16, kPixels = 16;
  Chain chain("large_residual", {1, kFrom, 4, 4});
  std::vector<float> diagonal(kFrom * kTo, 0.0F);
  for (std::size_t c = 0; c < kTo; ++c) diagonal[c * kFrom + c] = 0x1p22F;
  chain.then("Conv", {chain.constant({kTo, kFrom, 1, 1}, diagonal)});
  const std::string large = chain.current;
  chain.current = "x";
  auto* conv = chain.then("Conv", {chain.constant({kTo, kFrom, 3, 3}, uniform(random, kTo * kFrom * 9, 0.5, 1))});
  OnnxModel::ints_attribute(conv, "pads", {1, 1, 1, 1});
  chain.then("Add", {large});
  Case result = chain.finish();
  result.points = uniform(random, 4 * kFrom * kPixels, 0.5, 1);
  return result;
}

TEST_F(FusedExecutions, ThatAddTheSumsOfAConvolutionToAResidualStayInsideTheBounds) {
  Random random(4);
  expect_inside({large_residual(random)}, 20);
}

// (1, -1) in every channel, so that neighbours cancel after the layer, but not once each weight carries a factor.
Case folded_into(const std::string& layer, const std::string& scale) {
  Chain chain(layer + "_" + scale, layer == "Conv" || layer == "ConvTranspose" ? std::vector<std::int64_t>{1, 2, 4, 4}
                                                                               : std::vector<std::int64_t>{1, 2});
  const std::vector<std::int64_t> channels{4};
  std::vector<float> weights{1, -1, 3, -1, 1, -3, 1, -1};  // [4, 2]
  if (layer == "Conv") {
    chain.then("Conv", {chain.constant({4, 2, 1, 1}, weights), chain.constant(channels, {0, 0, 1, 1e3F})});
  } else {
    weights = {1, 3, 1, 1, -1, -1, -3, -1};
    if (layer == "ConvTranspose") chain.then(layer, {chain.constant({2, 4, 1, 1}, weights)});
    if (layer == "Gemm") {
      chain.then(layer, {chain.constant({2, 4}, weights), chain.constant(channels, {0, 0, 1, 1e3F})});
    }
    if (layer == "MatMul") chain.then(layer, {chain.constant({2, 4}, weights)});
  }
  const std::vector<float> factors{0.7F, 1.3F, 1e3F, 3e-3F};
  if (scale == "BatchNormalization") {
    chain.then(scale, {chain.constant(channels, factors), chain.constant(channels, {0, 0.1F, 0, -3}),
                       chain.constant(channels, {0, 0, 1, 1e3F}), chain.constant(channels, {1, 0.3F, 1, 1e-3F})});
  } else if (layer == "MatMul") {
    chain.then(scale, {chain.constant({1}, {0.7F})});
  } else {
    chain.then(scale, {chain.constant({1, 4, 1, 1}, factors)});
  }
  return chain.finish();
}

// x and the bias cancel before the scale; once it is in both of them, they are rounded before they cancel. The factors
// take what is rounded to just above a power of two, where roundings are largest, and are those that lose most.
Case cancelling_with_the_bias(const std::string& layer, const std::string& scale) {
  constexpr std::int64_t kChannels = 1;  // which takes the runtime to kernels that round the product
  constexpr float kPoint = 1.9719037F;
  Random random(2);
  std::vector<float> bias, factors;
  while (factors.size() < kChannels) {
    float b = -kPoint;
    for (std::int64_t k = random.integer(0, 2); k > 0; --k) b = std::nextafter(b, 0.0F);
    const float factor = static_cast<float>(2 * random.uniform(1, 1.05)) / kPoint;
    const float folded = factor * kPoint + b * factor;
    const double exact = (static_cast<double>(kPoint) + static_cast<double>(b)) * static_cast<double>(factor);
    if (std::fabs(static_cast<double>(folded) - exact) < 0x1p-23 * 1.6) continue;
    bias.push_back(b);
    factors.push_back(factor);
  }
  const std::vector<std::int64_t> each{kChannels};
  const bool dense = layer == "Gemm";
  Chain chain(layer + "_bias_" + scale,
              dense ? std::vector<std::int64_t>{1, 1} : std::vector<std::int64_t>{1, 1, 1, 1});
  const std::vector<float> ones(kChannels, 1.0F), zeros(kChannels, 0.0F);
  if (dense) {
    chain.then(layer, {chain.constant({1, kChannels}, ones), chain.constant(each, bias)});
  } else {
    const bool transposed = layer == "ConvTranspose";
    const std::vector<std::int64_t> shape{transposed ? 1 : kChannels, transposed ? kChannels : 1, 1, 1};
    if (layer == "ConvAdd") {
      chain.then("Conv", {chain.constant(shape, ones)});
      chain.then("Add", {chain.constant({1, kChannels, 1, 1}, bias)});
    } else {
      chain.then(layer, {chain.constant(shape, ones), chain.constant(each, bias)});
    }
  }
  if (scale == "Mul") {
    chain.then(scale, {chain.constant({1, kChannels, 1, 1}, factors)});
  } else {
    auto* node = chain.then(scale, {chain.constant(each, factors), chain.constant(each, zeros),
                                    chain.constant(each, zeros), chain.constant(each, ones)});
    OnnxModel::float_attribute(node, "epsilon", 0);
  }
  Case result = chain.finish();
  float x = kPoint;
  for (int k = 0; k < 4; ++k, x = std::nextafter(x, 3.0F)) result.points.push_back(x);
  return result;
}

TEST_F(FusedExecutions, ThatFoldAScaleIntoALayerWhoseTermsCancelStayInsideTheBounds) {
  std::vector<Case> cases;
  for (const char* layer : {"Conv", "ConvAdd", "ConvTranspose", "Gemm"}) {
    cases.push_back(cancelling_with_the_bias(layer, "BatchNormalization"));
  }
  for (const char* layer : {"Conv", "ConvAdd", "ConvTranspose"}) {
    cases.push_back(cancelling_with_the_bias(layer, "Mul"));
  }
  expect_inside(cases, 100);
}

TEST_F(FusedExecutions, ThatFoldBatchNormalizationAndScalesIntoTheLayerBeforeStayInsideTheBounds) {
  expect_inside({folded_into("Conv", "BatchNormalization"), folded_into("ConvTranspose", "BatchNormalization"),
                 folded_into("Gemm", "BatchNormalization"), folded_into("MatMul", "BatchNormalization"),
                 folded_into("Conv", "Mul"), folded_into("MatMul", "Mul"), folded_into("MatMul", "Div")},
                200);
}

}  // namespace
}  // namespace boundflow
