// Executions of onnxruntime, at every level of optimisation, lie inside the bounds for float32 executions at the same
// point: small networks that lose as much to rounding as they can, at inputs chosen to make them.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <iostream>

#include "base/random.hpp"
#include "boundflow/boundflow.hpp"
#include "io/npz.hpp"
#include "io/npz_writer.hpp"
#include "support/onnx_model.hpp"
#include "support/onnxruntime.hpp"
#include "support/temp_folder.hpp"

namespace boundflow {
namespace {

struct Case {
  std::string name;
  OnnxModel model;
  std::int64_t inputs;
  std::vector<float> points = {};  // to be tried besides the hard ones
};

std::vector<float> uniform(Random& random, std::int64_t count, double low = -1, double high = 1) {
  std::vector<float> values;
  for (; count > 0; --count) values.push_back(static_cast<float>(random.uniform(low, high)));
  return values;
}

// Every way to be hard: cancelling neighbours, one large coordinate, saturation, subnormal numbers, zeros, corners.
std::vector<float> hard_point(Random& random, std::int64_t inputs) {
  std::vector<float> x = uniform(random, inputs);
  const auto magnitude = [&](int low, int high) {
    return std::ldexp(1.0F, static_cast<int>(random.integer(low, high)));
  };
  switch (random.integer(0, 7)) {
    case 0:
      break;
    case 1:
      for (float& v : x) v = random.coin() ? 1.0F : -1.0F;
      break;
    case 2:
      for (float& v : x) v = std::nextafter(x[0], random.coin() ? 2.0F : -2.0F);
      break;
    case 3:
      for (float& v : x) v *= magnitude(-20, 20);
      break;
    case 4:
      x[static_cast<std::size_t>(random.integer(0, inputs - 1))] *= magnitude(20, 30);
      break;
    case 5:
      for (float& v : x) v *= 100;
      break;
    case 6:
      for (float& v : x) v *= magnitude(-149, -120);
      break;
    default:
      for (float& v : x) v = random.coin() ? v : 0.0F;
  }
  return x;
}

class Executions : public testing::Test {
 protected:
  // All cases at many points: what the runtime computes against what the command `bounds` states.
  void expect_inside(const std::vector<Case>& cases, int points) {
    Random random(0);
    std::vector<BoundsRequest> requests;
    for (const Case& test : cases) {
      folder_.write(test.name + ".onnx", test.model.bytes());
      std::vector<float> x = test.points;
      for (int k = 0; k < points; ++k) {
        const std::vector<float> point = hard_point(random, test.inputs);
        x.insert(x.end(), point.begin(), point.end());
      }
      BoundsRequest request;
      request.lower.assign(x.begin(), x.end());
      request.upper = request.lower;
      NpzWriter writer;
      writer.add("x", {static_cast<std::int64_t>(x.size()) / test.inputs, test.inputs}, request.lower);
      folder_.write(test.name + ".x.npz", writer.finish());
      requests.push_back(std::move(request));
    }
    for (const std::string subnormal : {"keep", "flush"}) {
      std::vector<std::string> arguments{"--executions", subnormal};
      for (const Case& test : cases) {
        for (const char* suffix : {".y.npz", ".onnx", ".x.npz"}) arguments.push_back(folder_.path(test.name + suffix));
      }
      if (const std::string reason = ask_onnxruntime(arguments); !reason.empty()) GTEST_SKIP() << reason;
      for (std::size_t i = 0; i < cases.size(); ++i) {
        SCOPED_TRACE(cases[i].name + ", subnormal numbers: " + subnormal);
        compare(cases[i], requests[i], subnormal == "flush");
      }
    }
  }

