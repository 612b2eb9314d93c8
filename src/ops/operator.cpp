#include "ops/operator.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/limits.hpp"

namespace boundflow {

namespace {

void check_inputs(const NodeView& view, const Operator& op) {
  const auto count = static_cast<int>(view.input_count());
  if (count < op.min_inputs || (op.max_inputs >= 0 && count > op.max_inputs)) {
    const std::string expected = op.max_inputs < 0 ? fmt::format("at least {}", op.min_inputs)
                                 : op.min_inputs == op.max_inputs
                                     ? fmt::format("{}", op.min_inputs)
                                     : fmt::format("{} to {}", op.min_inputs, op.max_inputs);
    view.malformed(fmt::format("{} inputs, expected {}", count, expected));
  }
  for (int i = 0; i < op.min_inputs; ++i) {
    if (!view.has_input(static_cast<std::size_t>(i))) view.malformed(fmt::format("input {} is required", i));
  }
}

void check_attributes(const NodeView& view, const Operator& op) {
  for (const auto& [name, value] : view.node().attributes) {
    if (std::find(op.attributes.begin(), op.attributes.end(), name) == op.attributes.end()) {
      view.unsupported(fmt::format("attribute '{}' is not supported", name));
    }
  }
}

}  // namespace

OperatorTable::OperatorTable(std::vector<Operator> operators) : operators_(std::move(operators)) {
  for (std::size_t i = 1; i < operators_.size(); ++i) {
    ensure(operators_[i - 1].name < operators_[i].name, "operator table: names must ascend");
  }
}

const Operator* OperatorTable::find(std::string_view name) const {
  const auto found = std::lower_bound(operators_.begin(), operators_.end(), name,
                                      [](const Operator& op, std::string_view wanted) { return op.name < wanted; });
  return found != operators_.end() && found->name == name ? &*found : nullptr;
}

OperatorTable OperatorTable::with(std::vector<Operator> further) const {
  further.insert(further.end(), operators_.begin(), operators_.end());
  std::sort(further.begin(), further.end(), [](const Operator& a, const Operator& b) { return a.name < b.name; });
  return OperatorTable(std::move(further));
}

const Operator& OperatorTable::at(const Node& node) const {
  const Operator* op = find(node.op);
  if (op == nullptr) throw UnsupportedError(node.name, node.op, "the operator is not supported");
  return *op;
}

bool reads_constants_only(const Network& network, const Node& node) {
  return std::all_of(node.inputs.begin(), node.inputs.end(),
                     [&](ValueId id) { return id == kNoValue || network.is_constant(id); });
}

std::vector<TensorType> infer_node(const Network& network, const OperatorTable& table, const Node& node) {
  const NodeView view(network, node);
  const Operator& op = table.at(node);
  check_inputs(view, op);
  check_attributes(view, op);
  std::vector<TensorType> types;
  std::vector<std::int64_t> counts;
  try {
    types = op.infer(view);
    for (const TensorType& type : types) counts.push_back(element_count(type.shape));
  } catch (const ShapeError& error) {
    view.malformed(error.what());
  }
  const bool constant = op.reads_shapes_only || reads_constants_only(network, node);
  for (std::size_t i = 0; i < types.size(); ++i) {
    const TensorType& type = types[i];
    if (type.shape.size() > kMaxRank) {
      view.unsupported(
          fmt::format("an output of {} dimensions; at most {} are supported", type.shape.size(), kMaxRank));
    }
    const std::int64_t count = counts[i];
    if (count > kMaxComputedElements) view.unsupported("an output of type " + to_string(type) + " is too large");
    if (count == 0 && !constant) view.unsupported("an output of type " + to_string(type) + " has no elements");
  }
  return types;
}

std::optional<std::vector<Tensor>> fold_node(const Network& network, const OperatorTable& table, const Node& node) {
  const Operator& op = table.at(node);
  const NodeView view(network, node);
  std::vector<const Tensor*> inputs;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) inputs.push_back(view.constant(i));
  if (op.layout_only || op.exact) return op.evaluate(view, inputs);
  if (op.fold == nullptr) return std::nullopt;
  return op.fold(view, inputs);
}

NodeId append_node(Network& network, const OperatorTable& table, std::string op, std::string name,
                   std::vector<ValueId> inputs, std::vector<std::string> output_names, Attributes attributes) {
  Node node{std::move(op), std::move(name), std::move(inputs), {}, std::move(attributes)};
  std::vector<TensorType> types = infer_node(network, table, node);
  if (output_names.size() != types.size()) {
    NodeView(network, node)
        .unsupported(fmt::format("{} outputs are in use, {} supported", output_names.size(), types.size()));
  }
  return network.add_node(std::move(node.op), std::move(node.name), std::move(node.inputs), std::move(output_names),
                          std::move(types), std::move(node.attributes));
}

std::vector<Tensor> evaluate_network(const Network& network, const Tensor& input, const OperatorTable& table) {
  const ValueId x = network.input();
  ensure(input.type() == network.value(x).type, "evaluate: the input has another type than the network's");
  std::vector<Tensor> tensors(network.values().size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (network.values()[i].constant) tensors[i] = *network.values()[i].constant;
  }
  tensors[static_cast<std::size_t>(x)] = input;
  for (const Node& node : network.nodes()) {
    std::vector<const Tensor*> inputs;
    for (const ValueId id : node.inputs) {
      inputs.push_back(id == kNoValue ? nullptr : &tensors[static_cast<std::size_t>(id)]);
    }
    std::vector<Tensor> outputs = table.at(node).evaluate(NodeView(network, node), inputs);
    ensure(outputs.size() == node.outputs.size(), "evaluate: one tensor per output expected");
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      ensure(outputs[i].type() == network.value(node.outputs[i]).type, "evaluate: a result has another type");
      tensors[static_cast<std::size_t>(node.outputs[i])] = std::move(outputs[i]);
    }
  }
  return tensors;
}

}  // namespace boundflow
