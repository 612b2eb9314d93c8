#include "ops/addition.hpp"

#include "ops/broadcast.hpp"
#include "ops/exact_arithmetic.hpp"
#include "ops/integer_arithmetic.hpp"
#include "ops/sample_network.hpp"
#include "ops/type_rules.hpp"

namespace boundflow {

std::vector<TensorType> infer_addition(const NodeView& node) {
  const DType dtype = arithmetic_dtype(node);
  return {{dtype, broadcast_shape(node, node.input_type(0).shape, node.input_type(1).shape)}};
}

std::vector<Tensor> evaluate_addition(const NodeView& node, std::span<const Tensor* const> inputs, int sign) {
  if (inputs[0]->dtype() == DType::Int64) {
    return {integer_result(node, *inputs[0], *inputs[1], sign > 0 ? exact_sum : exact_difference)};
  }
  Shape shape = broadcast_shape(node, inputs[0]->shape(), inputs[1]->shape());
  return with_floating_type(inputs[0]->dtype(), [&](auto zero) -> std::vector<Tensor> {
    using T = decltype(zero);
    std::vector<T> y = broadcast_elements(elements<T>(*inputs[0]), inputs[0]->shape(), shape);
    const std::vector<T> b = broadcast_elements(elements<T>(*inputs[1]), inputs[1]->shape(), shape);
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = sign > 0 ? y[i] + b[i] : y[i] - b[i];
    return {Tensor(std::move(shape), std::move(y))};
  });
}

std::optional<std::vector<Tensor>> fold_addition(const NodeView& node, std::span<const Tensor* const> inputs,
                                                 int sign) {
  if (inputs[0]->dtype() == DType::Int64) return evaluate_addition(node, inputs, sign);
  const Shape shape = broadcast_shape(node, inputs[0]->shape(), inputs[1]->shape());
  const std::vector<double> a = broadcast_elements(inputs[0]->to_doubles(), inputs[0]->shape(), shape);
  const std::vector<double> b = broadcast_elements(inputs[1]->to_doubles(), inputs[1]->shape(), shape);
  const bool exact = exact_sums(inputs[0]->dtype(), element_count(shape), [&](std::int64_t i, ExactTerms& terms) {
    terms.add(a[static_cast<std::size_t>(i)]);
    terms.add(b[static_cast<std::size_t>(i)]);
  });
  if (!exact) return std::nullopt;
  return evaluate_addition(node, inputs, sign);
}

Facet lower_addition(const NodeView& node, int sign) {
  const Shape shape = broadcast_shape(node, node.input_type(0).shape, node.input_type(1).shape);
  const std::int64_t out = element_count(shape);
  Affine affine;
  affine.deployed_roundings = 1;
  for (std::size_t i = 0; i < 2; ++i) {
    const double factor = i == 0 ? 1 : sign;
    const Shape& from = node.input_type(i).shape;
    const Tensor* constant = node.constant(i);
    if (constant == nullptr) {
      affine.terms.push_back({i, std::make_shared<const LinearMap>(
                                     IndexMap{out, element_count(from), broadcast_source(from, shape), factor})});
      continue;
    }
    if (!affine.bias.empty()) node.unsupported("the sum of two constants is not supported unless it folds exactly");
    affine.bias = broadcast_elements(constant->to_doubles(), from, shape);
    for (double& value : affine.bias) value *= factor;
  }
  return affine;
}

Network sample_addition(Random& random, const char* op) {
  SampleNetwork sample(random);
  switch (random.integer(0, 3)) {
    case 0: {  // the same variable twice
      const ValueId x = sample.input(sample.shape(static_cast<int>(random.integer(0, 3))));
      return sample.finish(op, {x, x});
    }
    case 1: {  // two variables that stretch each other: [a, 1] and [1, a]
      const ValueId x = sample.input({random.integer(1, 4), 1});
      const ValueId y = sample.node("Transpose", {x});
      return sample.finish(op, random.coin() ? std::vector<ValueId>{x, y} : std::vector<ValueId>{y, x});
    }
    default: {  // a variable and a constant, each with ones and missing dimensions where the other has them
      Shape variable = sample.shape(static_cast<int>(random.integer(1, 3)));
      Shape constant = variable;
      for (std::size_t i = 0; i < variable.size(); ++i) {
        if (random.integer(0, 3) == 0) variable[i] = 1;
        if (random.integer(0, 3) == 0) constant[i] = 1;
      }
      const std::int64_t missing = random.integer(0, static_cast<std::int64_t>(constant.size()));
      Shape& shorter = random.coin() ? constant : variable;
      shorter.erase(shorter.begin(), shorter.begin() + missing);
      const ValueId x = sample.input(variable);
      const ValueId c = sample.constant(constant);
      return sample.finish(op, random.coin() ? std::vector<ValueId>{x, c} : std::vector<ValueId>{c, x});
    }
  }
}

}  // namespace boundflow
