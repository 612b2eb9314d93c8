#include "passes/weighted_node.hpp"

#include <algorithm>
#include <cmath>

#include "base/rounding.hpp"

namespace boundflow {

namespace {

std::size_t at(std::int64_t i) {
  return static_cast<std::size_t>(i);
}

constexpr std::int64_t kMostWeights = std::int64_t{1} << 22;  // their copies in float64 stay small

bool exact_in(DType dtype, const std::vector<double>& values) {
  return dtype == DType::Float64 || std::all_of(values.begin(), values.end(), [](double x) {
           return std::fabs(x) <= kLargest32 && static_cast<double>(static_cast<float>(x)) == x;
         });
}

Tensor tensor_of(DType dtype, const Shape& shape, const std::vector<double>& values) {
  if (dtype == DType::Float64) return Tensor(shape, values);
  return Tensor(shape, std::vector<float>(values.begin(), values.end()));
}

void take_matrix(WeightedNode& weighted, const DenseMap& map, const Operator& op) {
  weighted.op = op.merged_form;
  weighted.plain_op = "Gemm";
  weighted.attributes = {{"transB", std::int64_t{1}}};
  weighted.x_shape = {map.outer, map.columns};
  weighted.y_shape = {map.outer, map.rows};
  weighted.weight_shape = {map.rows, map.columns};
  weighted.weights = map.weights;
  weighted.out_channels = map.rows;
  weighted.in_channels = map.columns;
  weighted.out_channel.reserve(map.weights.size());
  weighted.in_channel.reserve(map.weights.size());
  for (std::int64_t o = 0; o < map.rows; ++o) {
    for (std::int64_t i = 0; i < map.columns; ++i) {
      weighted.out_channel.push_back(o);
      weighted.in_channel.push_back(i);
    }
  }
}

void take_convolution(WeightedNode& weighted, const ConvMap& map, const Operator& op, const NodeView& node) {
  weighted.op = op.merged_form;
  weighted.plain_op = op.internal ? std::string() : std::string(op.name);
  weighted.attributes = node.node().attributes;
  weighted.x_shape = node.input_type(0).shape;
  weighted.y_shape = node.output_type().shape;
  weighted.weight_shape = node.input_type(1).shape;
  weighted.weights = map.weights;
  weighted.out_channels = weighted.y_shape[1];
  weighted.in_channels = weighted.x_shape[1];
  weighted.out_inner = element_count(weighted.y_shape) / weighted.out_channels;
  weighted.in_inner = element_count(weighted.x_shape) / weighted.in_channels;
  weighted.pads = map.adjoint || map.pad != ConvMap::Extent{0, 0};
  for (std::size_t d = 0; d < 2; ++d) {
    const std::int64_t last = (map.image_out[d] - 1) * map.stride[d] + (map.kernel[d] - 1) * map.dilation[d];
    weighted.pads = weighted.pads || last - map.pad[d] >= map.image_in[d];
  }
  // Weights are [convolved, image / groups, kernel]; an adjoint reads the convolved image.
  const std::int64_t in_group = map.in_channels / map.groups, out_group = map.out_channels / map.groups;
  const std::int64_t taps = map.kernel[0] * map.kernel[1];
  for (std::int64_t w = 0; w < static_cast<std::int64_t>(map.weights.size()); ++w) {
    const std::int64_t convolved = w / taps / in_group;
    const std::int64_t image = convolved / out_group * in_group + w / taps % in_group;
    weighted.out_channel.push_back(map.adjoint ? image : convolved);
    weighted.in_channel.push_back(map.adjoint ? convolved : image);
  }
}

}  // namespace

std::optional<std::vector<double>> per_channel(const std::vector<double>& values, std::int64_t channels,
                                               std::int64_t inner) {
  std::vector<double> result(at(channels), 0.0);
  if (values.empty()) return result;
  for (std::int64_t c = 0; c < channels; ++c) result[at(c)] = values[at(c * inner)];
  for (std::size_t j = 0; j < values.size(); ++j) {
    if (values[j] != result[j / at(inner) % at(channels)]) return std::nullopt;
  }
  return result;
}

bool may_be_weighted(const Network& network, const OperatorTable& table, const Node& node) {
  const Operator& op = table.at(node);
  if (node.outputs.size() != 1 || op.merged_form.empty()) return false;
  const NodeView view(network, node);
  std::int64_t variables = 0;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (!view.has_input(i)) continue;
    if (view.constant(i) == nullptr) ++variables;
    if (view.constant(i) != nullptr && view.constant(i)->size() > kMostWeights) return false;
  }
  return variables == 1;
}

