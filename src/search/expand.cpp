#include "search/expand.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/random.hpp"
#include "search/clause_bound.hpp"
#include "search/combination.hpp"
#include "search/row_gradients.hpp"

namespace boundflow {

namespace {

constexpr std::size_t kMinimizers = 2;
constexpr std::size_t kRandomPoints = 3;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// The rows to bound, flat with owners: for each subproblem the rows of its open clauses, and one row of its own for
// each combination that it inherited.
struct FlatRows {
  LinearSpec spec;  // the specification's rows, then the combinations
  std::vector<std::int32_t> owners;
  std::vector<std::int32_t> rows;
  std::vector<std::size_t> first;                   // [subproblems + 1]
  std::vector<std::vector<std::int64_t>> combined;  // per subproblem and open clause: position in `rows`, or -1
};

FlatRows flat_rows(const Specification& specification, std::span<const Subproblem> chunk) {
  FlatRows flat;
  flat.spec = specification.spec;
  std::vector<std::vector<std::int32_t>> by_clause(specification.clauses.size());
  for (std::size_t c = 0; c < by_clause.size(); ++c) by_clause[c] = rows_of(specification.clauses[c]);
  std::vector<char> wanted(static_cast<std::size_t>(specification.spec.rows));
  const auto add = [&](std::size_t owner, std::int32_t row) {
    flat.owners.push_back(static_cast<std::int32_t>(owner));
    flat.rows.push_back(row);
  };
  for (std::size_t b = 0; b < chunk.size(); ++b) {
    flat.first.push_back(flat.rows.size());
    std::fill(wanted.begin(), wanted.end(), 0);
    for (const std::int32_t clause : chunk[b].clauses) {
      for (const std::int32_t row : by_clause[static_cast<std::size_t>(clause)])
        wanted[static_cast<std::size_t>(row)] = 1;
    }
    for (std::size_t row = 0; row < wanted.size(); ++row) {
      if (wanted[row] != 0) add(b, static_cast<std::int32_t>(row));
    }
    std::vector<std::int64_t>& combined = flat.combined.emplace_back(chunk[b].clauses.size(), -1);
    std::size_t used = 0;
    for (std::size_t k = 0; k < combined.size() && !chunk[b].lambdas.empty(); ++k) {
      const RowClause& clause = specification.clauses[static_cast<std::size_t>(chunk[b].clauses[k])];
      if (clause.rows.size() < 2) continue;
      const std::span<const float> lambda = std::span(chunk[b].lambdas).subspan(used, clause.rows.size());
      used += clause.rows.size();
      // A combination of one row is that row.
      if (std::count_if(lambda.begin(), lambda.end(), [](float w) { return w != 0; }) < 2) continue;
      combined[k] = static_cast<std::int64_t>(flat.rows.size());
      add(b, append_combination(flat.spec, clause.rows, lambda));
    }
  }
  flat.first.push_back(flat.rows.size());
  return flat;
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
// counterexample) and at random points; keeps the steepest gradients and the points that look like violations. False:
// stopped by the deadline.
bool sample(const Specification& specification, std::span<const Subproblem> chunk, const Evaluator& evaluator,
            const std::vector<std::vector<double>>& minimizers, std::uint64_t seed, const Deadline& deadline,
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
  const bool computed = gradients.compute(
      specification.spec, evaluator, points, static_cast<std::int64_t>(samples.size()),
      [&](std::int64_t p, std::span<const double> values, std::span<double> weights) {
        const auto clause = static_cast<std::size_t>(samples[static_cast<std::size_t>(p)].clause);
        const std::int32_t row = deciding_row(specification.clauses[clause], values);
        if (row >= 0) weights[static_cast<std::size_t>(row)] = 1;
      },
      deadline);
  if (!computed) return false;
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
  return true;
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
  query.spec = &flat.spec;
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
  std::vector<std::vector<double>> minimizers(chunk.size());  // per subproblem [open, inputs]
  for (std::size_t b = 0; b < chunk.size(); ++b) {
    forms.bound.assign(rows, kNaN);
    forms.form.assign(rows, nullptr);
    forms.constant.assign(rows, kNaN);
    forms.error.assign(rows, kNaN);
    for (std::size_t n = flat.first[b]; n < flat.first[b + 1]; ++n) {
      const auto row = static_cast<std::size_t>(flat.rows[n]);
      if (row >= rows) continue;  // a combination
      forms.error[row] = answer.error[n];
      forms.bound[row] = sound_bound(answer.nominal[n], answer.error[n]);
      forms.form[row] = answer.form.data() + n * inputs;
      forms.constant[row] = answer.form_constant[n];
    }
    Expansion expansion;
    expansion.bound = std::numeric_limits<double>::infinity();
    expansion.blocked = true;
    for (std::size_t k = 0; k < chunk[b].clauses.size(); ++k) {
      const std::int32_t clause_index = chunk[b].clauses[k];
      const RowClause& clause = specification.clauses[static_cast<std::size_t>(clause_index)];
      CombinedRow combined;
      if (const std::int64_t at = flat.combined[b][k]; at >= 0) {
        const auto n = static_cast<std::size_t>(at);
        combined = {sound_bound(answer.nominal[n], answer.error[n]), answer.error[n], answer.form.data() + n * inputs,
                    answer.form_constant[n]};
      }
      const ClauseOutcome outcome =
          bound_clause(specification, clause, forms, combined, chunk[b].lower, chunk[b].upper);
      if (outcome.refuted) {
        ++expansion.closed_clauses;
        continue;
      }
      merge_hull(expansion, outcome);
      expansion.open.push_back(clause_index);
      expansion.lambdas.insert(expansion.lambdas.end(), outcome.lambda.begin(), outcome.lambda.end());
      minimizers[b].insert(minimizers[b].end(), outcome.minimizer.begin(), outcome.minimizer.end());
      if (!(outcome.bound >= expansion.bound)) expansion.bound = outcome.bound;
      const bool nominally_refuted = outcome.bound + outcome.error > 0;
      expansion.blocked = expansion.blocked && nominally_refuted;
      if (nominally_refuted) expansion.gap = std::max(expansion.gap, -outcome.bound);
    }
    if (expansion.open.empty()) expansion.blocked = false;
    result.expansions.push_back(std::move(expansion));
  }
  result.complete = sample(specification, chunk, evaluator, minimizers, seed, deadline, result.expansions);
  return result;
}

}  // namespace boundflow
