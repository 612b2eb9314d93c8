#pragma once
// Formula without bounds on single inputs -> clauses: disjunctive normal form where it stays small, else choices.

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "frontends/vnnlib/formula.hpp"
#include "ir/property.hpp"

namespace boundflow::vnnlib {

class ClauseExpander {
 public:
  ClauseExpander(const Formula& formula, std::string file) : formula_(formula), file_(std::move(file)) {}

  // Appends clauses whose union is the conjunction of `atoms` and of `disjunctions`. All disjunctions of a conjunction
  // are multiplied out, or, where that explodes, none: then they stay as choices and the size stays linear.
  void append(std::span<const Atom* const> atoms, std::span<const NodeId> disjunctions, std::vector<Clause>& out);

 private:
  using AtomList = std::vector<const Atom*>;

  bool affordable(double clauses, double atoms) const;
  std::vector<AtomList> normal_form(NodeId id) const;
  std::vector<AtomList> product(std::span<const NodeId> ids) const;
  std::vector<Clause> alternatives(NodeId disjunction);
  void append_atoms(std::span<const Atom* const> atoms, Clause& clause);

  const Formula& formula_;
  std::string file_;
  std::size_t stored_ = 0;  // atoms so far in all clauses, and these themselves
};

}  // namespace boundflow::vnnlib
