#pragma once
// What passes write their result with: a copy of a network in which some nodes are replaced. A pass visits the old
// nodes in their order and looks at the new network for their operands, so that chains collapse in one sweep.

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/pass_funnel.hpp"
#include "ops/operator.hpp"

namespace boundflow {

class Rewriter {
 public:
  // Both outlive this.
  Rewriter(const Network& old, const OperatorTable& table);

  const Network& old() const { return *old_; }
  const Network& result() const { return result_; }
  const OperatorTable& table() const { return *table_; }

  // The new value that stands for an old one; kNoValue stays.
  ValueId now(ValueId old) const { return old == kNoValue ? kNoValue : renamed_[static_cast<std::size_t>(old)]; }
  std::vector<ValueId> now(const std::vector<ValueId>& old) const;
  // The node of the new network that computes a new value; nullptr for inputs and constants.
  const Node* producer(ValueId value) const;
  // An upper bound of how often a new value is read, outputs of the network included.
  int readers(ValueId value) const { return readers_[static_cast<std::size_t>(value)]; }

  // Called before an old node is rewritten or copied: what takes its place may take its name.
  void visit(const Node& node) { names_.erase(node.name); }
  // The same for a node of the new network whose last reader is being rewritten.
  void release(const Node& node) { names_.erase(node.name); }
  // An old node as it is, with the new values that it reads.
  void copy(const Node& node);
  // Whether an old value may be replaced by a new one: outputs stay variables, and stay different from each other.
  bool replaceable(ValueId old, ValueId by) const;
  void replace(ValueId old, ValueId by);
  // The same by a value of another shape: all nodes that read the old one must be able to read it. Not for outputs.
  void narrow(ValueId old, ValueId by);
  // A node with one output. Its name is `name`, or that with a number behind it where `name` is in use.
  ValueId add(std::string_view op, const std::string& name, std::vector<ValueId> inputs, const std::string& value_name,
              Attributes attributes = {});
  ValueId add_constant(std::string name, Tensor tensor);

  // The new network, without nodes and constants that its outputs do not need. Not to be used after that.
  Network finish();

 private:
  void rename(ValueId old, ValueId by);
  std::string fresh(const std::string& name);
  void grow();

  const Network* old_;
  const OperatorTable* table_;
  Network result_;
  std::vector<int> old_readers_;
  std::vector<ValueId> renamed_;
  std::vector<int> readers_;  // of new values: of the old values that they stand for, and of added nodes
  std::set<std::string, std::less<>> names_;
};

// `network` without what its outputs do not need, and how many nodes and constants those are.
std::int64_t count_unneeded(const Network& network);
Network without_unneeded(const Network& network);

// A sweep over the nodes: each is rewritten by `rewrite(rewriter, node)`, or copied where that returns false.
template <class Rewrite>
Network rewrite_nodes(const Network& network, const OperatorTable& table, Rewrite&& rewrite) {
  Rewriter rewriter(network, table);
  for (const Node& node : network.nodes()) {
    rewriter.visit(node);
    if (!rewrite(rewriter, node)) rewriter.copy(node);
  }
  return rewriter.finish();
}

}  // namespace boundflow
