#include "passes/rewriter.hpp"

#include <algorithm>

namespace boundflow {

namespace {

std::size_t at(ValueId id) {
  return static_cast<std::size_t>(id);
}

// For each value, whether the outputs need it. Inputs always stay.
std::vector<char> needed_values(const Network& network) {
  std::vector<char> needed(network.values().size(), 0);
  for (const ValueId id : network.outputs()) needed[at(id)] = 1;
  for (auto node = network.nodes().rbegin(); node != network.nodes().rend(); ++node) {
    if (std::none_of(node->outputs.begin(), node->outputs.end(), [&](ValueId id) { return needed[at(id)] != 0; })) {
      continue;
    }
    for (const ValueId id : node->outputs) needed[at(id)] = 1;  // a node keeps all of its outputs
    for (const ValueId id : node->inputs) {
      if (id != kNoValue) needed[at(id)] = 1;
    }
  }
  for (const ValueId id : network.inputs()) needed[at(id)] = 1;
  return needed;
}

}  // namespace

std::int64_t count_unneeded(const Network& network) {
  const std::vector<char> needed = needed_values(network);
  std::int64_t count = 0;
  for (std::size_t v = 0; v < needed.size(); ++v) {
    if (needed[v] != 0) continue;
    const NodeId producer = network.values()[v].producer;
    if (producer == kNoNode || network.node(producer).outputs.front() == static_cast<ValueId>(v)) ++count;
  }
  return count;
}

Network without_unneeded(const Network& network) {
  const std::vector<char> needed = needed_values(network);
  std::vector<Value> values;
  std::vector<ValueId> renamed(needed.size(), kNoValue);
  std::vector<NodeId> new_node(network.nodes().size(), kNoNode);
  std::vector<Node> nodes;
  for (std::size_t n = 0; n < network.nodes().size(); ++n) {
    if (needed[at(network.nodes()[n].outputs.front())] == 0) continue;
    new_node[n] = static_cast<NodeId>(nodes.size());
    nodes.push_back(network.nodes()[n]);
  }
  for (std::size_t v = 0; v < needed.size(); ++v) {
    if (needed[v] == 0) continue;
    renamed[v] = static_cast<ValueId>(values.size());
    values.push_back(network.values()[v]);
    NodeId& producer = values.back().producer;
    if (producer != kNoNode) producer = new_node[static_cast<std::size_t>(producer)];
  }
  const auto rename = [&](std::vector<ValueId> ids) {
    for (ValueId& id : ids) id = id == kNoValue ? kNoValue : renamed[at(id)];
    return ids;
  };
  for (Node& node : nodes) {
    node.inputs = rename(std::move(node.inputs));
    node.outputs = rename(std::move(node.outputs));
  }
  return {std::move(values), std::move(nodes), rename(network.inputs()), rename(network.outputs())};
}

Rewriter::Rewriter(const Network& old, const OperatorTable& table)
    : old_(&old), table_(&table), old_readers_(old.values().size(), 0), renamed_(old.values().size(), kNoValue) {
  for (const Node& node : old.nodes()) {
    names_.insert(node.name);
    for (const ValueId id : node.inputs) {
      if (id != kNoValue) ++old_readers_[at(id)];
    }
  }
  for (const ValueId id : old.outputs()) ++old_readers_[at(id)];
  for (std::size_t v = 0; v < old.values().size(); ++v) {
    const Value& value = old.values()[v];
    if (value.constant) rename(static_cast<ValueId>(v), result_.add_constant(value.name, value.constant));
  }
  for (const ValueId id : old.inputs()) rename(id, result_.add_input(old.value(id).name, old.value(id).type));
}

std::vector<ValueId> Rewriter::now(const std::vector<ValueId>& old) const {
  std::vector<ValueId> ids;
  for (const ValueId id : old) ids.push_back(now(id));
  return ids;
}

const Node* Rewriter::producer(ValueId value) const {
  if (value == kNoValue) return nullptr;
  const NodeId id = result_.value(value).producer;
  return id == kNoNode ? nullptr : &result_.node(id);
}

void Rewriter::grow() {
  readers_.resize(result_.values().size(), 0);
}

void Rewriter::rename(ValueId old, ValueId by) {
  grow();
  renamed_[at(old)] = by;
  readers_[at(by)] += old_readers_[at(old)];
}

void Rewriter::copy(const Node& node) {
  names_.insert(node.name);
  std::vector<std::string> names;
  for (const ValueId id : node.outputs) names.push_back(old_->value(id).name);
  const NodeId id =
      append_node(result_, *table_, node.op, node.name, now(node.inputs), std::move(names), node.attributes);
  for (std::size_t i = 0; i < node.outputs.size(); ++i) rename(node.outputs[i], result_.node(id).outputs[i]);
}

bool Rewriter::replaceable(ValueId old, ValueId by) const {
  const std::vector<ValueId>& outputs = old_->outputs();
  if (std::find(outputs.begin(), outputs.end(), old) == outputs.end()) return true;
  if (result_.is_constant(by)) return false;
  return std::none_of(outputs.begin(), outputs.end(), [&](ValueId other) { return now(other) == by; });
}

void Rewriter::replace(ValueId old, ValueId by) {
  ensure(replaceable(old, by), "rewriter: an output would be lost");
  ensure(old_->value(old).type == result_.value(by).type, "rewriter: a value would change its type");
  rename(old, by);
}

void Rewriter::narrow(ValueId old, ValueId by) {
  const std::vector<ValueId>& outputs = old_->outputs();
  const bool is_output = std::find(outputs.begin(), outputs.end(), old) != outputs.end();
  ensure(!is_output || old_->value(old).type == result_.value(by).type, "rewriter: an output would change its shape");
  rename(old, by);
}

std::string Rewriter::fresh(const std::string& name) {
  std::string unique = name;
  for (int i = 2; !names_.insert(unique).second; ++i) unique = name + "#" + std::to_string(i);
  return unique;
}

ValueId Rewriter::add(std::string_view op, const std::string& name, std::vector<ValueId> inputs,
                      const std::string& value_name, Attributes attributes) {
  const NodeId id = append_node(result_, *table_, std::string(op), fresh(name), std::move(inputs), {value_name},
                                std::move(attributes));
  grow();
  for (const ValueId input : result_.node(id).inputs) {
    if (input != kNoValue) ++readers_[at(input)];
  }
  return result_.node(id).outputs.front();
}

ValueId Rewriter::add_constant(std::string name, Tensor tensor) {
  const ValueId id = result_.add_constant(std::move(name), std::move(tensor));
  grow();
  return id;
}

Network Rewriter::finish() {
  result_.set_outputs(now(old_->outputs()));
  return count_unneeded(result_) == 0 ? std::move(result_) : without_unneeded(result_);
}

}  // namespace boundflow
