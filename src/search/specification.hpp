#pragma once
// A region of the property as the search handles it: its box in double, its atoms as rows of one LinearSpec (equal
// atoms share a row), its clauses as indices of rows.

#include <cstdint>
#include <vector>

#include "ir/query.hpp"

namespace boundflow {

// An AND of rows and of choices (see Clause). Row j is violated by values <= 0, or < 0 if strict.
struct RowClause {
  std::vector<std::int32_t> rows;
  std::vector<std::vector<RowClause>> choices;
};

struct Specification {
  LinearSpec spec;
  std::vector<char> strict;  // [rows]
  std::vector<RowClause> clauses;
  InputBox box;

  // True if a row's sound lower bound refutes it. Written so that NaN and infinities never do.
  bool refuted(std::int32_t row, double lower_bound) const;
};

Specification make_specification(const Region& region, std::int64_t inputs, std::int64_t outputs);

// Values of all rows at points: [count, rows] from points [count, inputs] and outputs [count, outputs]. Not rigorous.
void row_values(const LinearSpec& spec, std::span<const double> points, std::span<const double> outputs,
                std::int64_t count, std::span<double> values);

// How far a point is from violating the clause, from the values of all rows: the largest row, the smallest clause of a
// choice. At most 0: violated, as far as the values are right.
double violation_distance(const RowClause& clause, std::span<const double> row_values);

// The row that decides `violation_distance`; -1 for a clause without rows.
std::int32_t deciding_row(const RowClause& clause, std::span<const double> row_values);

// All rows that occur in the clause, ascending, each once.
std::vector<std::int32_t> rows_of(const RowClause& clause);

}  // namespace boundflow
