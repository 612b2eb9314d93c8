// Clip: min(max(x, min), max), either bound being optional. Opsets 11 to 13; the attributes of opset 6 become inputs at
// import.
#include <fmt/format.h>

#include <cmath>

#include "base/rounding.hpp"
#include "ops/elementwise.hpp"
#include "ops/operator_list.hpp"
#include "ops/piecewise_linear.hpp"

namespace boundflow {

namespace {

struct Bounds {
  double lower = -kInfinity;
  double upper = kInfinity;
};

double bound(const NodeView& node, std::size_t i, std::string_view role, double otherwise) {
  if (!node.has_input(i)) return otherwise;
  const Tensor* constant = node.constant(i);
  if (constant == nullptr) node.unsupported(fmt::format("{} (input {}) must be a constant", role, i));
  if (constant->size() != 1) node.malformed(fmt::format("{} (input {}) must be one number", role, i));
  return constant->at(0);
}

Bounds read(const NodeView& node) {
  common_floating_dtype(node);
  const Bounds bounds{bound(node, 1, "min", -kInfinity), bound(node, 2, "max", kInfinity)};
  if (!(bounds.lower <= bounds.upper)) {
    node.unsupported(fmt::format("min {} exceeds max {}", bounds.lower, bounds.upper));
  }
  return bounds;
}

std::vector<TensorType> infer(const NodeView& node) {
  read(node);
  return infer_elementwise(node);
}

std::vector<Tensor> evaluate(const NodeView& node, std::span<const Tensor* const> inputs) {
  const Bounds bounds = read(node);
  return map_elements(*inputs[0], [&](auto x) {
    using T = decltype(x);
    // NaN compares false and stays.
    return x < bounds.lower ? static_cast<T>(bounds.lower) : x > bounds.upper ? static_cast<T>(bounds.upper) : x;
  });
}

Facet lower(const NodeView& node) {
  const Bounds bounds = read(node);
  if (std::isfinite(bounds.lower) || std::isfinite(bounds.upper)) {
    return Elementwise{0, clip_function(bounds.lower, bounds.upper)};
  }
  const std::int64_t size = element_count(node.input_type(0).shape);
  return DataMovement{{{0, std::make_shared<const LinearMap>(LinearMap::identity(size))}}};
}

std::vector<Spelling> spell(const NodeView& node) {
  const Bounds bounds = read(node);
  if (bounds.lower == 0 && bounds.upper == kInfinity) return {{"Relu", {node.node().inputs[0]}, {}}};
  Spelling spelling = as_written(node);
  for (std::size_t i = 1; i < node.input_count(); ++i) {
    if (node.has_input(i)) spelling.inputs[i] = node.constant(i)->reshaped({});
  }
  return {spelling};
}

Network sample(Random& random) {
  SampleNetwork sample(random);
  const ValueId x = sample.input(sample.shape(static_cast<int>(random.integer(0, 3))));
  const double lower = static_cast<double>(random.integer(-2, 2));
  const double width = static_cast<double>(random.integer(0, 3)) * (random.coin() ? 1.0 : 0.375);
  std::vector<ValueId> inputs{x};
  const std::int64_t kind = random.integer(0, 5);
  if (kind != 0) inputs.push_back(kind == 1 ? kNoValue : sample.scalar(static_cast<float>(lower)));
  if (kind != 0 && kind != 2) inputs.push_back(sample.scalar(static_cast<float>(lower + width)));
  return sample.finish("Clip", std::move(inputs));
}

}  // namespace

Operator clip_operator() {
  return {
      .name = "Clip",
      .max_inputs = 3,
      .pointwise = true,
      .infer = infer,
      .evaluate = evaluate,
      // A selection is exact.
      .fold = [](const NodeView& node, std::span<const Tensor* const> inputs) -> std::optional<std::vector<Tensor>> {
        return evaluate(node, inputs);
      },
      .lower = lower,
      .spell = spell,
      .sample = sample};
}

}  // namespace boundflow
