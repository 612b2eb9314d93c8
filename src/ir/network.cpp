#include "ir/network.hpp"

#include <fmt/format.h>

namespace boundflow {

namespace {

template <class T>
const T* find_attribute(const NodeView& view, std::string_view name, std::string_view kind) {
  const auto found = view.node().attributes.find(name);
  if (found == view.node().attributes.end()) return nullptr;
  const T* value = std::get_if<T>(&found->second);
  if (value == nullptr) view.malformed(fmt::format("attribute '{}' must be {}", name, kind));
  return value;
}

ValueId single(const Network& network, const std::vector<ValueId>& ids, std::string_view what) {
  ensure(!ids.empty(), "network without input or output");
  if (ids.size() == 1) return ids.front();
  std::string names;
  for (const ValueId id : ids) names += fmt::format("{}'{}'", names.empty() ? "" : ", ", network.value(id).name);
  throw UnsupportedError(network.value(ids.front()).name, "graph",
                         fmt::format("the network has {} {}s ({}), one is supported", ids.size(), what, names));
}

}  // namespace

ValueId Network::add_input(std::string name, TensorType type) {
  const auto id = static_cast<ValueId>(values_.size());
  values_.push_back({std::move(name), std::move(type), kNoNode, nullptr});
  inputs_.push_back(id);
  return id;
}

ValueId Network::add_constant(std::string name, Tensor tensor) {
  return add_constant(std::move(name), std::make_shared<const Tensor>(std::move(tensor)));
}

ValueId Network::add_constant(std::string name, std::shared_ptr<const Tensor> tensor) {
  const auto id = static_cast<ValueId>(values_.size());
  TensorType type = tensor->type();
  values_.push_back({std::move(name), std::move(type), kNoNode, std::move(tensor)});
  return id;
}

NodeId Network::add_node(std::string op, std::string name, std::vector<ValueId> inputs,
                         std::vector<std::string> output_names, std::vector<TensorType> output_types,
                         Attributes attributes) {
  ensure(output_names.size() == output_types.size(), "add_node: one type per output expected");
  const auto id = static_cast<NodeId>(nodes_.size());
  Node node{std::move(op), std::move(name), std::move(inputs), {}, std::move(attributes)};
  for (std::size_t i = 0; i < output_names.size(); ++i) {
    node.outputs.push_back(static_cast<ValueId>(values_.size()));
    values_.push_back({std::move(output_names[i]), std::move(output_types[i]), id, nullptr});
  }
  nodes_.push_back(std::move(node));
  return id;
}

ValueId Network::input() const {
  return single(*this, inputs_, "input");
}

ValueId Network::output() const {
  return single(*this, outputs_, "output");
}

std::int64_t NodeView::int_attribute(std::string_view name, std::int64_t otherwise) const {
  const auto* value = find_attribute<std::int64_t>(*this, name, "an integer");
  return value == nullptr ? otherwise : *value;
}

double NodeView::float_attribute(std::string_view name, double otherwise) const {
  const auto* value = find_attribute<double>(*this, name, "a float");
  return value == nullptr ? otherwise : *value;
}

std::vector<std::int64_t> NodeView::ints_attribute(std::string_view name,
                                                   const std::vector<std::int64_t>& otherwise) const {
  const auto* value = find_attribute<std::vector<std::int64_t>>(*this, name, "a list of integers");
  return value == nullptr ? otherwise : *value;
}

std::string NodeView::string_attribute(std::string_view name, const std::string& otherwise) const {
  const auto* value = find_attribute<std::string>(*this, name, "a string");
  return value == nullptr ? otherwise : *value;
}

void NodeView::malformed(const std::string& message) const {
  throw InputError(fmt::format("node '{}' ({}): {}", node_->name, node_->op, message));
}

void NodeView::unsupported(const std::string& message) const {
  throw UnsupportedError(node_->name, node_->op, message);
}

}  // namespace boundflow
