#pragma once
// The formula of a file: atoms under and/or, simplified while it is built. A conjunction never has a conjunction as a
// child nor a disjunction a disjunction, constants occur only as the whole formula.

#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "frontends/vnnlib/linear.hpp"
#include "ir/property.hpp"

namespace boundflow::vnnlib {

using NodeId = std::uint32_t;

enum class NodeKind { True, False, Bound, Atom, And, Or };

// An atom over a single input: X_input <= value (is_upper) or >= value, or the strict forms. It tightens a box.
struct Bound {
  std::int64_t input = 0;
  bool is_upper = false;
  bool strict = false;
  Rational value;
  std::uint32_t atom = 0;  // of a strict one: the atom that stands in the clause
};

struct Node {
  NodeKind kind = NodeKind::True;
  std::uint32_t item = 0;        // index of the bound or atom
  bool has_bounds = false;       // a Bound is somewhere below
  double clauses = 1;            // of the disjunctive normal form; may be infinite
  double bytes = 0;              // of the atoms in all of these clauses together
  std::vector<NodeId> children;  // of And and Or: at least two
};

class Formula {
 public:
  explicit Formula(std::int64_t inputs) : inputs_(inputs) {}

  NodeId constant(bool value);
  // expression <= 0, or < 0 if strict. The expression is normalised.
  NodeId compare(Linear expression, bool strict);
  NodeId conjunction(const std::vector<NodeId>& operands) { return combine(NodeKind::And, operands); }
  NodeId disjunction(const std::vector<NodeId>& operands) { return combine(NodeKind::Or, operands); }

  std::int64_t inputs() const { return inputs_; }
  const Node& node(NodeId id) const { return nodes_[id]; }
  const Bound& bound(const Node& node) const { return bounds_[node.item]; }
  const std::deque<Bound>& bounds() const { return bounds_; }
  const Atom& atom(const Node& node) const { return atoms_[node.item]; }
  const Atom& atom_of(const Bound& bound) const { return atoms_[bound.atom]; }

 private:
  NodeId combine(NodeKind kind, const std::vector<NodeId>& operands);
  NodeId add(Node node);
  std::uint32_t add_atom(Linear&& expression, bool strict);

  std::int64_t inputs_;
  std::vector<Node> nodes_;
  std::deque<Bound> bounds_;  // deques: moving a rational costs an allocation
  std::deque<Atom> atoms_;
};

}  // namespace boundflow::vnnlib