 private:
  void compare(const Case& test, BoundsRequest& request, bool flushed) {
    const auto oracle = read_npz(folder_.path(test.name + ".y.npz"));
    if (const auto error = oracle.find("error"); error != oracle.end()) {
      FAIL() << "no reference: " << error->second.texts.at(0);
    }
    const Array& y = oracle.at("y");
    for (const char* method : {"ibp", "crown"}) {
      request.method = method;
      const BoundsResult bounds = boundflow::bounds(folder_.path(test.name + ".onnx"), request, {});
      ASSERT_EQ(static_cast<std::size_t>(bounds.queries * bounds.rows) * oracle.at("configurations").texts.size(),
                y.values.size());
      int outside = 0;
      std::size_t finite = 0;
      double closest = 0;  // how much of the room is used
      for (std::size_t n = 0; n < bounds.lower.size(); ++n) {
        const double l = bounds.lower[n], u = bounds.upper[n];
        if (std::isfinite(l) && std::isfinite(u)) ++finite;
        for (std::size_t c = 0; c < oracle.at("configurations").texts.size(); ++c) {
          const double executed = y.values[c * bounds.lower.size() + n];
          const bool unknown = std::isinf(l) && std::isinf(u);
          // An output that is subnormal counts as zero itself.
          if (flushed && executed == 0 && l < 0x1p-126 && u > -0x1p-126) continue;
          if (unknown || (l <= executed && executed <= u)) {
            if (!unknown && u > l) closest = std::max(closest, std::fabs(executed - (l + u) / 2) / ((u - l) / 2));
            continue;
          }
          if (++outside > 3) continue;
          const std::size_t point = n / static_cast<std::size_t>(bounds.rows);
          ADD_FAILURE() << method << ", " << oracle.at("configurations").texts[c] << ", point " << point << ", output "
                        << n % static_cast<std::size_t>(bounds.rows) << ": " << executed << " is outside of [" << l
                        << ", " << u << "] by " << std::max(l - executed, executed - u) << "; the width is " << u - l;
        }
      }
      EXPECT_EQ(outside, 0) << method;
      EXPECT_GT(4 * finite, 3 * bounds.lower.size()) << method << " states next to nothing";
      std::cout << test.name << " " << method << ": at most " << closest << " of the error is seen\n";
    }
  }

  TempFolder folder_;
};

// x [1, n] -> ... -> y: nodes one after the other, each with constants of its own.
struct Chain {
  Chain(std::string name, std::vector<std::int64_t> shape) : result{std::move(name), OnnxModel(), 1} {
    for (const std::int64_t extent : shape) result.inputs *= extent;
    result.model.input("x", shape);
  }
  std::string constant(std::vector<std::int64_t> shape, const std::vector<float>& values) {
    const std::string id = "c" + std::to_string(next++);
    result.model.floats(id, shape, values);
    return id;
  }
  // Appends a node; `more` follows the current value.
  onnx::NodeProto* then(const std::string& op, const std::vector<std::string>& more = {}) {
    std::vector<std::string> inputs{current};
    inputs.insert(inputs.end(), more.begin(), more.end());
    current = op + std::to_string(next++);
    return result.model.node(op, current, inputs, {current});
  }
  Case finish() {
    result.model.graph()->add_output()->set_name(current);
    result.model.graph()->mutable_output(0)->mutable_type()->mutable_tensor_type()->set_elem_type(OnnxModel::kFloat);
    return result;
  }
  Case result;
  std::string current = "x";
  int next = 0;
};

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
  OnnxModel::ints_attribute(chain.then(op), "axes", {2, 3});
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

TEST_F(Executions, ThatFoldAScaleIntoALayerWhoseTermsCancelStayInsideTheBounds) {
  std::vector<Case> cases;
  for (const char* layer : {"Conv", "ConvAdd", "ConvTranspose", "Gemm"}) {
    cases.push_back(cancelling_with_the_bias(layer, "BatchNormalization"));
  }
  for (const char* layer : {"Conv", "ConvAdd", "ConvTranspose"}) {
    cases.push_back(cancelling_with_the_bias(layer, "Mul"));
  }
  expect_inside(cases, 100);
}

TEST_F(Executions, ThatFoldBatchNormalizationAndScalesIntoTheLayerBeforeStayInsideTheBounds) {
  expect_inside({folded_into("Conv", "BatchNormalization"), folded_into("ConvTranspose", "BatchNormalization"),
                 folded_into("Gemm", "BatchNormalization"), folded_into("MatMul", "BatchNormalization"),
                 folded_into("Conv", "Mul"), folded_into("MatMul", "Mul"), folded_into("MatMul", "Div")},
                200);
}

}  // namespace
}  // namespace boundflow
