#include "api/bounds_query.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "base/rounding.hpp"

namespace boundflow {

namespace {

std::size_t at(std::int64_t i) {
  return static_cast<std::size_t>(i);
}

}  // namespace

void expect_finite(const std::vector<double>& values, std::string_view name) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      throw InputError(fmt::format("{}: element {} is {}; finite numbers are expected", name, i, values[i]));
    }
  }
}

std::vector<double> finite(const Numbers& numbers, std::string_view name) {
  std::vector<double> values = numbers.copy();
  expect_finite(values, name);
  return values;
}

void expect_ordered(const std::vector<double>& lower, const std::vector<double>& upper, std::int64_t inputs) {
  if (lower.size() != upper.size()) {
    throw InputError(fmt::format("the lower ends have {} elements, the upper ends {}; equal numbers are expected",
                                 lower.size(), upper.size()));
  }
  for (std::size_t i = 0; i < lower.size(); ++i) {
    if (lower[i] > upper[i]) {
      throw InputError(fmt::format("box {}: input {} runs from {} to {}; the lower end exceeds the upper",
                                   i / at(inputs), i % at(inputs), lower[i], upper[i]));
    }
  }
}

void expect_radius(double eps) {
  if (!(eps >= 0) || !std::isfinite(eps)) {
    throw InputError(fmt::format("the radius is {}; a finite number of at least 0 is expected", eps));
  }
}

BoundLowering lowering_of(const BoundsRequest& request) {
  if (request.intermediate != "adaptive" && request.intermediate != "auto-lirpa") {
    throw UsageError("--intermediate: expected adaptive or auto-lirpa, found '" + request.intermediate + "'");
  }
  if (request.norm != "inf" && request.norm != "2" && request.norm != "1") {
    throw UsageError("--norm: expected inf, 2 or 1, found '" + request.norm + "'");
  }
  BoundLowering lowering;
  if (request.method == "ibp") {
    lowering.intermediate = IntermediateBounds::Interval;
    lowering.specification = SpecificationBounds::Interval;
  } else if (request.method == "crown-ibp") {
    lowering.intermediate = IntermediateBounds::Interval;
  } else if (request.method == "crown") {
    if (request.intermediate == "auto-lirpa") {
      lowering.intermediate = IntermediateBounds::CrownWhereIntervalUnstable;
    }
  } else if (request.method == "alpha-crown") {
    if (request.norm != "inf") throw UsageError("--method alpha-crown: input sets are boxes; give --norm inf");
    if (request.linear_form) throw UsageError("--linear-form: not with --method alpha-crown; give crown");
    if (request.intermediate != "adaptive") throw UsageError("--intermediate: alpha-crown takes adaptive only");
    if (request.steps < 1) throw UsageError("--steps: expected at least 1");
  } else {
    throw UsageError("--method: expected ibp, crown-ibp, crown or alpha-crown, found '" + request.method + "'");
  }
  if (request.linear_form && request.method == "ibp") {
    throw UsageError("--linear-form: interval bounds have no linear form; give --method crown or crown-ibp");
  }
  lowering.balls = request.norm != "inf";
  return lowering;
}

namespace {

std::int64_t count_of(const std::vector<double>& values, std::int64_t inputs, std::string_view name) {
  const auto size = static_cast<std::int64_t>(values.size());
  if (size == 0 || size % inputs != 0) {
    throw InputError(
        fmt::format("{} has {} elements; a multiple of the network's {} inputs is expected", name, size, inputs));
  }
  return size / inputs;
}

// What is executed for x is its nearest float32, which a box for float32 executions has to hold as well.
void include_float32(InputSets& sets) {
  for (auto* ends : {&sets.lower, &sets.upper}) {
    for (const double end : *ends) {
      if (std::fabs(end) > kLargest32) {
        throw InputError(fmt::format("an input set reaches {}, which is beyond the range of float32", end));
      }
    }
  }
  for (double& l : sets.lower) l = std::min(l, static_cast<double>(static_cast<float>(l)));
  for (double& u : sets.upper) u = std::max(u, static_cast<double>(static_cast<float>(u)));
}

InputSets boxes(const BoundsRequest& request, std::int64_t inputs) {
  InputSets sets;
  sets.lower = finite(request.lower, "lower");
  sets.upper = finite(request.upper, "upper");
  expect_ordered(sets.lower, sets.upper, inputs);
  sets.count = count_of(sets.lower, inputs, "lower");
  return sets;
}

// How far the nearest float32 of a point of the ball may be outside of it.
double rounding_distance(const double* center, std::int64_t n, double eps, InputNorm norm) {
  double magnitude = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    magnitude += norm == InputNorm::L2 ? center[i] * center[i] : std::fabs(center[i]);
  }
  if (norm == InputNorm::L2) magnitude = std::sqrt(magnitude);
  return (magnitude + eps) * kUnitRoundoff32 * (1 + 0x1p-20) + static_cast<double>(n) * 0x1p-149;
}

