#include "ops/extremum.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/rounding.hpp"
#include "ops/broadcast.hpp"
#include "ops/maximum.hpp"
#include "ops/piecewise_linear.hpp"
#include "ops/sample_network.hpp"
#include "ops/sound_lines.hpp"
#include "ops/type_rules.hpp"

namespace boundflow {

namespace {

// One variable of the output's shape, and constants of one element each: a clip.
std::optional<Facet> as_clip(const NodeView& node, const Shape& shape, int sign) {
  std::optional<std::size_t> variable;
  double bound = -sign * kInfinity;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    if (const Tensor* constant = node.constant(i)) {
      if (constant->size() != 1) return std::nullopt;
      bound = sign > 0 ? std::max(bound, constant->at(0)) : std::min(bound, constant->at(0));
    } else if (variable || element_count(node.input_type(i).shape) != element_count(shape)) {
      return std::nullopt;
    } else {
      variable = i;
    }
  }
  if (!variable || !std::isfinite(bound)) return std::nullopt;
  return Elementwise{*variable, sign > 0 ? clip_function(bound, kInfinity) : clip_function(-kInfinity, bound)};
}

}  // namespace

std::vector<TensorType> infer_extremum(const NodeView& node) {
  const DType dtype = common_floating_dtype(node);
  Shape shape;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    if (!node.has_input(i)) node.malformed(fmt::format("input {} is required", i));
    shape = broadcast_shape(node, shape, node.input_type(i).shape);
  }
  return {{dtype, std::move(shape)}};
}

Cost extremum_cost(const NodeView& node) {
  const double terms =
      static_cast<double>(element_count(infer_extremum(node)[0].shape)) * static_cast<double>(node.input_count());
  return {terms, terms};
}

std::vector<Tensor> evaluate_extremum(const NodeView& node, std::span<const Tensor* const> inputs, int sign) {
  const TensorType type = infer_extremum(node)[0];
  return with_floating_type(type.dtype, [&](auto zero) -> std::vector<Tensor> {
    using T = decltype(zero);
    std::vector<T> y = broadcast_elements(elements<T>(*inputs[0]), inputs[0]->shape(), type.shape);
    for (const Tensor* input : inputs.subspan(1)) {
      const std::vector<T> x = broadcast_elements(elements<T>(*input), input->shape(), type.shape);
      for (std::size_t i = 0; i < y.size(); ++i) y[i] = sign > 0 ? max_or_nan(y[i], x[i]) : min_or_nan(y[i], x[i]);
    }
    return {Tensor(type.shape, std::move(y))};
  });
}

Facet lower_extremum(const NodeView& node, int sign) {
  const Shape shape = infer_extremum(node)[0].shape;
  if (std::optional<Facet> clip = as_clip(node, shape, sign)) return std::move(*clip);
  struct Operand {
    std::int32_t joint = -1;  // its place among the joint's inputs
    const Tensor* constant = nullptr;
    std::vector<std::int64_t> source;
  };
  Joint joint;
  if (sign > 0) {
    joint.function = std::make_shared<MaximumFunction>();
  } else {
    joint.function = std::make_shared<MinimumFunction>();
  }
  std::vector<Operand> operands;
  const std::vector<ValueId>& ids = node.node().inputs;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    // The same value twice changes nothing.
    if (std::find(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(i), ids[i]) !=
        ids.begin() + static_cast<std::ptrdiff_t>(i)) {
      continue;
    }
    Operand operand{-1, node.constant(i), broadcast_source(node.input_type(i).shape, shape)};
    if (operand.constant == nullptr) {
      operand.joint = static_cast<std::int32_t>(joint.inputs.size());
      joint.inputs.push_back(i);
    }
    operands.push_back(std::move(operand));
  }
  const std::int64_t out = element_count(shape);
  for (std::int64_t j = 0; j < out; ++j) {
    joint.starts.push_back(static_cast<std::int64_t>(joint.terms.size()));
    for (const Operand& operand : operands) {
      const std::int64_t index = operand.source.empty() ? j : operand.source[static_cast<std::size_t>(j)];
      joint.terms.push_back(operand.constant != nullptr ? Joint::Term{-1, 0, operand.constant->at(index)}
                                                        : Joint::Term{operand.joint, index, 0});
    }
  }
  joint.starts.push_back(static_cast<std::int64_t>(joint.terms.size()));
  return joint;
}

std::vector<Spelling> spell_extremum(const NodeView& node, int sign) {
  const TensorType type = infer_extremum(node)[0];
  std::optional<ValueId> variable;
  double bound = -sign * kInfinity;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    const Tensor* constant = node.constant(i);
    if (constant == nullptr ? variable || node.input_type(i) != type : constant->size() != 1) {
      return {as_written(node)};
    }
    if (constant == nullptr) {
      variable = node.node().inputs[i];
    } else {
      bound = sign > 0 ? std::max(bound, constant->at(0)) : std::min(bound, constant->at(0));
    }
  }
  if (!variable || !std::isfinite(bound)) return {as_written(node)};
  const auto scalar = with_floating_type(type.dtype, [&](auto zero) {
    return Tensor({}, std::vector<decltype(zero)>{static_cast<decltype(zero)>(bound)});
  });
  if (sign < 0) return {{"Clip", {*variable, kNoValue, scalar}, {}}};
  if (bound == 0) return {{"Relu", {*variable}, {}}};
  return {{"Clip", {*variable, scalar}, {}}};
}

Network sample_extremum(Random& random, const char* op) {
  SampleNetwork sample(random);
  const ValueId x = sample.input(random.integer(0, 3) == 0 ? Shape{random.integer(1, 4), 1}
                                                           : sample.shape(static_cast<int>(random.integer(1, 3))));
  std::vector<ValueId> inputs{x};
  for (std::int64_t more = random.integer(0, 3); more > 0; --more) {
    Shape shape = sample.shape_of(x);
    switch (random.integer(0, 4)) {
      case 0:
        inputs.push_back(sample.scalar(static_cast<float>(random.uniform(-2, 2))));
        break;
      case 1:
        inputs.push_back(sample.constant(shape));
        break;
      case 2:
        inputs.push_back(sample.node("Neg", {x}));
        break;
      case 3: {  // stretches the variable
        shape.insert(shape.begin(), random.integer(1, 2));
        inputs.push_back(sample.constant(shape));
        break;
      }
      default:
        inputs.push_back(shape.size() == 2 && shape[1] == 1 ? sample.node("Transpose", {x}) : x);
        break;
    }
    if (random.coin()) std::swap(inputs.front(), inputs.back());
  }
  return sample.finish(op, std::move(inputs));
}

}  // namespace boundflow