std::optional<WeightedNode> weighted_node(const Network& network, const OperatorTable& table, const Node& node) {
  if (!may_be_weighted(network, table, node)) return std::nullopt;
  const Operator& op = table.at(node);
  const NodeView view(network, node);
  const Facet facet = op.lower(view);
  const auto* affine = std::get_if<Affine>(&facet);
  if (affine == nullptr || affine->terms.size() != 1) return std::nullopt;
  const LinearMap& map = *affine->terms[0].map;
  WeightedNode weighted;
  weighted.x = node.inputs[affine->terms[0].input];
  if (const DenseMap* dense = map.dense(); dense != nullptr && dense->inner == 1) {
    take_matrix(weighted, *dense, op);
  } else if (map.conv() != nullptr && view.input_type(0).shape[0] == 1) {
    take_convolution(weighted, *map.conv(), op, view);
  } else {
    return std::nullopt;
  }
  const auto bias = per_channel(affine->bias, weighted.out_channels, weighted.out_inner);
  const auto magnitude = per_channel(affine->bias_magnitude, weighted.out_channels, weighted.out_inner);
  if (!bias || !magnitude) return std::nullopt;
  weighted.bias = *bias;
  weighted.magnitude = *magnitude;
  weighted.has_bias = !affine->bias.empty();
  if (affine->bias_magnitude.empty()) {
    for (std::size_t c = 0; c < bias->size(); ++c) weighted.magnitude[c] = std::fabs((*bias)[c]);
  } else {
    weighted.bias_roundings = affine->bias_roundings;
  }
  weighted.weight_error = map.weight_error();
  weighted.products = affine->deployed_products;
  weighted.additions = affine->deployed_roundings - affine->deployed_products;
  weighted.growth = affine->deployed_growth;
  weighted.shifts_terms = affine->deployed_shifts_terms;
  weighted.operand_range = affine->deployed_operand_range;
  weighted.dtype = network.value(node.outputs[0]).type.dtype;
  const bool any_bias = std::any_of(bias->begin(), bias->end(), [](double b) { return b != 0; });
  weighted.plain = !weighted.plain_op.empty() && map.weight_error() == 0 && affine->bias_magnitude.empty() &&
                   weighted.growth == 1 && weighted.products == (map.products_round() ? 1 : 0) &&
                   weighted.additions == std::max<std::int64_t>(map.terms() + (any_bias ? 1 : 0) - 1, 0) &&
                   exact_in(weighted.dtype, weighted.weights) && exact_in(weighted.dtype, weighted.bias);
  return weighted;
}

ValueId reshaped(Rewriter& rewriter, ValueId value, const Shape& shape, const std::string& name,
                 const std::string& value_name) {
  if (rewriter.result().value(value).type.shape == shape) return value;
  const ValueId target =
      rewriter.add_constant(name + ".shape", Tensor({static_cast<std::int64_t>(shape.size())}, shape));
  return rewriter.add("Reshape", name, {value, target}, value_name);
}

ValueId add_weighted(Rewriter& rewriter, const WeightedNode& weighted, const Shape& shape, const std::string& name,
                     const std::string& value_name) {
  const ValueId x = reshaped(rewriter, weighted.x, weighted.x_shape, name + ".x", value_name + ".x");
  const DType dtype = weighted.plain ? weighted.dtype : DType::Float64;
  std::vector<ValueId> inputs{
      x, rewriter.add_constant(name + ".weights", tensor_of(dtype, weighted.weight_shape, weighted.weights))};
  const bool reshapes = shape != weighted.y_shape;
  const std::string own_name = reshapes ? name + ".product" : name;
  const std::string own_value = reshapes ? value_name + ".product" : value_name;
  const Shape channels{weighted.out_channels};
  Attributes attributes = weighted.attributes;
  if (!weighted.plain || weighted.has_bias) {
    inputs.push_back(rewriter.add_constant(name + ".bias", tensor_of(dtype, channels, weighted.bias)));
  }
  if (!weighted.plain) {
    inputs.push_back(rewriter.add_constant(name + ".magnitude", tensor_of(dtype, channels, weighted.magnitude)));
    attributes["bias_roundings"] = weighted.bias_roundings;
    attributes["growth"] = weighted.growth;
    attributes["operand_range"] = weighted.operand_range;
    attributes["products"] = weighted.products;
    attributes["additions"] = weighted.additions;
    attributes["shifts_terms"] = std::int64_t{weighted.shifts_terms ? 1 : 0};
    attributes["weight_error"] = weighted.weight_error;
  }
  const ValueId y = rewriter.add(weighted.plain ? weighted.plain_op : weighted.op, own_name, std::move(inputs),
                                 own_value, std::move(attributes));
  return reshaped(rewriter, y, shape, name, value_name);
}

}  // namespace boundflow