InputSets around_centers(const BoundsRequest& request, std::int64_t inputs, Semantics semantics) {
  expect_radius(request.eps);
  InputSets sets;
  sets.centers = finite(request.center, "center");
  sets.count = count_of(sets.centers, inputs, "center");
  if (request.norm == "inf") {
    const bool nominal = semantics == Semantics::Nominal;
    for (const double c : sets.centers) {
      sets.lower.push_back(nominal ? c - request.eps : sub_down(c, request.eps));
      sets.upper.push_back(nominal ? c + request.eps : add_up(c, request.eps));
    }
    return sets;
  }
  sets.norm = request.norm == "2" ? InputNorm::L2 : InputNorm::L1;
  for (std::int64_t b = 0; b < sets.count; ++b) {
    const double* center = sets.centers.data() + b * inputs;
    const double lost =
        semantics == Semantics::Float32 ? rounding_distance(center, inputs, request.eps, sets.norm) : 0.0;
    sets.radii.push_back(lost == 0 ? request.eps : add_up(request.eps, lost));
  }
  return sets;
}

}  // namespace

InputSets input_sets(const BoundsRequest& request, std::int64_t inputs, Semantics semantics) {
  const bool has_box = !request.lower.empty() || !request.upper.empty();
  if (has_box == !request.center.empty()) {
    throw UsageError("the input set: expected either --center and --eps, or --lower and --upper");
  }
  if (has_box && request.norm != "inf") throw UsageError("--norm: a box has none; give --center and --eps");
  InputSets sets = has_box ? boxes(request, inputs) : around_centers(request, inputs, semantics);
  if (semantics == Semantics::Float32 && sets.norm == InputNorm::Linf) include_float32(sets);
  return sets;
}

QueriedRows queried_rows(const BoundsRequest& request, std::int64_t queries, std::int64_t inputs,
                         std::int64_t outputs) {
  QueriedRows result;
  std::vector<double> rows = request.specification.values;
  const std::vector<std::int64_t>& shape = request.specification.shape;
  if (shape.empty() && rows.empty()) {
    result.rows = outputs;
    rows.assign(at(outputs * outputs), 0.0);
    for (std::int64_t j = 0; j < outputs; ++j) rows[at(j * outputs + j)] = 1;
  } else {
    expect_finite(rows, "the specification");
    const std::size_t rank = shape.size();
    result.rows = rank == 1 ? 1 : rank < 1 ? 0 : shape[rank - 2];
    result.shared = rank < 3;
    const std::int64_t size = result.rows * outputs * (result.shared ? 1 : queries);
    if (rank < 1 || rank > 3 || shape.back() != outputs || (rank == 3 && shape[0] != queries) || size == 0 ||
        size != static_cast<std::int64_t>(rows.size())) {
      throw InputError(
          fmt::format("the specification is an array [{}] of {} elements; [rows, {}] or [{}, rows, {}] is expected",
                      fmt::join(shape, ", "), rows.size(), outputs, queries, outputs));
    }
  }
  LinearSpec& both = result.both;
  both.rows = 2 * static_cast<std::int64_t>(rows.size()) / outputs;
  both.inputs = inputs;
  both.outputs = outputs;
  both.output_coefficients = rows;
  for (const double c : rows) both.output_coefficients.push_back(-c);
  both.output_coefficient_errors.assign(both.output_coefficients.size(), 0.0);
  both.constants.assign(at(both.rows), 0.0);
  both.constant_errors.assign(at(both.rows), 0.0);
  return result;
}

}  // namespace boundflow
