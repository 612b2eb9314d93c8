// Executions of onnxruntime lie inside the bounds for float32 executions: small networks that lose as much to rounding
// as they can, node by node.
#include <gtest/gtest.h>

#include "support/executions.hpp"

namespace boundflow {
namespace {

Case dense(const std::string& name, Random& random, int layers, std::int64_t width) {
  Chain chain(name, {1, 5});
  std::int64_t from = 5;
  for (int k = 0; k < layers; ++k) {
    chain.then("Gemm", {chain.constant({from, width}, uniform(random, from * width)),
                        chain.constant({width}, uniform(random, width))});
    if (k + 1 < layers) chain.then("Relu");
    from = width;
  }
  return chain.finish();
}

// Terms of 1e8 and 1 in one sum, for the sums of two nodes.
Case cancelling_sums(Random& random) {
  Chain chain("cancelling_sums", {1, 6});
  std::vector<float> weights = uniform(random, 6 * 4);
  for (std::size_t j = 0; j < 4; ++j) {
    weights[j] = 1e8F;
    weights[4 + j] = -1e8F;
    weights[4 * (j % 3 + 2) + j] = j % 2 == 0 ? 3e5F : 0x1p24F;
  }
  chain.then("MatMul", {chain.constant({6, 4}, weights)});
  chain.then("Add", {chain.constant({4}, {1e8F, -1e8F, 1, 0x1p24F})});
  chain.then("Relu");
  chain.then("Gemm", {chain.constant({4, 2}, {1, -1, -1, 1, 0x1p-24F, 1, 1, 3})});
  return chain.finish();
}

Case absorption() {
  Chain chain("absorption", {1, 4});
  const std::string large = chain.constant({1, 4}, {0x1p24F, 1e8F, -3e7F, 1e10F});
  chain.then("Add", {large});
  chain.then("Sub", {large});
  return chain.finish();
}

// Long sums of small terms, and a constant that every partial sum may be absorbed by, once it is taken into the sum.
Case absorbing_constant(const std::string& layer, Random& random) {
  constexpr std::int64_t kLength = 2000;
  const bool dense = layer == "MatMul";
  Chain chain("absorbing_" + layer,
              dense ? std::vector<std::int64_t>{1, kLength} : std::vector<std::int64_t>{1, kLength / 9, 3, 3});
  if (dense) {
    chain.then(layer, {chain.constant({kLength, 3}, uniform(random, kLength * 3))});
    chain.then("Add", {chain.constant({1, 3}, {0x1p24F, 3e7F, -1e9F})});
  } else {
    chain.then(layer, {chain.constant({3, kLength / 9, 3, 3}, uniform(random, kLength / 9 * 27))});
    chain.then("Add", {chain.constant({1, 3, 1, 1}, {0x1p24F, 3e7F, -1e9F})});
  }
  return chain.finish();
}

Case scaled_gemm(Random& random) {
  Chain chain("scaled_gemm", {1, 6});
  auto* gemm = chain.then("Gemm", {chain.constant({6, 3}, uniform(random, 18)), chain.constant({3}, {0.1F, 1e-3F, 7})});
  OnnxModel::float_attribute(gemm, "alpha", 0.1F);
  OnnxModel::float_attribute(gemm, "beta", 3.3F);
  return chain.finish();
}

// A 3x3 convolution with padding; `channels` multiples of eight make the runtime block them.
void convolve(Chain& chain, Random& random, std::int64_t from, std::int64_t to) {
  auto* conv = chain.then("Conv", {chain.constant({to, from, 3, 3}, uniform(random, to * from * 9)),
                                   chain.constant({to}, uniform(random, to))});
  OnnxModel::ints_attribute(conv, "pads", {1, 1, 1, 1});
}

void window(onnx::NodeProto* pool) {
  OnnxModel::ints_attribute(pool, "kernel_shape", {3, 3});
  OnnxModel::ints_attribute(pool, "strides", {2, 2});
  OnnxModel::ints_attribute(pool, "pads", {1, 1, 1, 1});
}

Case convolutions(Random& random, const std::string& pool, std::int64_t channels) {
  Chain chain("convolutions_" + pool, {1, 2, 6, 6});
  convolve(chain, random, 2, channels);
  chain.then("Relu");
  auto* node = chain.then(pool);
  if (pool != "GlobalAveragePool") window(node);
  convolve(chain, random, channels, 3);
  return chain.finish();
}

Case reduced(const std::string& op, bool convolved, Random& random) {
  Chain chain("reduced_" + op, {1, 3, 5, 7});
  if (convolved) convolve(chain, random, 3, 2);
  if (op == "ReduceSum") {  // its axes are an input since opset 13
    chain.result.model.ints("axes", {2, 3});
    chain.then(op, {"axes"});
  } else {
    OnnxModel::ints_attribute(chain.then(op), "axes", {2, 3});
  }
  return chain.finish();
}

Case transposed_convolution(Random& random) {
  Chain chain("transposed_convolution", {1, 3, 3, 3});
  auto* conv = chain.then("ConvTranspose",
                          {chain.constant({3, 2, 3, 3}, uniform(random, 54)), chain.constant({2}, uniform(random, 2))});
  OnnxModel::ints_attribute(conv, "strides", {2, 2});
  return chain.finish();
}

// Nodes of one operand, with what they need behind them.
Case unary(const std::string& op, const std::vector<float>& constant = {}) {
  Chain chain("unary_" + op, {1, 4});
  if (constant.empty()) {
    chain.then(op);
  } else {
    chain.then(op, {chain.constant({1, 4}, constant)});
  }
  chain.then("Gemm", {chain.constant({4, 2}, {1, -1, -1, 0.3F, 1, 3, 1e5F, 1})});
  return chain.finish();
}

// Products of two variables; with a sigmoid of the first, the runtime has a fused kernel.
Case product(Random& random, bool gated) {
  Chain chain(gated ? "gated_product" : "product", {1, 5});
  chain.then("Gemm", {chain.constant({5, 4}, uniform(random, 20, -3, 3))});
  const std::string first = chain.current;
  if (gated) {
    chain.then("Mul", {chain.constant({1}, {1.702F})});
    chain.then("Sigmoid");
  } else {
    chain.current = "x";
    chain.then("Gemm", {chain.constant({5, 4}, uniform(random, 20)), chain.constant({4}, uniform(random, 4))});
  }
  chain.then("Mul", {first});
  return chain.finish();
}

Case residual(Random& random) {
  Chain chain("residual", {1, 4});
  for (int k = 0; k < 5; ++k) {
    const std::string before = chain.current;
    chain.then("Gemm", {chain.constant({4, 4}, uniform(random, 16, -2, 2)), chain.constant({4}, uniform(random, 4))});
    chain.then("Relu");
    chain.then(k % 2 == 0 ? "Add" : "Sub", {before});
  }
  return chain.finish();
}

// Tiny weights, and a large one that makes what underflow took visible.
Case subnormal_weights(Random& random) {
  Chain chain("subnormal_weights", {1, 4});
  std::vector<float> tiny = uniform(random, 16);
  for (float& w : tiny) w *= 0x1p-130F;
  chain.then("Gemm", {chain.constant({4, 4}, tiny)});
  chain.then("Gemm", {chain.constant({4, 2}, {1e30F, 1e28F, -1e30F, 1, 1e20F, 1, 1, 1})});
  return chain.finish();
}

// What only selects is exact, unless subnormal numbers count as zero.
Case subnormal_selections() {
  Chain chain("subnormal_selections", {1, 4});
  chain.then("Relu");
  OnnxModel::float_attribute(chain.then("LeakyRelu"), "alpha", 1e3F);
  chain.then("Max", {chain.constant({1, 4}, {0x1p-140F, 0, 0x1p-126F, 0x1p-149F})});
  chain.then("Gemm", {chain.constant({4, 2}, {0x1p120F, 1, 0x1p120F, 1, 0x1p120F, 1, 0x1p120F, 1})});
  return chain.finish();
}

TEST_F(Executions, OfAdversarialNetworksStayInsideTheBounds) {
  Random random(1);
  std::vector<Case> cases{absorption(), cancelling_sums(random), scaled_gemm(random), dense("deep", random, 8, 16),
                          dense("wide", random, 2, 200)};
  cases.push_back(convolutions(random, "MaxPool", 8));
  cases.push_back(convolutions(random, "AveragePool", 3));
  cases.push_back(convolutions(random, "GlobalAveragePool", 16));
  cases.push_back(reduced("ReduceMean", true, random));
  cases.push_back(reduced("ReduceSum", false, random));
  for (const char* layer : {"Conv", "MatMul"}) cases.push_back(absorbing_constant(layer, random));
  cases.push_back(transposed_convolution(random));
  for (const char* op : {"Sigmoid", "Tanh", "LeakyRelu", "Abs", "Neg"}) cases.push_back(unary(op));
  cases.push_back(unary("Div", {3, 8, -1e-3F, 7e5F}));
  cases.push_back(unary("Mul", {3, 0.25F, -1e-3F, 7e5F}));
  cases.push_back(unary("Min", {0.3F, -1, 0, 1e-3F}));
  cases.push_back(product(random, false));
  cases.push_back(product(random, true));
  cases.push_back(residual(random));
  cases.push_back(subnormal_weights(random));
  expect_inside(cases, 100);
}

// A factor that counts as zero takes the other with it, however large that one is.
Case subnormal_factors() {
  Chain chain("subnormal_factors", {1, 4});
  const auto slice = [&](std::int64_t first) {
    const std::string id = std::to_string(first);
    chain.result.model.ints("starts" + id, {first});
    chain.result.model.ints("ends" + id, {first + 2});
    chain.result.model.ints("axes" + id, {1});
    chain.current = "x";
    chain.then("Slice", {"starts" + id, "ends" + id, "axes" + id});
    return chain.current;
  };
  const std::string first = slice(0);
  slice(2);
  chain.then("Mul", {first});
  Case result = chain.finish();
  result.points = {0x1p-127F, 0x1p-149F, 0x1p100F, -0x1p126F, -0x1p20F, 0x1p127F, 0x1.8p-128F, 0x1p-127F};
  return result;
}

Case last_selection(const std::string& op) {
  Chain chain("last_" + op, {1, 4});
  if (op == "Relu" || op == "Abs") {
    chain.then(op);
  } else {
    chain.then(op, {chain.constant({1, 4}, {0x1p-140F, 0, 0x1p-126F, 0x1p-149F})});
  }
  return chain.finish();
}

TEST_F(Executions, WhoseSubnormalNumbersCountAsZeroStayInsideTheBounds) {
  expect_inside({subnormal_selections(), subnormal_factors(), last_selection("Relu"), last_selection("Abs"),
                 last_selection("Max"), last_selection("Min")},
                100);
}

}  // namespace
}  // namespace boundflow
