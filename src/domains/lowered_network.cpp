#include "domains/lowered_network.hpp"

#include "base/rounding.hpp"
#include "domains/folded_executions.hpp"
#include "domains/layouts.hpp"

namespace boundflow {

namespace {

std::shared_ptr<AffineData> affine_data(const Node& node, const std::vector<AffineTerm>& terms, DType dtype) {
  auto data = std::make_shared<AffineData>();
  data->name = node.name;
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

LoweredNode lower_facet(const Node& node, const Affine& facet, DType dtype) {
  auto data = affine_data(node, facet.terms, dtype);
  data->bias = facet.bias;
  data->bias_magnitude = facet.bias_magnitude;
  data->deployed_roundings = facet.deployed_roundings;
  data->deployed_products = facet.deployed_products;
  data->deployed_growth = facet.deployed_growth;
  data->deployed_shifts_terms = facet.deployed_shifts_terms;
  data->deployed_operand_range = facet.deployed_operand_range;
  return {.operands = operands_of(node, facet.terms), .affine = std::move(data)};
}

LoweredNode lower_facet(const Node& node, const DataMovement& facet, DType dtype) {
  return {.operands = operands_of(node, facet.terms), .affine = affine_data(node, facet.terms, dtype)};
}

LoweredNode lower_facet(const Node& node, const Elementwise& facet, DType) {
  return {.facet = FacetKind::Elementwise, .operands = {node.inputs.at(facet.input)}, .function = facet.function};
}

LoweredNode lower_facet(const Node& node, const Joint& facet, DType) {
  LoweredNode lowered{.facet = FacetKind::Joint};
  for (const std::size_t input : facet.inputs) lowered.operands.push_back(node.inputs.at(input));
  lowered.joint = std::make_shared<JointData>(
      JointData{node.name, facet.inputs.size(), facet.starts, facet.terms, 1, facet.function});
  return lowered;
}

}  // namespace

LoweredNetwork::LoweredNetwork(std::shared_ptr<const Network> network, const OperatorTable& table,
                               const Deadline& deadline)
    : network_(std::move(network)) {
  producers_.assign(network_->values().size(), -1);
  for (const Node& node : network_->nodes()) {
    deadline.check();
    for (std::size_t output = 0; output < node.outputs.size(); ++output) lower_output(node, output, table);
  }
  cover_folded_executions(*network_, nodes_);
  orders_ = assign_orders(*network_, nodes_);
}

void LoweredNetwork::lower_output(const Node& node, std::size_t output, const OperatorTable& table) {
  const NodeView view(*network_, node, output);
  const ValueId value = node.outputs.at(output);
  const DType dtype = network_->value(value).type.dtype;
  if (!is_floating(dtype)) view.unsupported("computes " + std::string(to_string(dtype)) + " from the input");
  const Facet facet = table.at(node).lower(view);
  LoweredNode lowered = std::visit([&](const auto& kind) { return lower_facet(node, kind, dtype); }, facet);
  lowered.node = &node;
  lowered.output = value;
  lowered.unit_roundoff = dtype == DType::Float32 ? kUnitRoundoff32 : kUnitRoundoff64;
  producers_[static_cast<std::size_t>(value)] = static_cast<std::int64_t>(nodes_.size());
  nodes_.push_back(std::move(lowered));
}

}  // namespace boundflow
