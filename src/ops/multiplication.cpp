#include "ops/multiplication.hpp"

#include "ops/sample_network.hpp"

namespace boundflow {

std::vector<TensorType> infer_multiplication(const NodeView& node) {
  const Shape shape = broadcast_shape(node, node.input_type(0).shape, node.input_type(1).shape);
  if (node.input_type(0).dtype == DType::Int64 && node.input_type(1).dtype == DType::Int64) {
    if (node.constant(0) == nullptr || node.constant(1) == nullptr) {
      node.unsupported("int64 operands are supported if both are constants");
    }
    return {{DType::Int64, shape}};
  }
  return {{common_floating_dtype(node), shape}};
}

std::optional<std::vector<Tensor>> fold_int64(
    const NodeView& node, std::span<const Tensor* const> inputs,
    const std::function<std::optional<std::int64_t>(std::int64_t, std::int64_t)>& f) {
  bool defined = true;
  Tensor result = combine_elements<std::int64_t>(*inputs[0], *inputs[1], infer_multiplication(node)[0].shape,
                                                 [&](std::int64_t a, std::int64_t b) {
                                                   const std::optional<std::int64_t> value = f(a, b);
                                                   defined = defined && value.has_value();
                                                   return value.value_or(0);
                                                 });
  if (!defined) return std::nullopt;
  return std::vector<Tensor>{std::move(result)};
}

Facet lower_scale(const NodeView& node, std::size_t variable, std::vector<double> factors, std::int64_t products,
                  double weight_error) {
  const Shape& from = node.input_type(variable).shape;
  const Shape shape = infer_multiplication(node)[0].shape;
  auto map = std::make_shared<const LinearMap>(
      ScaleMap{element_count(shape), element_count(from), broadcast_source(from, shape), std::move(factors)},
      weight_error);
  Affine affine;
  affine.deployed_products = affine.deployed_roundings = map->products_round() ? products : 0;
  affine.terms.push_back({variable, std::move(map)});
  return affine;
}

Network sample_scale(Random& random, const char* op, bool constant_first, bool divisor) {
  SampleNetwork sample(random);
  Shape variable = sample.shape(static_cast<int>(random.integer(0, 3)));
  Shape constant = variable;
  for (std::size_t i = 0; i < variable.size(); ++i) {
    if (random.integer(0, 3) == 0) variable[i] = 1;
    if (random.integer(0, 3) == 0) constant[i] = 1;
  }
  Shape& shorter = random.coin() ? constant : variable;
  const std::int64_t missing = random.integer(0, static_cast<std::int64_t>(shorter.size()));
  shorter.erase(shorter.begin(), shorter.begin() + missing);
  const ValueId x = sample.input(variable);
  const ValueId c = divisor ? sample.nonzero_constant(constant) : sample.constant(constant);
  return sample.finish(op, constant_first ? std::vector<ValueId>{c, x} : std::vector<ValueId>{x, c});
}

}  // namespace boundflow
