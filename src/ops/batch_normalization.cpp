// BatchNormalization as inference runs it: y = s (x - mean) + B with s = scale / sqrt(var + epsilon), per channel.
// Opsets 6 to 15; the flags of opsets 6 and 7 and outputs that only training has are checked at import.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "ops/operator_list.hpp"
#include "ops/sample_network.hpp"
#include "ops/type_rules.hpp"

namespace boundflow {

namespace {

constexpr std::array<std::string_view, 5> kRoles{"X", "scale", "B", "the mean", "the variance"};

std::vector<TensorType> infer(const NodeView& node) {
  const DType dtype = common_floating_dtype(node);
  const Shape& x = node.input_type(0).shape;
  if (x.size() < 2) node.malformed(fmt::format("X {} must have a batch and channels", to_string(x)));
  for (std::size_t i = 1; i < kRoles.size(); ++i) {
    if (node.input_type(i).shape != Shape{x[1]}) {
      node.malformed(fmt::format("{} (input {}) is {}, but X {} has {} channels", kRoles[i], i,
                                 to_string(node.input_type(i)), to_string(x), x[1]));
    }
  }
  if (node.int_attribute("training_mode", 0) != 0) node.unsupported("training mode is not supported");
  return {{dtype, x}};
}

double epsilon(const NodeView& node) {
  return node.float_attribute("epsilon", static_cast<double>(1e-5F));
}

// Channel of element j, for `inner` elements per channel.
std::size_t channel_of(std::size_t j, std::size_t inner, std::size_t channels) {
  return j / inner % channels;
}

std::size_t elements_per_channel(const Shape& x) {
  return static_cast<std::size_t>(element_count(Shape(x.begin() + 2, x.end())));
}

std::vector<Tensor> evaluate(const NodeView& node, std::span<const Tensor* const> inputs) {
  const Shape& shape = inputs[0]->shape();
  return with_floating_type(inputs[0]->dtype(), [&](auto zero) -> std::vector<Tensor> {
    using T = decltype(zero);
    const std::vector<T>&scale = elements<T>(*inputs[1]), &b = elements<T>(*inputs[2]), &mean = elements<T>(*inputs[3]),
          &variance = elements<T>(*inputs[4]);
    const std::size_t inner = elements_per_channel(shape);
    std::vector<T> y = elements<T>(*inputs[0]);
    for (std::size_t j = 0; j < y.size(); ++j) {
      const std::size_t c = channel_of(j, inner, scale.size());
      const T factor = scale[c] / std::sqrt(variance[c] + static_cast<T>(epsilon(node)));
      y[j] = y[j] * factor + (b[c] - mean[c] * factor);
    }
    return {Tensor(shape, std::move(y))};
  });
}

// y = factor x + shift, one channel's. `factor` is within 2^-49 of the exact one: a sum, a root and a quotient round,
// the root halving what came before. `shift` is within 8 * 2^-53 of `magnitude`: a product and a sum on top of that.
struct Channel {
  double factor = 0;
  double shift = 0;
  double magnitude = 0;
  double growth = 1;
};

Channel channel(const NodeView& node, std::size_t c) {
  const auto at = [&](std::size_t input) { return node.constant(input)->at(static_cast<std::int64_t>(c)); };
  const double scale = at(1), b = at(2), mean = at(3), variance = at(4) + epsilon(node);
  if (!(variance > 0)) node.malformed(fmt::format("the variance of channel {} plus epsilon is not positive", c));
  const double root = std::sqrt(variance);
  Channel channel;
  channel.factor = scale / root;
  const double product = mean * channel.factor;
  channel.shift = b - product;
  channel.magnitude = std::fabs(b) + std::fabs(product);
  // Below the smallest ones the relative errors above need not hold, or executions divide by zero; near the largest
  // they overflow before x comes in.
  constexpr double kSmallest = 0x1p-900, kSmallestVariance = 0x1p-120, kLargest = 0x1p120;
  const auto fits = [](double part) {
    return part == 0 || (std::fabs(part) >= kSmallest && std::fabs(part) <= kLargest);
  };
  if (variance < kSmallestVariance || !fits(variance) || !fits(channel.factor) || !fits(product)) {
    node.unsupported(fmt::format("the constants of channel {} are too large or too small", c));
  }
  // Executions may form x - mean, or that divided by the root, before they scale.
  for (const double intermediate : {channel.factor, scale, root}) {
    if (intermediate == 0) continue;
    channel.growth = std::max({channel.growth, std::fabs(intermediate), 1 / std::fabs(intermediate)});
  }
  return channel;
}

Facet lower(const NodeView& node) {
  for (std::size_t i = 1; i < kRoles.size(); ++i) {
    if (node.constant(i) == nullptr) node.unsupported(fmt::format("{} (input {}) must be a constant", kRoles[i], i));
  }
  if (node.constant(0) != nullptr) node.unsupported("the normalization of a constant is not supported");
  const Shape& x = node.input_type(0).shape;
  std::vector<Channel> channels;
  for (std::int64_t c = 0; c < x[1]; ++c) channels.push_back(channel(node, static_cast<std::size_t>(c)));
  const std::int64_t size = element_count(x);
  ScaleMap map{size, size, {}, {}};
  Affine affine;
  for (std::int64_t j = 0; j < size; ++j) {
    const Channel& own = channels[channel_of(static_cast<std::size_t>(j), elements_per_channel(x), channels.size())];
    map.factors.push_back(own.factor);
    affine.bias.push_back(own.shift);
    affine.bias_magnitude.push_back(own.magnitude);
  }
  affine.terms.push_back({0, std::make_shared<const LinearMap>(std::move(map), 0x1p-49)});
  for (const Channel& own : channels) affine.deployed_growth = std::max(affine.deployed_growth, own.growth);
  // An execution adds epsilon, takes the root, its reciprocal, multiplies by scale and by x, all of them rounding, and
  // one more for a reciprocal root of lesser accuracy. Two additions: of -mean, or -mean s, and of B.
  affine.deployed_products = 6;
  affine.deployed_roundings = affine.deployed_products + 2;
  return affine;
}

std::vector<Spelling> spell(const NodeView& node) {
  Spelling spelling = as_written(node);
  for (const char* of_training : {"momentum", "training_mode"}) spelling.attributes.erase(of_training);
  spelling.attributes["epsilon"] = epsilon(node);
  return {spelling};
}

Network sample(Random& random) {
  SampleNetwork sample(random);
  const ValueId x = sample.input(sample.shape(static_cast<int>(random.integer(2, 4))));
  const Shape channels{sample.shape_of(x)[1]};
  std::vector<ValueId> inputs{x, sample.constant(channels), sample.constant(channels), sample.constant(channels)};
  // A variance is not negative, but may be zero.
  inputs.push_back(sample.magnitudes(channels));
  Attributes attributes;
  if (random.coin()) attributes["epsilon"] = static_cast<double>(static_cast<float>(random.uniform(1e-5, 1e-2)));
  if (random.coin()) attributes["momentum"] = 0.5;
  if (random.coin()) attributes["training_mode"] = std::int64_t{0};
  return sample.finish("BatchNormalization", std::move(inputs), std::move(attributes));
}

}  // namespace

Operator batch_normalization_operator() {
  return {.name = "BatchNormalization",
          .min_inputs = 5,
          .max_inputs = 5,
          .attributes = {"epsilon", "momentum", "training_mode"},
          .infer = infer,
          .evaluate = evaluate,
          .lower = lower,
          .spell = spell,
          .sample = sample};
}

}  // namespace boundflow
