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
  std::vector<double> error;  // the part of `bound` that is error: nominal - error = bound
};

// A convex combination of the clause's rows that was bounded as one row of its own: where the rows' coefficients cancel
// in the outputs, its form is tighter than the combination of their forms.
struct CombinedRow {
  double bound = 0;
  double error = 0;
  const double* form = nullptr;  // nullptr: there is none
  double constant = 0;
};

struct ClauseOutcome {
  bool refuted = false;
  double bound = 0;               // the best sound lower bound of the largest row, for ordering subproblems
  double error = 0;               // what of it is error: bound + error is the nominal bound
  std::vector<double> lambda;     // the best convex combination of the clause's rows; empty for fewer than two rows
  std::vector<double> minimizer;  // where the best form is smallest over the box
  std::vector<double> lower;      // the box in which the clause may still be violated
  std::vector<double> upper;
};

// Bounds the clause over [lower, upper], the box for which the forms were computed.
ClauseOutcome bound_clause(const Specification& specification, const RowClause& clause, const RowForms& forms,
                           const CombinedRow& combined, std::span<const double> lower, std::span<const double> upper);

}  // namespace boundflow
