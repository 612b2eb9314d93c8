// The rules that every Network keeps. A broken one is a bug of whoever built the network: the fault has the rule's
// label and the nodes around it. Each label stands in the name of a test.
//
//   V1  single-definition     each value is defined once: as an input, as a constant, or by one node
//   V2  ids-in-range          nodes, inputs and outputs refer to values that exist
//   V3  topological-order     a node reads inputs, constants and outputs of earlier nodes
//   V4  producer-links        a value's producer is the node that lists it among its outputs
//   V5  unique-node-names     node names are unique and not empty
//   V6  outputs-defined       each graph output is a variable, listed once
//   V7  constant-type         a constant's type is its tensor's
//   V8  has-input-and-output  the graph has an input and an output, every node an output and an operator
//   V9  finite-constants      floating constants hold neither NaN nor infinity
//   V10 shapes                dimensions are positive for variables, non-negative for constants, and not absurd
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

#include "ir/network.hpp"

namespace boundflow {

namespace {

struct Fault {
  std::string message;
};

class Verifier {
 public:
  explicit Verifier(const Network& network) : network_(network), definitions_(network.values().size(), 0) {}

  // Throws the first Fault.
  void run() {
    ids_in_range();  // first: the other rules index by these ids
    single_definition();
    producer_links();
    topological_order();
    unique_node_names();
    has_input_and_output();
    outputs_defined();
    constants();
    shapes();
  }

 private:
  static constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

  // The fault with the nodes around node `at`.
  [[noreturn]] void fail(std::string_view rule, const std::string& what, std::size_t at) const {
    std::string message = fmt::format("[{}] {}", rule, what);
    const std::size_t count = network_.nodes().size();
    if (at < count) {
      const std::size_t first = at == 0 ? 0 : at - 1;
      for (std::size_t i = first; i < std::min(count, at + 2); ++i) {
        message += fmt::format("\n{} {}", i == at ? ">" : " ", print(network_, network_.nodes()[i]));
      }
    }
    throw Fault{message};
  }

  std::string describe(ValueId id) const { return fmt::format("value %{} '{}'", id, network_.value(id).name); }

  // A node to show for a value: its producer, else its first reader.
  std::size_t place_of(ValueId id) const {
    const NodeId producer = network_.value(id).producer;
    if (producer >= 0 && static_cast<std::size_t>(producer) < network_.nodes().size()) {
      return static_cast<std::size_t>(producer);
    }
    for (std::size_t i = 0; i < network_.nodes().size(); ++i) {
      const std::vector<ValueId>& inputs = network_.nodes()[i].inputs;
      if (std::find(inputs.begin(), inputs.end(), id) != inputs.end()) return i;
    }
    return kNowhere;
  }

  bool exists(ValueId id) const { return id >= 0 && static_cast<std::size_t>(id) < network_.values().size(); }

  void ids_in_range() const {
    for (std::size_t i = 0; i < network_.nodes().size(); ++i) {
      for (const ValueId id : network_.nodes()[i].inputs) {
        if (id != kNoValue && !exists(id)) fail("V2 ids-in-range", fmt::format("input %{} does not exist", id), i);
      }
      for (const ValueId id : network_.nodes()[i].outputs) {
        if (!exists(id)) fail("V2 ids-in-range", fmt::format("output %{} does not exist", id), i);
      }
    }
    for (const ValueId id : network_.inputs()) {
      if (!exists(id)) fail("V2 ids-in-range", fmt::format("graph input %{} does not exist", id), kNowhere);
    }
    for (const ValueId id : network_.outputs()) {
      if (!exists(id)) fail("V2 ids-in-range", fmt::format("graph output %{} does not exist", id), kNowhere);
    }
  }

  void define(ValueId id, std::size_t at) {
    if (++definitions_[static_cast<std::size_t>(id)] > 1) {
      fail("V1 single-definition", describe(id) + " is defined twice", at);
    }
  }

  void single_definition() {
    for (const ValueId id : network_.inputs()) define(id, place_of(id));
    for (std::size_t i = 0; i < network_.values().size(); ++i) {
      if (network_.values()[i].constant != nullptr) {
        const auto id = static_cast<ValueId>(i);
        define(id, place_of(id));
      }
    }
    for (std::size_t i = 0; i < network_.nodes().size(); ++i) {
      for (const ValueId id : network_.nodes()[i].outputs) define(id, i);
    }
    for (std::size_t i = 0; i < definitions_.size(); ++i) {
      const auto id = static_cast<ValueId>(i);
      if (definitions_[i] == 0) fail("V1 single-definition", describe(id) + " is never defined", place_of(id));
    }
  }

