#include "ops/folded.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "ops/broadcast.hpp"
#include "ops/sample_network.hpp"
#include "ops/type_rules.hpp"

namespace boundflow {

namespace {

constexpr std::array<std::string_view, 7> kAttributes{"additions", "bias_roundings", "growth",      "operand_range",
                                                      "products",  "shifts_terms",   "weight_error"};

// The node of the operator that it was, in a network of its own. With constants it can be lowered, without them its
// operands have X's dtype and it can be typed and evaluated.
struct Folded {
  Folded(const NodeView& outer, const Operator& op, bool constants) {
    node.op = op.name;
    node.name = outer.node().name;
    node.inputs.push_back(network.add_input("X", outer.input_type(0)));
    for (std::size_t i = 1; i < 3; ++i) {
      const Value& value = outer.network().value(outer.node().inputs.at(i));
      node.inputs.push_back(constants ? network.add_constant(value.name, value.constant)
                                      : network.add_input(value.name, {outer.input_type(0).dtype, value.type.shape}));
    }
    node.attributes = outer.node().attributes;
    for (const std::string_view name : kAttributes) node.attributes.erase(std::string(name));
  }
  NodeView view() const { return {network, node}; }

  Network network;
  Node node;
};

void check_constants(const NodeView& node) {
  for (std::size_t i = 1; i < 4; ++i) {
    const Tensor* constant = node.constant(i);
    if (constant == nullptr || constant->dtype() != DType::Float64) {
      node.malformed(fmt::format("input {} must be a float64 constant", i));
    }
  }
  if (node.input_type(2).shape.size() != 1 || node.input_type(3).shape != node.input_type(2).shape) {
    node.malformed("the bias and its magnitude must have one element per channel");
  }
}

struct Model {
  explicit Model(const NodeView& node)
      : additions(node.int_attribute("additions", -1)),
        products(node.int_attribute("products", -1)),
        bias_roundings(node.int_attribute("bias_roundings", -1)),
        growth(node.float_attribute("growth", 0)),
        weight_error(node.float_attribute("weight_error", -1)),
        operand_range(node.float_attribute("operand_range", 0)),
        shifts_terms(node.int_attribute("shifts_terms", 0) != 0) {
    const bool counts = additions >= 0 && products >= 0 && bias_roundings >= 0 && bias_roundings <= kMostBiasRoundings;
    if (!counts || !(growth >= 1) || !(weight_error >= 0 && weight_error < 0x1p-40) || !(operand_range > 0)) {
      node.malformed("an attribute of its error model is missing or out of range");
    }
  }
  std::int64_t additions, products, bias_roundings;
  double growth, weight_error, operand_range;
  bool shifts_terms;
};

std::shared_ptr<const LinearMap> with_error(const LinearMap& map, double error) {
  if (const ConvMap* conv = map.conv()) return std::make_shared<const LinearMap>(*conv, error);
  return std::make_shared<const LinearMap>(*map.dense(), error);
}

}  // namespace

bool is_error_model(std::string_view attribute) {
  return std::find(kAttributes.begin(), kAttributes.end(), attribute) != kAttributes.end();
}

std::vector<std::string_view> folded_attributes(std::vector<std::string_view> own) {
  own.insert(own.end(), kAttributes.begin(), kAttributes.end());
  return own;
}

std::vector<TensorType> infer_folded(const NodeView& node, const Operator& folded) {
  floating_input(node, 0);
  check_constants(node);
  const Model model(node);
  return folded.infer(Folded(node, folded, false).view());
}

Cost folded_cost(const NodeView& node, const Operator& folded) {
  return folded.cost(Folded(node, folded, false).view());
}

std::vector<Tensor> evaluate_folded(const NodeView& node, std::span<const Tensor* const> inputs,
                                    const Operator& folded) {
  std::vector<Tensor> rounded{*inputs[0]};
  for (std::size_t i = 1; i < 3; ++i) {
    const std::vector<double> values = inputs[i]->to_doubles();
    rounded.push_back(with_floating_type(inputs[0]->dtype(), [&](auto zero) {
      return Tensor(inputs[i]->shape(), std::vector<decltype(zero)>(values.begin(), values.end()));
    }));
  }
  const std::vector<const Tensor*> operands{&rounded[0], &rounded[1], &rounded[2]};
  return folded.evaluate(Folded(node, folded, false).view(), operands);
}

Facet lower_folded(const NodeView& node, const Operator& folded) {
  const Model model(node);
  Affine affine = std::get<Affine>(folded.lower(Folded(node, folded, true).view()));
  affine.terms[0].map = with_error(*affine.terms[0].map, model.weight_error);
  // Channels are the second axis of the result, as those of a matrix product's columns are.
  const Shape& shape = node.output_type().shape;
  Shape channels(shape.size() - 1, 1);
  channels[0] = shape[1];
  affine.bias_magnitude = broadcast_elements(node.constant(3)->to_doubles(), channels, shape);
  affine.bias_roundings = model.bias_roundings;
  affine.deployed_products = model.products;
  affine.deployed_roundings = model.products + model.additions;
  affine.deployed_growth = model.growth;
  affine.deployed_shifts_terms = model.shifts_terms;
  affine.deployed_operand_range = model.operand_range;
  return affine;
}

Network finish_folded_sample(SampleNetwork& sample, Random& random, const char* op, ValueId x, const Shape& weights,
                             std::int64_t channels, std::int64_t terms, Attributes attributes) {
  std::vector<double> bias, magnitude;
  for (std::int64_t c = 0; c < channels; ++c) {
    bias.push_back(random.integer(0, 3) == 0 ? 0.0 : random.uniform(-2, 2));
    // Where terms cancelled, the bias is far smaller than what it was computed from.
    magnitude.push_back(std::fabs(bias.back()) * (random.coin() ? 1 : 8));
  }
  attributes["products"] = random.integer(2, 9);
  attributes["additions"] = terms + random.integer(1, 4);
  attributes["bias_roundings"] = random.integer(1, kMostBiasRoundings);
  attributes["growth"] = random.uniform(1, 8);
  attributes["weight_error"] = random.coin() ? 0x1p-49 : 0x1p-52;
  attributes["shifts_terms"] = random.integer(0, 1);
  attributes["operand_range"] = random.coin() ? std::numeric_limits<double>::infinity() : 0x1p100;
  return sample.finish(op, {x, sample.double_constant(weights), sample.doubles(bias), sample.doubles(magnitude)},
                       std::move(attributes));
}

}  // namespace boundflow
