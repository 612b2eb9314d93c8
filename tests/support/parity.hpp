#pragma once
// What the comparisons with auto_LiRPA's bounds share: queries over boxes, and the rule of parity: a bound may be
// tighter than the reference, but looser only within 1e-4 (1 + max |reference|).

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "engine/query_engine.hpp"
#include "engine/split_engine.hpp"
#include "exec/native/native_executor.hpp"
#include "frontends/onnx/onnx.hpp"
#include "io/npz.hpp"
#include "passes/passes.hpp"

namespace boundflow {

using Arrays = std::map<std::string, Array>;

// Each of `subproblems` boxes asks for all rows of its own specification, rows [b * per_box, (b + 1) * per_box).
struct ParityQuery {
  ParityQuery(std::vector<double> lower_ends, std::vector<double> upper_ends, std::int64_t inputs,
              std::vector<double> coefficients, std::int64_t outputs)
      : lower(std::move(lower_ends)), upper(std::move(upper_ends)) {
    const auto boxes = static_cast<std::int64_t>(lower.size()) / inputs;
    spec.inputs = inputs;
    spec.outputs = outputs;
    spec.rows = static_cast<std::int64_t>(coefficients.size()) / outputs;
    spec.output_coefficients = std::move(coefficients);
    spec.output_coefficient_errors.assign(spec.output_coefficients.size(), 0.0);
    spec.constants.assign(static_cast<std::size_t>(spec.rows), 0.0);
    spec.constant_errors.assign(static_cast<std::size_t>(spec.rows), 0.0);
    rows.resize(static_cast<std::size_t>(spec.rows));
    std::iota(rows.begin(), rows.end(), 0);
    for (const std::int32_t row : rows) owners.push_back(static_cast<std::int32_t>(row / (spec.rows / boxes)));
    query.subproblems = boxes;
  }
  ParityQuery(ParityQuery&&) = default;

  const BoundQuery& with(Semantics semantics) {
    query.lower = lower;
    query.upper = upper;
    query.centers = centers;
    query.radii = radii;
    query.spec = &spec;
    query.owners = owners;
    query.rows = rows;
    query.semantics = semantics;
    return query;
  }

  std::vector<double> lower;
  std::vector<double> upper;
  std::vector<double> centers;  // of balls
  std::vector<double> radii;
  LinearSpec spec;
  std::vector<std::int32_t> owners;
  std::vector<std::int32_t> rows;
  BoundQuery query;
};

inline QueryEngine make_engine(const std::shared_ptr<const Network>& network, const BoundLowering& lowering) {
  return QueryEngine(network, make_native_executor(), {.lowering = lowering});
}

// Bounds of the query's rows, row by row, with slopes optimised for so many steps, those of hidden neurons' bounds as
// well. `engine`: with split programs.
inline std::vector<double> optimised_bounds(const std::shared_ptr<const QueryEngine>& engine, const BoundQuery& query,
                                            int steps) {
  const std::size_t inputs = query.lower.size() / static_cast<std::size_t>(query.subproblems);
  std::vector<double> bounds;
  for (std::size_t b = 0; b < static_cast<std::size_t>(query.subproblems); ++b) {
    const auto box_end = [&](std::span<const double> ends) {
      const auto own = ends.subspan(b * inputs, inputs);
      return std::vector<double>(own.begin(), own.end());
    };
    SplitEngine slopes(engine, {box_end(query.lower), box_end(query.upper)}, query.semantics, Deadline());
    slopes.refine(SplitEngine::Refinement{.effort = {.steps = steps}}, {Deadline()});
    std::vector<SplitSubproblem> rows;
    for (std::size_t n = 0; n < query.rows.size(); ++n) {
      if (query.owners[n] == static_cast<std::int32_t>(b)) rows.push_back({{}, nullptr, query.rows[n]});
    }
    std::vector<SplitSubproblem*> pointers;
    for (SplitSubproblem& row : rows) pointers.push_back(&row);
    std::vector<SplitAnswer> answers;
    const SplitEffort effort{.steps = steps, .candidates = false, .stop_above_zero = false};
    ensure(slopes.bound(*query.spec, pointers, effort, Deadline(), answers), "no deadline can have passed");
    for (const SplitAnswer& answer : answers) bounds.push_back(answer.nominal);
  }
  return bounds;
}

inline std::shared_ptr<const Network> read_normal_form(const std::string& path) {
  return std::make_shared<const Network>(run_passes(read_onnx(path), operator_table()));
}

// By how much the lower bounds `ours` are looser than `reference`, in units of 1 + max |reference|; negative: tighter.
// NaN is infinitely loose.
inline double excess(const std::vector<double>& ours, const std::vector<double>& reference) {
  double scale = 0;
  for (const double value : reference) scale = std::max(scale, std::fabs(value));
  double largest = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const double looser = (reference.at(i) - ours[i]) / (1 + scale);
    if (!(looser <= largest)) largest = std::isnan(looser) ? std::numeric_limits<double>::infinity() : looser;
  }
  return largest;
}

inline std::vector<double> negated(std::vector<double> values) {
  for (double& value : values) value = -value;
  return values;
}

constexpr double kParity = 1e-4;

}  // namespace boundflow
