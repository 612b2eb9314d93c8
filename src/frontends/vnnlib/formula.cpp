#include "frontends/vnnlib/formula.hpp"

#include <utility>

namespace boundflow::vnnlib {

NodeId Formula::add(Node node) {
  nodes_.push_back(std::move(node));
  return static_cast<NodeId>(nodes_.size() - 1);
}

NodeId Formula::constant(bool value) {
  return add(Node{.kind = value ? NodeKind::True : NodeKind::False, .children = {}});
}

std::uint32_t Formula::add_atom(Linear&& expression, bool strict) {
  Atom& atom = atoms_.emplace_back();
  for (LinearTerm& term : expression.terms) {
    if (term.index < inputs_) {
      atom.inputs.push_back(std::move(term));
    } else {
      term.index -= inputs_;
      atom.outputs.push_back(std::move(term));
    }
  }
  atom.constant = std::move(expression.constant);
  atom.strict = strict;
  return static_cast<std::uint32_t>(atoms_.size() - 1);
}

NodeId Formula::compare(Linear expression, bool strict) {
  if (expression.terms.empty()) return constant(strict ? expression.constant < 0 : expression.constant <= 0);
  const LinearTerm& first = expression.terms.front();
  if (expression.terms.size() > 1 || first.index >= inputs_) {
    const std::uint32_t atom = add_atom(std::move(expression), strict);
    return add(Node{.kind = NodeKind::Atom, .item = atom, .bytes = bytes_of(atoms_.back()), .children = {}});
  }
  // a x + r <= 0 is x <= -r/a for a > 0, x >= -r/a for a < 0.
  Bound& bound = bounds_.emplace_back();
  bound.input = first.index;
  bound.is_upper = first.coefficient > 0;
  bound.strict = strict;
  bound.value = -expression.constant;
  if (first.coefficient != 1) bound.value /= first.coefficient;
  double bytes = 0;
  if (strict) {
    bound.atom = add_atom(std::move(expression), strict);
    bytes = bytes_of(atoms_.back());
  }
  const auto item = static_cast<std::uint32_t>(bounds_.size() - 1);
  return add(Node{.kind = NodeKind::Bound, .item = item, .has_bounds = true, .bytes = bytes, .children = {}});
}

NodeId Formula::combine(NodeKind kind, const std::vector<NodeId>& operands) {
  const NodeKind neutral = kind == NodeKind::And ? NodeKind::True : NodeKind::False;
  const NodeKind absorbing = kind == NodeKind::And ? NodeKind::False : NodeKind::True;
  Node node{.kind = kind, .children = {}};
  for (NodeId operand : operands) {
    Node& child = nodes_[operand];
    if (child.kind == absorbing) return operand;
    if (child.kind == neutral) continue;
    if (child.kind != kind) {
      node.children.push_back(operand);
    } else if (node.children.empty()) {
      node.children = std::move(child.children);  // an operand has no other parent
    } else {
      node.children.insert(node.children.end(), child.children.begin(), child.children.end());
      child.children = {};
    }
  }
  if (node.children.empty()) return constant(kind == NodeKind::And);
  if (node.children.size() == 1) return node.children.front();

  node.clauses = kind == NodeKind::And ? 1 : 0;
  double bytes_per_clause = 0;
  for (NodeId id : node.children) {
    const Node& child = nodes_[id];
    node.has_bounds = node.has_bounds || child.has_bounds;
    if (kind == NodeKind::And) {
      node.clauses *= child.clauses;
      bytes_per_clause += child.bytes / child.clauses;
    } else {
      node.clauses += child.clauses;
      node.bytes += child.bytes;
    }
  }
  if (kind == NodeKind::And) node.bytes = node.clauses * bytes_per_clause;
  return add(std::move(node));
}

}  // namespace boundflow::vnnlib
