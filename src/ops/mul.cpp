// Mul: a * b with multidirectional broadcasting. Opsets 7 to 14; the limited broadcasting of opset 6 is mapped away at
// import. A constant operand makes it affine, one variable twice a square, two variables a product.
#include "ops/exact_arithmetic.hpp"
#include "ops/multiplication.hpp"
#include "ops/operator_list.hpp"
#include "ops/product.hpp"
#include "ops/sample_network.hpp"
#include "ops/square.hpp"

namespace boundflow {

namespace {

std::optional<std::int64_t> multiply_int64(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

std::vector<Tensor> evaluate(const NodeView& node, std::span<const Tensor* const> inputs) {
  const TensorType type = infer_multiplication(node)[0];
  return with_floating_type(type.dtype, [&](auto zero) -> std::vector<Tensor> {
    using T = decltype(zero);
    return {combine_elements<T>(*inputs[0], *inputs[1], type.shape, [](T a, T b) { return a * b; })};
  });
}

std::optional<std::vector<Tensor>> fold(const NodeView& node, std::span<const Tensor* const> inputs) {
  const TensorType type = infer_multiplication(node)[0];
  if (type.dtype == DType::Int64) return fold_int64(node, inputs, multiply_int64);
  const std::vector<double> a = broadcast_elements(inputs[0]->to_doubles(), inputs[0]->shape(), type.shape);
  const std::vector<double> b = broadcast_elements(inputs[1]->to_doubles(), inputs[1]->shape(), type.shape);
  const bool exact = exact_sums(type.dtype, element_count(type.shape), [&](std::int64_t i, ExactTerms& terms) {
    terms.add_product(a[static_cast<std::size_t>(i)], b[static_cast<std::size_t>(i)]);
  });
  if (!exact) return std::nullopt;
  return evaluate(node, inputs);
}

// y_j = a_p b_q for the elements p and q that output j repeats.
Facet lower_product(const NodeView& node) {
  const Shape shape = infer_multiplication(node)[0].shape;
  const std::int64_t out = element_count(shape);
  Joint joint;
  joint.inputs = {0, 1};
  joint.function = std::make_shared<ProductFunction>();
  const std::vector<std::int64_t> sources[] = {broadcast_source(node.input_type(0).shape, shape),
                                               broadcast_source(node.input_type(1).shape, shape)};
  for (std::int64_t j = 0; j < out; ++j) {
    joint.starts.push_back(2 * j);
    for (std::int32_t operand = 0; operand < 2; ++operand) {
      const std::vector<std::int64_t>& source = sources[operand];
      joint.terms.push_back({operand, source.empty() ? j : source[static_cast<std::size_t>(j)], 0});
    }
  }
  joint.starts.push_back(2 * out);
  return joint;
}

Facet lower(const NodeView& node) {
  for (std::size_t i = 0; i < 2; ++i) {
    const Tensor* constant = node.constant(i);
    if (constant == nullptr) continue;
    if (node.constant(1 - i) != nullptr) {
      node.unsupported("the product of two constants is not supported unless it folds exactly");
    }
    const Shape shape = infer_multiplication(node)[0].shape;
    return lower_scale(node, 1 - i, broadcast_elements(constant->to_doubles(), constant->shape(), shape), 1);
  }
  if (node.node().inputs[0] == node.node().inputs[1]) return Elementwise{0, std::make_shared<SquareFunction>()};
  return lower_product(node);
}

Network sample(Random& random) {
  const std::int64_t kind = random.integer(0, 5);
  if (kind < 3) return sample_scale(random, "Mul", random.coin(), false);
  SampleNetwork sample(random);
  if (kind == 3) {  // a square
    const ValueId x = sample.input(sample.shape(static_cast<int>(random.integer(0, 3))));
    return sample.finish("Mul", {x, x});
  }
  if (kind == 4) {  // two variables that stretch each other
    const ValueId x = sample.input({random.integer(1, 4), 1});
    const ValueId y = sample.node("Transpose", {x});
    return sample.finish("Mul", random.coin() ? std::vector<ValueId>{x, y} : std::vector<ValueId>{y, x});
  }
  const ValueId x = sample.input(sample.shape(static_cast<int>(random.integer(0, 3))));
  const ValueId y = sample.node(random.coin() ? "Relu" : "Sigmoid", {x});
  return sample.finish("Mul", random.coin() ? std::vector<ValueId>{x, y} : std::vector<ValueId>{y, x});
}

}  // namespace

Operator mul_operator() {
  return {.name = "Mul",
          .min_inputs = 2,
          .max_inputs = 2,
          .pointwise = true,
          .infer = infer_multiplication,
          .evaluate = evaluate,
          .fold = fold,
          .lower = lower,
          .spell = spell_commutative,
          .sample = sample};
}

}  // namespace boundflow
