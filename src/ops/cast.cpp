// Cast to another dtype. Opsets 6 to 23. Of a variable only the identity has bounds; constants are cast at import,
// where every runtime rounds to nearest, and cuts off what a whole number has after the point.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "ops/layout.hpp"
#include "ops/operator_list.hpp"
#include "ops/sample_network.hpp"
#include "ops/type_rules.hpp"

namespace boundflow {

namespace {

DType target(const NodeView& node) {
  // ONNX's numbers of the element types.
  switch (const std::int64_t to = node.int_attribute("to", 0)) {
    case 1:
      return DType::Float32;
    case 7:
      return DType::Int64;
    case 9:
      return DType::Bool;
    case 11:
      return DType::Float64;
    default:
      node.unsupported(fmt::format("a cast to element type number {} is not supported", to));
  }
}

std::vector<TensorType> infer(const NodeView& node) {
  return {{target(node), node.input_type(0).shape}};
}

template <class To, class From>
To cast(const NodeView& node, From x) {
  if constexpr (std::is_same_v<To, bool>) {
    return x != From{};
  } else if constexpr (std::is_same_v<To, std::int64_t> && std::is_floating_point_v<From>) {
    // The limits are exact in either format; written so that NaN fails.
    if (!(x >= -0x1p63 && x < 0x1p63)) node.malformed(fmt::format("{} is no int64", x));
    return static_cast<std::int64_t>(x);
  } else if constexpr (std::is_same_v<To, float> && std::is_same_v<From, double>) {
    // The cast itself is undefined beyond the range.
    if (!(std::fabs(x) <= std::numeric_limits<float>::max())) node.malformed(fmt::format("{} is no float32", x));
    return static_cast<float>(x);
  } else {
    return static_cast<To>(x);
  }
}

std::vector<Tensor> evaluate(const NodeView& node, std::span<const Tensor* const> inputs) {
  const DType to = target(node);
  const auto convert = [&](auto zero) -> std::vector<Tensor> {
    using To = decltype(zero);
    return std::visit(
        [&](const auto& from) -> std::vector<Tensor> {
          std::vector<To> converted;
          converted.reserve(from.size());
          for (const auto x : from) converted.push_back(cast<To>(node, x));
          return {Tensor(inputs[0]->shape(), std::move(converted))};
        },
        inputs[0]->data());
  };
  if (to == DType::Int64) return convert(std::int64_t{});
  if (to == DType::Bool) return convert(bool{});
  return with_floating_type(to, convert);
}

std::optional<std::vector<Tensor>> fold(const NodeView& node, std::span<const Tensor* const> inputs) {
  return evaluate(node, inputs);
}

Facet lower(const NodeView& node) {
  const DType from = floating_input(node, 0).dtype;
  if (target(node) != from) {
    node.unsupported(
        fmt::format("a cast of a variable from {} to {} is not supported", to_string(from), to_string(target(node))));
  }
  return lower_same_order(node);
}

Network sample(Random& random) {
  SampleNetwork sample(random);
  const ValueId x = sample.input(sample.shape(static_cast<int>(random.integer(0, 3))));
  return sample.finish("Cast", {x}, {{"to", std::int64_t{1}}});
}

}  // namespace

Operator cast_operator() {
  return {.name = "Cast",
          .attributes = {"to"},
          .infer = infer,
          .evaluate = evaluate,
          .fold = fold,
          .lower = lower,
          .sample = sample};
}

}  // namespace boundflow
