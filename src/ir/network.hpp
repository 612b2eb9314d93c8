#pragma once
// Level 1, the Primal IR: an SSA graph of typed nodes. Nodes stand in topological order. Shapes are static; a batch
// dimension that the file leaves symbolic has become 1 at import.

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ir/tensor.hpp"

namespace boundflow {

using ValueId = std::int32_t;
using NodeId = std::int32_t;
inline constexpr ValueId kNoValue = -1;  // an optional input that is absent
inline constexpr NodeId kNoNode = -1;    // producer of inputs and constants

// libstdc++ 12 runs into undefined behaviour where copying a variant of nothing but vectors, strings and the like
// throws, since it takes such variants for ones that always hold a value. Tensor is no type that it thinks so of.
using Attribute =
    std::variant<std::int64_t, double, std::string, std::vector<std::int64_t>, std::vector<double>, Tensor>;
using Attributes = std::map<std::string, Attribute, std::less<>>;

struct Value {
  std::string name;
  TensorType type;
  NodeId producer = kNoNode;
  std::shared_ptr<const Tensor> constant;  // set for constants only
};

struct Node {
  std::string op;    // the operator's name in the table of ops/
  std::string name;  // unique; taken from the file, or made of the first output's name
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  Attributes attributes;
};

class Network {
 public:
  Network() = default;
  // From its parts as they are; verify_network tells whether they make a network.
  Network(std::vector<Value> values, std::vector<Node> nodes, std::vector<ValueId> inputs, std::vector<ValueId> outputs)
      : values_(std::move(values)),
        nodes_(std::move(nodes)),
        inputs_(std::move(inputs)),
        outputs_(std::move(outputs)) {}
  ValueId add_input(std::string name, TensorType type);
  ValueId add_constant(std::string name, Tensor tensor);
  ValueId add_constant(std::string name, std::shared_ptr<const Tensor> tensor);  // shares the data
  // Appends a node whose outputs have the given names and types; returns its id.
  NodeId add_node(std::string op, std::string name, std::vector<ValueId> inputs, std::vector<std::string> output_names,
                  std::vector<TensorType> output_types, Attributes attributes = {});
  void set_outputs(std::vector<ValueId> outputs) { outputs_ = std::move(outputs); }

  const std::vector<Value>& values() const { return values_; }
  const std::vector<Node>& nodes() const { return nodes_; }
  const Value& value(ValueId id) const { return values_.at(static_cast<std::size_t>(id)); }
  const Node& node(NodeId id) const { return nodes_.at(static_cast<std::size_t>(id)); }
  const std::vector<ValueId>& inputs() const { return inputs_; }
  const std::vector<ValueId>& outputs() const { return outputs_; }

  // Elements of the single input and the single output. UnsupportedError if the network has several.
  ValueId input() const;
  ValueId output() const;
  std::int64_t size_of(ValueId id) const { return element_count(value(id).type.shape); }
  bool is_constant(ValueId id) const { return value(id).constant != nullptr; }

 private:
  std::vector<Value> values_;
  std::vector<Node> nodes_;
  std::vector<ValueId> inputs_;
  std::vector<ValueId> outputs_;

  friend class NetworkTestAccess;  // the verifier's tests break networks on purpose
};

// A node with its network: what an operator's functions get to see.
class NodeView {
 public:
  // `output`: the output that is asked for, where a node has several; only what lowers a node cares.
  NodeView(const Network& network, const Node& node, std::size_t output = 0)
      : network_(&network), node_(&node), output_(output) {}
  const Network& network() const { return *network_; }
  const Node& node() const { return *node_; }
  std::size_t output_index() const { return output_; }
  std::size_t input_count() const { return node_->inputs.size(); }
  // An absent optional input (or one past the end) has no type and is no constant.
  bool has_input(std::size_t i) const { return i < node_->inputs.size() && node_->inputs[i] != kNoValue; }
  const TensorType& input_type(std::size_t i) const { return network_->value(node_->inputs.at(i)).type; }
  // The constant tensor of input i, or nullptr.
  const Tensor* constant(std::size_t i) const {
    return has_input(i) ? network_->value(node_->inputs[i]).constant.get() : nullptr;
  }
  const TensorType& output_type(std::size_t i = 0) const { return network_->value(node_->outputs.at(i)).type; }
  // Attributes with a default. InputError that names the node if the attribute has another type.
  std::int64_t int_attribute(std::string_view name, std::int64_t otherwise) const;
  double float_attribute(std::string_view name, double otherwise) const;
  std::vector<std::int64_t> ints_attribute(std::string_view name, const std::vector<std::int64_t>& otherwise) const;
  std::string string_attribute(std::string_view name, const std::string& otherwise) const;
  bool has_attribute(std::string_view name) const { return node_->attributes.contains(name); }

  // Errors that name this node and its operator.
  [[noreturn]] void malformed(const std::string& message) const;    // InputError
  [[noreturn]] void unsupported(const std::string& message) const;  // UnsupportedError

 private:
  const Network* network_;
  const Node* node_;
  std::size_t output_ = 0;
};

// The network as text, one line per value or node (network_printer.cpp has the grammar). Constants longer than
// `max_constant_elements` show their size and a checksum instead of their data. With kAllElements parse_network reads
// the text back.
inline constexpr std::int64_t kAllElements = std::numeric_limits<std::int64_t>::max();
std::string print(const Network& network, std::int64_t max_constant_elements = 8);
// One node as text, without the newline.
std::string print(const Network& network, const Node& node);

// The first broken rule's label, e.g. "[V3 topological-order]", what is wrong, and the nodes around the fault; nothing
// if all rules hold. The rules are listed in verifier.cpp; each has a test named after it. Shape rules of the operators
// are checked by the frontends through ops/, since ir/ knows no operator.
std::optional<std::string> network_fault(const Network& network);
// Throws InternalError with the fault, if there is one.
void verify_network(const Network& network);

}  // namespace boundflow
