#pragma once
// Property: the *violation* to look for, a union of (input box, clause). A clause is an AND of linear atoms
// a.x + c.y + r <= 0 (or < 0) over inputs and outputs, exact rationals throughout (design: decimals are kept).

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/rational.hpp"

namespace boundflow {

struct LinearTerm {
  std::int64_t index = 0;  // of X or Y, row-major
  Rational coefficient;    // not zero
};

// inputs . x + outputs . y + constant <= 0, or < 0 if strict.
struct Atom {
  std::vector<LinearTerm> inputs;   // ascending index, each index once
  std::vector<LinearTerm> outputs;  // ascending index, each index once
  Rational constant;
  bool strict = false;
};

// The conjunction of `atoms` and of `choices`. A choice is a disjunction of clauses; choices remain only where bringing
// the formula to a union of plain clauses would explode (more than `kMaxExpandedClauses`; a union that is written as
// one has no such limit). The choices of one conjunction are multiplied out all or none, so that the size stays near
// the formula's. A clause without atoms and choices is true everywhere.
struct Clause {
  std::vector<Atom> atoms;
  std::vector<std::vector<Clause>> choices;
};

inline constexpr std::size_t kMaxExpandedClauses = 4096;

// Decimal bounds of each input coordinate, closed. What a strict bound excludes stands as a strict atom in each clause.
struct DecimalBox {
  std::vector<Rational> lower;
  std::vector<Rational> upper;
};

// The violation "x in box and one of the clauses".
struct Region {
  DecimalBox box;  // never empty as decimals
  std::vector<Clause> clauses;
};

struct Property {
  std::int64_t input_count = 0;
  std::int64_t output_count = 0;
  std::vector<Region> regions;  // none: the violation is impossible, the property holds
};

// True if an atom of a clause speaks of inputs.
bool has_input_terms(const Region& region);

// Readable text, one line per atom.
std::string print(const Property& property);

// The box that a proof must cover. An input x is executed as fl(x), the float32 nearest to the decimal; the box
// contains both, rounded outward to double.
struct InputBox {
  std::vector<double> lower;
  std::vector<double> upper;
};
InputBox outward_box(const DecimalBox& box);

}  // namespace boundflow
