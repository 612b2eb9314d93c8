// Where: elements of X where the condition holds, else of Y, with multidirectional broadcasting. Opsets 9 to 16. The
// condition must be a constant; constants among X and Y become the bias of an affine node that does not round.
#include <fmt/format.h>

#include <numeric>

#include "ops/broadcast.hpp"
#include "ops/operator_list.hpp"
#include "ops/sample_network.hpp"

namespace boundflow {

namespace {

std::vector<TensorType> infer(const NodeView& node) {
  const TensorType &condition = node.input_type(0), &x = node.input_type(1), &y = node.input_type(2);
  if (condition.dtype != DType::Bool)
    node.malformed(fmt::format("the condition is {}, not bool", to_string(condition)));
  if (x.dtype != y.dtype) node.malformed(fmt::format("X {} and Y {} differ in dtype", to_string(x), to_string(y)));
  return {{x.dtype, broadcast_shape(node, condition.shape, broadcast_shape(node, x.shape, y.shape))}};
}

std::vector<bool> stretched_condition(const Tensor& condition, const Shape& shape) {
  return broadcast_elements(std::get<std::vector<bool>>(condition.data()), condition.shape(), shape);
}

std::vector<Tensor> evaluate(const NodeView& node, std::span<const Tensor* const> inputs) {
  const Shape shape = infer(node)[0].shape;
  const std::vector<bool> holds = stretched_condition(*inputs[0], shape);
  return std::visit(
      [&](const auto& x) -> std::vector<Tensor> {
        using Elements = std::decay_t<decltype(x)>;
        Elements chosen = broadcast_elements(x, inputs[1]->shape(), shape);
        const Elements other = broadcast_elements(std::get<Elements>(inputs[2]->data()), inputs[2]->shape(), shape);
        for (std::size_t i = 0; i < chosen.size(); ++i) {
          if (!holds[i]) chosen[i] = other[i];
        }
        return {Tensor(shape, std::move(chosen))};
      },
      inputs[1]->data());
}

Facet lower(const NodeView& node) {
  const TensorType type = infer(node)[0];
  const Tensor* condition = node.constant(0);
  if (condition == nullptr) node.unsupported("a condition that is no constant is not supported");
  if (!is_floating(type.dtype)) node.unsupported(fmt::format("a variable of {} has no bounds", to_string(type)));
  const std::vector<bool> holds = stretched_condition(*condition, type.shape);
  const std::int64_t out = element_count(type.shape);
  std::vector<AffineTerm> terms;
  std::vector<double> bias;
  for (const std::size_t input : {std::size_t{1}, std::size_t{2}}) {
    const Shape& from = node.input_type(input).shape;
    const Tensor* constant = node.constant(input);
    IndexMap map{out, element_count(from), broadcast_source(from, type.shape), 1};
    map.source.resize(static_cast<std::size_t>(out));
    if (element_count(from) == out) std::iota(map.source.begin(), map.source.end(), 0);
    if (constant != nullptr) bias.resize(static_cast<std::size_t>(out), 0.0);
    for (std::size_t j = 0; j < map.source.size(); ++j) {
      const bool chosen = holds[j] == (input == 1);
      if (!chosen) {
        map.source[j] = -1;
      } else if (constant != nullptr) {
        bias[j] = constant->at(map.source[j]);
      }
    }
    if (constant == nullptr) terms.push_back({input, std::make_shared<const LinearMap>(std::move(map))});
  }
  if (bias.empty()) return DataMovement{std::move(terms)};
  return Affine{.terms = std::move(terms), .bias = std::move(bias)};
}

Network sample(Random& random) {
  SampleNetwork sample(random);
  Shape shape = sample.shape(static_cast<int>(random.integer(0, 3)));
  const ValueId x = sample.input(shape);
  for (std::int64_t& extent : shape) {
    if (random.integer(0, 2) == 0) extent = 1;
  }
  const ValueId condition = sample.condition(random.coin() ? shape : sample.shape_of(x));
  const ValueId other = random.coin() ? sample.constant(shape) : sample.node("Relu", {x});
  return sample.finish(
      "Where", random.coin() ? std::vector<ValueId>{condition, x, other} : std::vector<ValueId>{condition, other, x});
}

}  // namespace

Operator where_operator() {
  return {.name = "Where",
          .min_inputs = 3,
          .max_inputs = 3,
          .layout_only = true,
          .pointwise = true,
          .infer = infer,
          .evaluate = evaluate,
          .lower = lower,
          .sample = sample};
}

}  // namespace boundflow
