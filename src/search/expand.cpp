#include "search/expand.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/random.hpp"
#include "base/rounding.hpp"
#include "search/clause_bound.hpp"
#include "search/row_gradients.hpp"

namespace boundflow {

namespace {

constexpr std::size_t kMinimizers = 2;
constexpr std::size_t kRandomPoints = 3;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// The rows that the open clauses of each subproblem need, flat with owners.
struct FlatRows {
  std::vector<std::int32_t> owners;
  std::vector<std::int32_t> rows;
  std::vector<std::size_t> first;  // [subproblems + 1]
};

FlatRows flat_rows(const Specification& specification, std::span<const Subproblem> chunk) {
  FlatRows flat;
  std::vector<std::vector<std::int32_t>> by_clause(specification.clauses.size());
  for (std::size_t c = 0; c < by_clause.size(); ++c) by_clause[c] = rows_of(specification.clauses[c]);
  std::vector<char> wanted(static_cast<std::size_t>(specification.spec.rows));
  for (std::size_t b = 0; b < chunk.size(); ++b) {
    flat.first.push_back(flat.rows.size());
    std::fill(wanted.begin(), wanted.end(), 0);
    for (const std::int32_t clause : chunk[b].clauses) {
      for (const std::int32_t row : by_clause[static_cast<std::size_t>(clause)])
        wanted[static_cast<std::size_t>(row)] = 1;
    }
    for (std::size_t row = 0; row < wanted.size(); ++row) {
      if (wanted[row] == 0) continue;
      flat.owners.push_back(static_cast<std::int32_t>(b));
      flat.rows.push_back(static_cast<std::int32_t>(row));
    }
  }
  flat.first.push_back(flat.rows.size());
  return flat;
}

// The best nominal bound of a clause's rows that would refute it, and that row's error; nominal -infinity if none.
struct NominalRefutation {
  double nominal = -std::numeric_limits<double>::infinity();
  double error = 0;
};

NominalRefutation nominal_refutation(const RowClause& clause, std::span<const double> nominal,
                                     std::span<const double> error) {
  NominalRefutation best;
  for (const std::int32_t row : clause.rows) {
    const auto r = static_cast<std::size_t>(row);
    if (nominal[r] > 0 && nominal[r] - error[r] > best.nominal - best.error) best = {nominal[r], error[r]};
  }
  return best;
}

void merge_hull(Expansion& expansion, const ClauseOutcome& outcome) {
  if (expansion.open.empty()) {
    expansion.lower = outcome.lower;
    expansion.upper = outcome.upper;
  }
  for (std::size_t i = 0; i < expansion.lower.size(); ++i) {
    expansion.lower[i] = std::min(expansion.lower[i], outcome.lower[i]);
    expansion.upper[i] = std::max(expansion.upper[i], outcome.upper[i]);
  }
}

// Samples each open subproblem at the minimisers of its first open clauses (bounding's own suggestions for a
// counterexample) and at random points; keeps the steepest gradients and the points that look like violations.
void sample(const Specification& specification, std::span<const Subproblem> chunk, const Evaluator& evaluator,
            const std::vector<std::vector<double>>& minimizers, std::uint64_t seed,
            std::vector<Expansion>& expansions) {
  struct Sample {
    std::size_t subproblem;
    std::int32_t clause;
  };
  const auto inputs = static_cast<std::size_t>(specification.spec.inputs);
  std::vector<Sample> samples;
  std::vector<double> points;
  for (std::size_t b = 0; b < expansions.size(); ++b) {
    const Expansion& expansion = expansions[b];
    if (expansion.open.empty()) continue;
    Random random(seed ^ (chunk[b].age * 0x9e3779b97f4a7c15ULL));
    const std::size_t suggested = std::min(kMinimizers, expansion.open.size());
    points.insert(points.end(), minimizers[b].begin(),
                  minimizers[b].begin() + static_cast<std::ptrdiff_t>(suggested * inputs));
    for (std::size_t k = 0; k < suggested + kRandomPoints; ++k) {
      samples.push_back({b, expansion.open[k % expansion.open.size()]});
      if (k < suggested) continue;
      for (std::size_t i = 0; i < inputs; ++i) points.push_back(random.uniform(expansion.lower[i], expansion.upper[i]));
    }
  }
  RowGradients gradients;
  gradients.compute(specification.spec, evaluator, points, static_cast<std::int64_t>(samples.size()),
                    [&](std::int64_t p, std::span<const double> values, std::span<double> weights) {
                      const auto clause = static_cast<std::size_t>(samples[static_cast<std::size_t>(p)].clause);
                      const std::int32_t row = deciding_row(specification.clauses[clause], values);
                      if (row >= 0) weights[static_cast<std::size_t>(row)] = 1;
                    });
  for (std::size_t p = 0; p < samples.size(); ++p) {
    Expansion& expansion = expansions[samples[p].subproblem];
    const auto at = static_cast<std::int64_t>(p);
    expansion.slopes.resize(inputs, 0.0);
    for (std::size_t i = 0; i < inputs; ++i) {
      expansion.slopes[i] = std::max(expansion.slopes[i], std::fabs(gradients.gradient(at)[i]));
    }
    const RowClause& clause = specification.clauses[static_cast<std::size_t>(samples[p].clause)];
    if (!(violation_distance(clause, gradients.values(at)) <= 0)) continue;
    const auto first = points.begin() + static_cast<std::ptrdiff_t>(p * inputs);
    expansion.candidates.emplace_back(first, first + static_cast<std::ptrdiff_t>(inputs));
  }
}

}  // namespace

ChunkResult expand(const Specification& specification, std::span<const Subproblem> chunk, const Bounder& bounder,
                   const Evaluator& evaluator, Semantics semantics, std::uint64_t seed, const Deadline& deadline) {
  const LinearSpec& spec = specification.spec;
  const auto inputs = static_cast<std::size_t>(spec.inputs);
  const auto rows = static_cast<std::size_t>(spec.rows);
  std::vector<double> lower;
  std::vector<double> upper;
  for (const Subproblem& subproblem : chunk) {
    lower.insert(lower.end(), subproblem.lower.begin(), subproblem.lower.end());
    upper.insert(upper.end(), subproblem.upper.begin(), subproblem.upper.end());
  }
  const FlatRows flat = flat_rows(specification, chunk);
  BoundQuery query;
  query.subproblems = static_cast<std::int64_t>(chunk.size());
  query.lower = lower;
  query.upper = upper;
  query.spec = &spec;
  query.owners = flat.owners;
  query.rows = flat.rows;
  query.linear_form = true;
  query.semantics = semantics;
  const BoundAnswer answer = bounder.bound(query, deadline);

  ChunkResult result;
  result.rows = static_cast<std::int64_t>(flat.rows.size());
  if (!answer.complete) return result;
  RowForms forms;
  forms.inputs = spec.inputs;
  std::vector<double> nominal(rows);
  std::vector<double> error(rows);
  std::vector<std::vector<double>> minimizers(chunk.size());  // per subproblem [open, inputs]
  for (std::size_t b = 0; b < chunk.size(); ++b) {
    forms.bound.assign(rows, kNaN);
    forms.form.assign(rows, nullptr);
    forms.constant.assign(rows, kNaN);
    nominal.assign(rows, kNaN);
    error.assign(rows, kNaN);
    for (std::size_t n = flat.first[b]; n < flat.first[b + 1]; ++n) {
      const auto row = static_cast<std::size_t>(flat.rows[n]);
      nominal[row] = answer.nominal[n];
      error[row] = answer.error[n];
      forms.bound[row] = sub_down(answer.nominal[n], answer.error[n]);
      forms.form[row] = answer.form.data() + n * inputs;
      forms.constant[row] = answer.form_constant[n];
    }
    Expansion expansion;
    expansion.bound = std::numeric_limits<double>::infinity();
    expansion.blocked = true;
    for (const std::int32_t clause_index : chunk[b].clauses) {
      const RowClause& clause = specification.clauses[static_cast<std::size_t>(clause_index)];
      const ClauseOutcome outcome = bound_clause(specification, clause, forms, chunk[b].lower, chunk[b].upper);
      if (outcome.refuted) {
        ++expansion.closed_clauses;
        continue;
      }
      merge_hull(expansion, outcome);
      expansion.open.push_back(clause_index);
      minimizers[b].insert(minimizers[b].end(), outcome.minimizer.begin(), outcome.minimizer.end());
      if (!(outcome.bound >= expansion.bound)) expansion.bound = outcome.bound;
      const NominalRefutation refutation = nominal_refutation(clause, nominal, error);
      if (refutation.nominal > 0) {
        expansion.gap = std::max(expansion.gap, refutation.error - refutation.nominal);
        expansion.error = std::max(expansion.error, refutation.error);
      } else {
        expansion.blocked = false;
      }
    }
    if (expansion.open.empty()) expansion.blocked = false;
    result.expansions.push_back(std::move(expansion));
  }
  sample(specification, chunk, evaluator, minimizers, seed, result.expansions);
  result.complete = true;
  return result;
}

}  // namespace boundflow
