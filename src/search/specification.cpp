#include "search/specification.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>

#include "base/error.hpp"
#include "base/rounding.hpp"

namespace boundflow {

namespace {

class Builder {
 public:
  // Without `input_terms` no row speaks of inputs, and the coefficients of many are not written out.
  Builder(InputBox box, std::int64_t inputs, std::int64_t outputs, bool input_terms) : input_terms_(input_terms) {
    result_.box = std::move(box);
    result_.spec.inputs = inputs;
    result_.spec.outputs = outputs;
  }

  RowClause add(const Clause& clause) {
    RowClause result;
    for (const Atom& atom : clause.atoms) {
      const std::int32_t row = row_of(atom);
      if (std::find(result.rows.begin(), result.rows.end(), row) == result.rows.end()) result.rows.push_back(row);
    }
    for (const std::vector<Clause>& choice : clause.choices) {
      std::vector<RowClause>& added = result.choices.emplace_back();
      for (const Clause& option : choice) added.push_back(add(option));
    }
    return result;
  }

  Specification finish() { return std::move(result_); }

 private:
  static std::string key_of(const Atom& atom) {
    std::string key = atom.strict ? "<" : "<=";
    for (const LinearTerm& term : atom.inputs)
      key += "x" + std::to_string(term.index) + "*" + term.coefficient.get_str();
    for (const LinearTerm& term : atom.outputs)
      key += "y" + std::to_string(term.index) + "*" + term.coefficient.get_str();
    return key + "+" + atom.constant.get_str();
  }

  static void write(const std::vector<LinearTerm>& terms, std::size_t size, std::vector<double>& coefficients,
                    std::vector<double>& errors) {
    const std::size_t start = coefficients.size();
    coefficients.resize(start + size, 0.0);
    errors.resize(start + size, 0.0);
    for (const LinearTerm& term : terms) {
      const std::size_t at = start + static_cast<std::size_t>(term.index);
      coefficients[at] = to_double_nearest(term.coefficient);
      errors[at] = distance_up(term.coefficient, coefficients[at]);
    }
  }

  std::int32_t row_of(const Atom& atom) {
    const auto [entry, added] = rows_.try_emplace(key_of(atom), static_cast<std::int32_t>(rows_.size()));
    if (!added) return entry->second;
    LinearSpec& spec = result_.spec;
    ++spec.rows;
    write(atom.outputs, static_cast<std::size_t>(spec.outputs), spec.output_coefficients,
          spec.output_coefficient_errors);
    if (input_terms_) {
      write(atom.inputs, static_cast<std::size_t>(spec.inputs), spec.input_coefficients, spec.input_coefficient_errors);
    }
    spec.constants.push_back(to_double_nearest(atom.constant));
    spec.constant_errors.push_back(distance_up(atom.constant, spec.constants.back()));
    // Atoms speak of the decimal x, the network runs on its nearest float32: a walk that uses one x for both must allow
    // for the distance.
    for (const LinearTerm& term : atom.inputs) {
      const auto i = static_cast<std::size_t>(term.index);
      const double largest = std::max(std::fabs(result_.box.lower[i]), std::fabs(result_.box.upper[i]));
      const double distance = kUnitRoundoff32 * largest + 0x1p-149;
      spec.constant_errors.back() =
          add_up(spec.constant_errors.back(), mul_up(to_double_up(abs(term.coefficient)), round_up(distance)));
    }
    result_.strict.push_back(atom.strict ? 1 : 0);
    return entry->second;
  }

  Specification result_;
  const bool input_terms_;
  std::map<std::string, std::int32_t> rows_;
};

void collect_rows(const RowClause& clause, std::vector<std::int32_t>& rows) {
  rows.insert(rows.end(), clause.rows.begin(), clause.rows.end());
  for (const auto& choice : clause.choices) {
    for (const RowClause& option : choice) collect_rows(option, rows);
  }
}

struct Decision {
  double distance = -std::numeric_limits<double>::infinity();
  std::int32_t row = -1;
};

Decision decide(const RowClause& clause, std::span<const double> values) {
  Decision worst;
  for (const std::int32_t row : clause.rows) {
    const double value = values[static_cast<std::size_t>(row)];
    if (!(value <= worst.distance)) worst = {value, row};
  }
  for (const auto& choice : clause.choices) {
    Decision best{std::numeric_limits<double>::infinity(), -1};
    for (const RowClause& option : choice) {
      const Decision decision = decide(option, values);
      if (decision.distance < best.distance) best = decision;
    }
    if (!(best.distance <= worst.distance)) worst = best;
  }
  return worst;
}

}  // namespace

bool Specification::refuted(std::int32_t row, double lower_bound) const {
  if (!std::isfinite(lower_bound)) return false;
  return strict[static_cast<std::size_t>(row)] != 0 ? lower_bound >= 0 : lower_bound > 0;
}

Specification make_specification(const Region& region, std::int64_t inputs, std::int64_t outputs) {
  Builder builder(outward_box(region.box), inputs, outputs, has_input_terms(region));
  std::vector<RowClause> clauses;
  for (const Clause& clause : region.clauses) clauses.push_back(builder.add(clause));
  Specification result = builder.finish();
  result.clauses = std::move(clauses);
  return result;
}

void row_values(const LinearSpec& spec, std::span<const double> points, std::span<const double> outputs,
                std::int64_t count, std::span<double> values) {
  for (std::int64_t p = 0; p < count; ++p) {
    for (std::int64_t r = 0; r < spec.rows; ++r) {
      double sum = spec.constants[static_cast<std::size_t>(r)];
      const double* c = spec.output_coefficients.data() + r * spec.outputs;
      for (std::int64_t j = 0; j < spec.outputs; ++j)
        sum += c[j] * outputs[static_cast<std::size_t>(p * spec.outputs + j)];
      if (!spec.input_coefficients.empty()) {
        const double* a = spec.input_coefficients.data() + r * spec.inputs;
        for (std::int64_t j = 0; j < spec.inputs; ++j)
          sum += a[j] * points[static_cast<std::size_t>(p * spec.inputs + j)];
      }
      values[static_cast<std::size_t>(p * spec.rows + r)] = sum;
    }
  }
}

double violation_distance(const RowClause& clause, std::span<const double> row_values) {
  return decide(clause, row_values).distance;
}

std::int32_t deciding_row(const RowClause& clause, std::span<const double> row_values) {
  return decide(clause, row_values).row;
}

std::vector<std::int32_t> rows_of(const RowClause& clause) {
  std::vector<std::int32_t> rows;
  collect_rows(clause, rows);
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  return rows;
}

}  // namespace boundflow
