#include "domains/lowered_network.hpp"

#include "base/rounding.hpp"

namespace boundflow {

namespace {

std::shared_ptr<AffineData> affine_data(const LoweredNode& lowered, const std::vector<AffineTerm>& terms, DType dtype) {
  auto data = std::make_shared<AffineData>();
  data->name = lowered.node->name;
  for (const AffineTerm& term : terms) data->maps.push_back(term.map);
  const bool single = dtype == DType::Float32;
  data->deployed_unit_roundoff = single ? kUnitRoundoff32 : kUnitRoundoff64;
  data->deployed_smallest_normal = single ? kSmallestNormal32 : kSmallestNormal64;
  data->deployed_largest = single ? kLargest32 : kLargest64;
  return data;
}

std::vector<ValueId> operands_of(const Node& node, const std::vector<AffineTerm>& terms) {
  std::vector<ValueId> operands;
  for (const AffineTerm& term : terms) operands.push_back(node.inputs.at(term.input));
  return operands;
}

}  // namespace

LoweredNetwork::LoweredNetwork(std::shared_ptr<const Network> network, const OperatorTable& table)
    : network_(std::move(network)) {
  producers_.assign(network_->values().size(), -1);
  for (std::size_t i = 0; i < network_->nodes().size(); ++i) {
    const Node& node = network_->nodes()[i];
    for (std::size_t output = 0; output < node.outputs.size(); ++output) lower_output(node, output, table);
  }
}

void LoweredNetwork::lower_output(const Node& node, std::size_t output, const OperatorTable& table) {
  const NodeView view(*network_, node, output);
  LoweredNode lowered;
  lowered.node = &node;
  lowered.output = node.outputs.at(output);
  const DType dtype = network_->value(lowered.output).type.dtype;
  if (!is_floating(dtype)) view.unsupported("computes " + std::string(to_string(dtype)) + " from the input");
  lowered.unit_roundoff = dtype == DType::Float32 ? kUnitRoundoff32 : kUnitRoundoff64;
  const Facet facet = table.at(node).lower(view);
  if (const auto* affine = std::get_if<Affine>(&facet)) {
    auto data = affine_data(lowered, affine->terms, dtype);
    data->bias = affine->bias;
    data->bias_magnitude = affine->bias_magnitude;
    data->deployed_roundings = affine->deployed_roundings;
    data->deployed_products = affine->deployed_products;
    data->deployed_growth = affine->deployed_growth;
    lowered.affine = std::move(data);
    lowered.operands = operands_of(node, affine->terms);
  } else if (const auto* movement = std::get_if<DataMovement>(&facet)) {
    lowered.affine = affine_data(lowered, movement->terms, dtype);
    lowered.operands = operands_of(node, movement->terms);
  } else {
    const auto& elementwise = std::get<Elementwise>(facet);
    lowered.facet = FacetKind::Elementwise;
    lowered.function = elementwise.function;
    lowered.operands = {node.inputs.at(elementwise.input)};
  }
  producers_[static_cast<std::size_t>(lowered.output)] = static_cast<std::int64_t>(nodes_.size());
  nodes_.push_back(std::move(lowered));
}

}  // namespace boundflow
