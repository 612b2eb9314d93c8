#include "frontends/vnnlib/clauses.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/error.hpp"

namespace boundflow::vnnlib {

// Written so that an infinite or undefined size is not affordable.
bool ClauseExpander::affordable(double clauses, double bytes) const {
  return clauses <= static_cast<double>(kMaxExpandedClauses) && stored_ + bytes <= limit_ / 2;
}

std::vector<ClauseExpander::AtomList> ClauseExpander::normal_form(NodeId id) const {
  const Node& node = formula_.node(id);
  if (node.kind == NodeKind::Atom) return {{&formula_.atom(node)}};
  if (node.kind == NodeKind::And) return product(node.children);
  std::vector<AtomList> result;
  for (NodeId child : node.children) {
    for (AtomList& list : normal_form(child)) result.push_back(std::move(list));
  }
  return result;
}

std::vector<ClauseExpander::AtomList> ClauseExpander::product(std::span<const NodeId> ids) const {
  std::vector<AtomList> result(1);
  for (NodeId id : ids) {
    const std::vector<AtomList> factors = normal_form(id);
    std::vector<AtomList> longer;
    longer.reserve(result.size() * factors.size());
    for (const AtomList& left : result) {
      for (const AtomList& right : factors) {
        longer.push_back(left);
        longer.back().insert(longer.back().end(), right.begin(), right.end());
      }
    }
    result = std::move(longer);
  }
  return result;
}

double ClauseExpander::bytes_of(std::span<const Atom* const> atoms) {
  double bytes = 0;
  for (const Atom* atom : atoms) bytes += vnnlib::bytes_of(*atom);
  return bytes;
}

void ClauseExpander::append_atoms(std::span<const Atom* const> atoms, Clause& clause) {
  stored_ += static_cast<double>(sizeof(Clause)) + bytes_of(atoms);
  if (!(stored_ <= limit_)) {
    throw InputError(SourceLocation{file_},
                     fmt::format("too large: its atoms take more than {:.0f} bytes when written as a union of clauses "
                                 "(and/or over many disjuncts); split it into several files",
                                 limit_));
  }
  clause.atoms.reserve(clause.atoms.size() + atoms.size());
  for (const Atom* atom : atoms) clause.atoms.push_back(*atom);
}

std::vector<Clause> ClauseExpander::alternatives(NodeId disjunction) {
  std::vector<Clause> result;
  const Node& node = formula_.node(disjunction);
  if (affordable(node.clauses, node.bytes)) {
    for (const AtomList& list : normal_form(disjunction)) append_atoms(list, result.emplace_back());
    return result;
  }
  for (NodeId child : node.children) {
    const Node& disjunct = formula_.node(child);
    const NodeId only[] = {child};
    std::span<const NodeId> conjuncts = only;
    if (disjunct.kind == NodeKind::And) conjuncts = disjunct.children;
    Clause& clause = result.emplace_back();
    AtomList atoms;
    for (NodeId id : conjuncts) {
      if (formula_.node(id).kind == NodeKind::Atom) {
        atoms.push_back(&formula_.atom(formula_.node(id)));
      } else {
        clause.choices.push_back(alternatives(id));
      }
    }
    append_atoms(atoms, clause);
  }
  return result;
}

void ClauseExpander::append(std::span<const Atom* const> atoms, std::span<const NodeId> disjunctions,
                            std::vector<Clause>& out) {
  double clauses = 1;
  const double common_bytes = bytes_of(atoms);
  double bytes_per_clause = common_bytes;
  for (NodeId id : disjunctions) {
    const Node& node = formula_.node(id);
    clauses *= node.clauses;
    bytes_per_clause += node.bytes / node.clauses;
  }
  if (affordable(clauses, clauses * bytes_per_clause)) {
    for (const AtomList& list : product(disjunctions)) {
      Clause& clause = out.emplace_back();
      append_atoms(atoms, clause);
      append_atoms(list, clause);
    }
    return;
  }
  // A single disjunction is a union already; it costs only a copy of the common atoms per disjunct.
  if (disjunctions.size() == 1) {
    const std::size_t disjuncts = formula_.node(disjunctions[0]).children.size();
    if (stored_ + static_cast<double>(disjuncts) * common_bytes <= limit_ / 2) {
      for (Clause& clause : alternatives(disjunctions[0])) {
        append_atoms(atoms, clause);
        out.push_back(std::move(clause));
      }
      return;
    }
  }
  Clause& clause = out.emplace_back();
  append_atoms(atoms, clause);
  for (NodeId id : disjunctions) clause.choices.push_back(alternatives(id));
}

}  // namespace boundflow::vnnlib