  void producer_links() const {
    std::vector<NodeId> producers(network_.values().size(), kNoNode);
    for (std::size_t i = 0; i < network_.nodes().size(); ++i) {
      for (const ValueId id : network_.nodes()[i].outputs) {
        producers[static_cast<std::size_t>(id)] = static_cast<NodeId>(i);
      }
    }
    for (std::size_t i = 0; i < producers.size(); ++i) {
      const Value& value = network_.values()[i];
      if (value.producer == producers[i]) continue;
      const auto id = static_cast<ValueId>(i);
      const std::size_t at = producers[i] == kNoNode ? place_of(id) : static_cast<std::size_t>(producers[i]);
      fail("V4 producer-links",
           fmt::format("{} names node {} as its producer, which is {}", describe(id), value.producer, producers[i]),
           at);
    }
  }

  void topological_order() const {
    for (std::size_t i = 0; i < network_.nodes().size(); ++i) {
      for (const ValueId id : network_.nodes()[i].inputs) {
        if (id != kNoValue && network_.value(id).producer >= static_cast<NodeId>(i)) {
          fail("V3 topological-order", describe(id) + " is read before it is computed", i);
        }
      }
    }
  }

  void unique_node_names() const {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < network_.nodes().size(); ++i) {
      const std::string& name = network_.nodes()[i].name;
      if (name.empty()) fail("V5 unique-node-names", "a node has no name", i);
      if (!names.insert(name).second) fail("V5 unique-node-names", "two nodes are named '" + name + "'", i);
    }
  }

  void has_input_and_output() const {
    if (network_.inputs().empty()) fail("V8 has-input-and-output", "the network has no input", 0);
    if (network_.outputs().empty()) {
      fail("V8 has-input-and-output", "the network has no output", network_.nodes().size() - 1);
    }
    for (std::size_t i = 0; i < network_.nodes().size(); ++i) {
      if (network_.nodes()[i].outputs.empty()) fail("V8 has-input-and-output", "a node has no output", i);
      if (network_.nodes()[i].op.empty()) fail("V8 has-input-and-output", "a node has no operator", i);
    }
  }

  void outputs_defined() const {
    std::set<ValueId> seen;
    for (const ValueId id : network_.outputs()) {
      if (network_.is_constant(id))
        fail("V6 outputs-defined", describe(id) + ", an output, is a constant", place_of(id));
      if (!seen.insert(id).second) fail("V6 outputs-defined", describe(id) + " is an output twice", place_of(id));
    }
  }

  void constants() const {
    for (std::size_t i = 0; i < network_.values().size(); ++i) {
      const Value& value = network_.values()[i];
      if (value.constant == nullptr) continue;
      const auto id = static_cast<ValueId>(i);
      if (value.constant->type() != value.type) {
        fail("V7 constant-type",
             fmt::format("{} is {}, its tensor {}", describe(id), to_string(value.type),
                         to_string(value.constant->type())),
             place_of(id));
      }
      if (!value.constant->is_finite())
        fail("V9 finite-constants", describe(id) + " holds NaN or infinity", place_of(id));
    }
  }

  void shapes() const {
    for (std::size_t i = 0; i < network_.values().size(); ++i) {
      const Value& value = network_.values()[i];
      const auto id = static_cast<ValueId>(i);
      const std::string what = fmt::format("{} has type {}", describe(id), to_string(value.type));
      try {
        if (element_count(value.type.shape) > 0 || value.constant != nullptr) continue;
      } catch (const InputError& error) {
        fail("V10 shapes", what + ": " + error.what(), place_of(id));
      }
      fail("V10 shapes", what + " without elements", place_of(id));
    }
  }

  const Network& network_;
  std::vector<int> definitions_;
};

}  // namespace

std::optional<std::string> network_fault(const Network& network) {
  try {
    Verifier(network).run();
  } catch (const Fault& fault) {
    return fault.message;
  }
  return std::nullopt;
}

void verify_network(const Network& network) {
  if (const std::optional<std::string> fault = network_fault(network)) throw InternalError(*fault);
}

}  // namespace boundflow
