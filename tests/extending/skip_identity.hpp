#pragma once
// skip-identity, a pass that BoundFlow does not need: readers of an Identity read what it reads. docs/extending.md
// walks through this file.

#include "passes/passes.hpp"

namespace boundflow {

// A pass returns a new network: values get new ids, so it keeps the new id of each old value.
inline Network skip_identity(const Network& network, const OperatorTable& table) {
  Network result;
  std::vector<ValueId> renamed(network.values().size(), kNoValue);
  const auto at = [](ValueId old) { return static_cast<std::size_t>(old); };
  const auto now = [&](ValueId old) { return old == kNoValue ? kNoValue : renamed[at(old)]; };

  for (std::size_t v = 0; v < network.values().size(); ++v) {
    const Value& value = network.values()[v];
    if (value.constant) renamed[v] = result.add_constant(value.name, *value.constant);
  }
  for (const ValueId input : network.inputs()) {
    renamed[at(input)] = result.add_input(network.value(input).name, network.value(input).type);
  }
  for (const Node& node : network.nodes()) {
    // The network's output keeps the node that gives it its name.
    const bool is_output = node.outputs[0] == network.output();
    if (node.op == "Identity" && !is_output) {
      renamed[at(node.outputs[0])] = now(node.inputs[0]);
      continue;
    }
    std::vector<ValueId> inputs;
    for (const ValueId input : node.inputs) inputs.push_back(now(input));
    std::vector<std::string> names;
    for (const ValueId output : node.outputs) names.push_back(network.value(output).name);
    const NodeId added = append_node(result, table, node.op, node.name, std::move(inputs), names, node.attributes);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) renamed[at(node.outputs[i])] = result.node(added).outputs[i];
  }
  result.set_outputs({now(network.output())});
  return result;
}

}  // namespace boundflow
