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
  // `limit` in bytes of all clauses together.
  ClauseExpander(const Formula& formula, std::string file, double limit)
      : formula_(formula), file_(std::move(file)), limit_(limit) {}

  // Appends clauses whose union is the conjunction of `atoms` and of `disjunctions`. All disjunctions of a conjunction
  // are multiplied out, or, where that explodes, none: then they stay as choices and the size stays linear.
  void append(std::span<const Atom* const> atoms, std::span<const NodeId> disjunctions, std::vector<Clause>& out);

 private:
  using AtomList = std::vector<const Atom*>;

  bool affordable(double clauses, double bytes) const;
  static double bytes_of(std::span<const Atom* const> atoms);
  std::vector<AtomList> normal_form(NodeId id) const;
  std::vector<AtomList> product(std::span<const NodeId> ids) const;
  std::vector<Clause> alternatives(NodeId disjunction);
  void append_atoms(std::span<const Atom* const> atoms, Clause& clause);

  const Formula& formula_;
  std::string file_;
  const double limit_;
  double stored_ = 0;  // bytes of all clauses so far
};

}  // namespace boundflow::vnnlib
