#pragma once
// What the linear forms of a clause's rows over a box decide: that the clause is refuted there (by one row, or by one
// convex combination of rows), or in which smaller box it can still be violated.

#include <cstdint>
#include <span>
#include <vector>

#include "search/specification.hpp"

namespace boundflow {

// The bounded rows of one subproblem: row r of the specification has lower bound `bound[r]` over the box and the form
// form[r] . x + constant[r] <= row value, the errors of both included. Rows that were not asked for have no form.
struct RowForms {
  std::int64_t inputs = 0;
  std::vector<double> bound;        // [rows of the specification], NaN where not asked for
  std::vector<const double*> form;  // nullptr where not asked for
  std::vector<double> constant;
};

struct ClauseOutcome {
  bool refuted = false;
  double bound = 0;                 // the best sound lower bound of max over rows, for ordering subproblems
  std::vector<double> combination;  // coefficients at the input of the best combination of rows: its slope
  std::vector<double> minimizer;    // where the combination is smallest over the box
  std::vector<double> lower;        // the box in which the clause may still be violated
  std::vector<double> upper;
};

// Bounds the clause over [lower, upper], the box for which the forms were computed.
ClauseOutcome bound_clause(const Specification& specification, const RowClause& clause, const RowForms& forms,
                           std::span<const double> lower, std::span<const double> upper);

}  // namespace boundflow
