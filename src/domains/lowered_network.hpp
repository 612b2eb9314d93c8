#pragma once
// A network with every node lowered to its facet: what the rules of all domains work on. Data movement and affine nodes
// have one form here, so a domain needs one rule for both. Images are stored channels last (see layouts.hpp): maps,
// biases and joint terms speak of coordinates in the order in which each value is stored.

#include <memory>
#include <vector>

#include "base/deadline.hpp"
#include "ops/operator.hpp"
#include "program/bound_program.hpp"

namespace boundflow {

enum class FacetKind { Affine, Elementwise, Joint };

struct LoweredNode {
  const Node* node = nullptr;
  FacetKind facet = FacetKind::Affine;
  std::vector<ValueId> operands;  // Affine: one per map; Elementwise: one; Joint: one per operand
  ValueId output = kNoValue;
  std::shared_ptr<const AffineData> affine;        // Affine
  std::shared_ptr<const ScalarFunction> function;  // Elementwise
  std::shared_ptr<const JointData> joint;          // Joint
  double unit_roundoff = 0;                        // of the output's dtype
};

class LoweredNetwork {
 public:
  // UnsupportedError that names the first node which has no facet; StoppedError when the deadline passes on the way.
  LoweredNetwork(std::shared_ptr<const Network> network, const OperatorTable& table,
                 const Deadline& deadline = Deadline());

  const Network& network() const { return *network_; }
  const std::vector<LoweredNode>& nodes() const { return nodes_; }
  std::int64_t columns(ValueId value) const { return network_->size_of(value); }
  // The position in nodes() of what computes the value; -1 for inputs and constants.
  std::int64_t producer(ValueId value) const { return producers_.at(static_cast<std::size_t>(value)); }
  const Order& order(ValueId value) const { return orders_.at(static_cast<std::size_t>(value)); }
  // A buffer for all coordinates of the value.
  Buffer buffer(BufferKind kind, ValueId value) const {
    return {.kind = kind, .value = value, .columns = columns(value), .order = order(value)};
  }

 private:
  void lower_output(const Node& node, std::size_t output, const OperatorTable& table);

  std::shared_ptr<const Network> network_;
  std::vector<LoweredNode> nodes_;  // one per output of a node, in topological order
  std::vector<std::int64_t> producers_;
  std::vector<Order> orders_;
};

}  // namespace boundflow
