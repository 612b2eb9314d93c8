#include "passes/fuse_bias.hpp"

#include <optional>

namespace boundflow {

namespace {

// The constant operand that can serve as Gemm's C: one value per output column.
std::optional<ValueId> row_bias(const Network& network, const Node& add, ValueId product) {
  const ValueId other = add.inputs[0] == product ? add.inputs[1] : add.inputs[0];
  if (other == product || !network.is_constant(other)) return std::nullopt;
  const Shape& shape = network.value(other).type.shape;
  const std::int64_t columns = network.value(product).type.shape.back();
  const bool fits = shape == Shape{columns} || shape == Shape{1, columns};
  return fits ? std::optional(other) : std::nullopt;
}

bool is_matrix_product(const Network& network, const Node& node) {
  return node.op == "MatMul" && !network.is_constant(node.inputs[0]) && network.is_constant(node.inputs[1]) &&
         network.value(node.inputs[0]).type.shape.size() == 2 && network.value(node.inputs[1]).type.shape.size() == 2;
}

}  // namespace

Network fuse_bias(const Network& network, const OperatorTable& table) {
  std::vector<int> consumers(network.values().size(), 0);
  for (const Node& node : network.nodes()) {
    for (const ValueId input : node.inputs) {
      if (input != kNoValue) ++consumers[static_cast<std::size_t>(input)];
    }
  }
  for (const ValueId output : network.outputs()) ++consumers[static_cast<std::size_t>(output)];

  Network result;
  std::vector<ValueId> renamed(network.values().size(), kNoValue);
  for (std::size_t v = 0; v < network.values().size(); ++v) {
    const Value& value = network.values()[v];
    if (value.constant) renamed[v] = result.add_constant(value.name, *value.constant);
  }
  for (const ValueId input : network.inputs()) {
    const Value& value = network.value(input);
    renamed[static_cast<std::size_t>(input)] = result.add_input(value.name, value.type);
  }
  const auto now = [&](ValueId old) { return old == kNoValue ? kNoValue : renamed[static_cast<std::size_t>(old)]; };

  // The product is emitted with its Add, and not on its own.
  std::vector<char> absorbed(network.nodes().size(), 0);
  std::vector<NodeId> product_of(network.nodes().size(), kNoNode);
  for (std::size_t n = 0; n < network.nodes().size(); ++n) {
    const Node& add = network.nodes()[n];
    if (add.op != "Add") continue;
    for (const ValueId operand : add.inputs) {
      const NodeId producer = network.value(operand).producer;
      if (producer == kNoNode || consumers[static_cast<std::size_t>(operand)] != 1) continue;
      if (!is_matrix_product(network, network.node(producer)) || !row_bias(network, add, operand)) continue;
      product_of[n] = producer;
      absorbed[static_cast<std::size_t>(producer)] = 1;
    }
  }
  for (std::size_t n = 0; n < network.nodes().size(); ++n) {
    if (absorbed[n] != 0) continue;
    const Node& node = network.nodes()[n];
    std::vector<std::string> names;
    for (const ValueId output : node.outputs) names.push_back(network.value(output).name);
    NodeId added = kNoNode;
    if (product_of[n] != kNoNode) {
      const Node& product = network.node(product_of[n]);
      const ValueId bias = *row_bias(network, node, product.outputs[0]);
      added = append_node(result, table, "Gemm", node.name, {now(product.inputs[0]), now(product.inputs[1]), now(bias)},
                          names);
    } else {
      std::vector<ValueId> inputs;
      for (const ValueId input : node.inputs) inputs.push_back(now(input));
      added = append_node(result, table, node.op, node.name, std::move(inputs), names, node.attributes);
    }
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      renamed[static_cast<std::size_t>(node.outputs[i])] = result.node(added).outputs[i];
    }
  }
  std::vector<ValueId> outputs;
  for (const ValueId output : network.outputs()) outputs.push_back(now(output));
  result.set_outputs(std::move(outputs));
  return result;
}

}  // namespace boundflow
