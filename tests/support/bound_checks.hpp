#pragma once
// Random bound queries for tests, and the values that their answers are judged by: activations enclosed rigorously by
// check/, whose code the executors do not share.

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "base/rounding.hpp"
#include "check/enclosure.hpp"
#include "engine/query_engine.hpp"
#include "exec/native/native_executor.hpp"
#include "exec/reference/reference_executor.hpp"

namespace boundflow {

#if defined(__SANITIZE_ADDRESS__) || defined(BOUNDFLOW_COVERAGE)
inline constexpr int kSanitizerShare = 8;  // runs that are slow, or count lines, do this fraction of the random trials
#else
inline constexpr int kSanitizerShare = 1;
#endif

struct NamedExecutor {
  std::string name;
  std::shared_ptr<const Executor> executor;
};

inline std::vector<NamedExecutor> all_executors() {
  return {{"reference", make_reference_executor()},
          {"float32", make_native_executor(Precision::Float32)},
          {"float64", make_native_executor(Precision::Float64)}};
}

// A box whose ends are float32 numbers: coordinates are fixed, tiny, ordinary, wide, or lie far from zero.
inline InputBox random_box(Random& random, std::int64_t inputs) {
  InputBox box;
  for (std::int64_t i = 0; i < inputs; ++i) {
    const auto centre = static_cast<float>(random.uniform(-1, 1));
    double radius = random.uniform(0, 1);
    double shift = 0;
    switch (random.integer(0, 6)) {
      case 0:
        radius = 0;
        break;
      case 1:
        radius = 1e-6;
        break;
      case 2:
        radius = 50;
        break;
      case 3:
        shift = random.coin() ? 20 : -20;
        break;
      default:
        break;
    }
    const auto low = static_cast<float>(static_cast<double>(centre) + shift - radius);
    const auto high = static_cast<float>(static_cast<double>(centre) + shift + radius * random.uniform());
    box.lower.push_back(static_cast<double>(std::min(low, high)));
    box.upper.push_back(radius == 0 ? box.lower.back() : static_cast<double>(std::max(low, high)));
  }
  return box;
}

inline LinearSpec random_spec(Random& random, std::int64_t rows, std::int64_t inputs, std::int64_t outputs,
                              bool input_terms) {
  LinearSpec spec{.rows = rows, .inputs = inputs, .outputs = outputs};
  // Ones and zeros as in most properties, float32 numbers and others, and now and then an inexact coefficient.
  const auto fill = [&](std::vector<double>& values, std::vector<double>& errors, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t kind = random.integer(0, 5);
      const double any = random.uniform(-3, 3);
      const double rounded = static_cast<double>(static_cast<float>(any));
      values.push_back(kind == 0 ? 0.0 : kind == 1 ? 1.0 : kind == 2 ? -1.0 : kind == 3 ? any : rounded);
      errors.push_back(random.integer(0, 5) == 0 ? std::ldexp(1.0, -12) : 0.0);
    }
  };
  fill(spec.output_coefficients, spec.output_coefficient_errors, rows * outputs);
  if (input_terms) fill(spec.input_coefficients, spec.input_coefficient_errors, rows * inputs);
  fill(spec.constants, spec.constant_errors, rows);
  return spec;
}

// The ball of an L2 or L1 query.
struct InputBall {
  std::vector<double> center;
  double radius = 0;
};

// All rows over every one of `boxes` (or balls), laid out flat as a BoundQuery wants it.
struct FlatQuery {
  FlatQuery(const LinearSpec& spec, const std::vector<InputBox>& boxes, Semantics semantics)
      : FlatQuery(spec, boxes.size(), semantics) {
    for (const InputBox& box : boxes) {
      lower.insert(lower.end(), box.lower.begin(), box.lower.end());
      upper.insert(upper.end(), box.upper.begin(), box.upper.end());
    }
    query.lower = lower;
    query.upper = upper;
  }
  FlatQuery(const LinearSpec& spec, InputNorm norm, const std::vector<InputBall>& balls, Semantics semantics)
      : FlatQuery(spec, balls.size(), semantics) {
    for (const InputBall& ball : balls) {
      centers.insert(centers.end(), ball.center.begin(), ball.center.end());
      radii.push_back(ball.radius);
    }
    query.norm = norm;
    query.centers = centers;
    query.radii = radii;
  }
  FlatQuery(const FlatQuery&) = delete;
  FlatQuery& operator=(const FlatQuery&) = delete;

  std::vector<double> lower, upper, centers, radii;
  std::vector<std::int32_t> owners, rows;
  BoundQuery query;

 private:
  FlatQuery(const LinearSpec& spec, std::size_t subproblems, Semantics semantics) {
    for (std::size_t b = 0; b < subproblems; ++b) {
      for (std::int32_t row = 0; row < spec.rows; ++row) {
        owners.push_back(static_cast<std::int32_t>(b));
        rows.push_back(row);
      }
    }
    query.subproblems = static_cast<std::int64_t>(subproblems);
    query.spec = &spec;
    query.owners = owners;
    query.rows = rows;
    query.linear_form = true;
    query.semantics = semantics;
  }
};

// Float32 points of a box: random ones, corners, the centre.
inline std::vector<std::vector<double>> sample_points(Random& random, const InputBox& box, int count) {
  std::vector<std::vector<double>> points;
  for (int p = 0; p < count; ++p) {
    std::vector<double>& point = points.emplace_back();
    for (std::size_t i = 0; i < box.lower.size(); ++i) {
      const double l = box.lower[i], u = box.upper[i];
      const double x = p == 0 ? 0.5 * l + 0.5 * u : p % 2 == 0 ? (random.coin() ? l : u) : random.uniform(l, u);
      point.push_back(std::clamp(static_cast<double>(static_cast<float>(x)), l, u));
    }
  }
  return points;
}

// Points where row `row` is small: signed gradient steps from each of `points`, kept inside the box.
inline std::vector<std::vector<double>> descend(const QueryEngine& engine, const LinearSpec& spec, std::int64_t row,
                                                const InputBox& box, std::vector<std::vector<double>> points) {
  const auto inputs = static_cast<std::size_t>(spec.inputs), outputs = static_cast<std::size_t>(spec.outputs);
  const double* c = spec.output_coefficients.data() + row * spec.outputs;
  std::vector<double> flat, y(points.size() * outputs), gradient(points.size() * inputs);
  for (int step = 0; step < 6; ++step) {
    flat.clear();
    for (const auto& point : points) flat.insert(flat.end(), point.begin(), point.end());
    engine.gradient(
        flat, static_cast<std::int64_t>(points.size()),
        [&](std::int64_t, std::span<const double>, std::span<double> cotangents) {
          for (std::size_t k = 0; k < cotangents.size(); ++k) cotangents[k] = c[k % outputs];
        },
        y, gradient, Deadline());
    for (std::size_t p = 0; p < points.size(); ++p) {
      for (std::size_t i = 0; i < inputs; ++i) {
        double slope = gradient[p * inputs + i];
        if (!spec.input_coefficients.empty()) {
          slope += spec.input_coefficients[static_cast<std::size_t>(row) * inputs + i];
        }
        const double stride = (box.upper[i] - box.lower[i]) * std::ldexp(0.6, -step);
        const double x = points[p][i] - (slope > 0 ? stride : slope < 0 ? -stride : 0);
        points[p][i] = std::clamp(static_cast<double>(static_cast<float>(x)), box.lower[i], box.upper[i]);
      }
    }
  }
  return points;
}

// An upper bound of the row's value at x with y in the enclosure, for the least exact coefficients that the stated
// coefficient errors allow: no sound lower bound may exceed it.
inline double row_value_up(const LinearSpec& spec, std::int64_t row, const std::vector<double>& x,
                           const std::vector<double>& y_lower, const std::vector<double>& y_upper) {
  const auto at = [](std::int64_t i) { return static_cast<std::size_t>(i); };
  double value = sub_up(spec.constants[at(row)], spec.constant_errors[at(row)]);
  for (std::int64_t j = 0; j < spec.outputs; ++j) {
    const std::size_t k = at(row * spec.outputs + j);
    const double c = spec.output_coefficients[k], l = y_lower[at(j)], u = y_upper[at(j)];
    value = add_up(value, std::max(mul_up(c, l), mul_up(c, u)));
    const double least = l <= 0 && u >= 0 ? 0.0 : std::min(std::fabs(l), std::fabs(u));
    value = sub_up(value, mul_down(spec.output_coefficient_errors[k], least));
    // NaN must not hide behind std::max.
    if (std::isnan(l) || std::isnan(u)) return l + u;
  }
  for (std::int64_t i = 0; i < spec.inputs && !spec.input_coefficients.empty(); ++i) {
    const std::size_t k = at(row * spec.inputs + i);
    value = add_up(value, mul_up(spec.input_coefficients[k], x[at(i)]));
    value = sub_up(value, mul_down(spec.input_coefficient_errors[k], std::fabs(x[at(i)])));
  }
  return value;
}

// A lower bound of form . x + constant.
inline double form_value_down(const double* form, double constant, const std::vector<double>& x) {
  double value = constant;
  for (std::size_t i = 0; i < x.size(); ++i) value = add_down(value, mul_down(form[i], x[i]));
  return value;
}

}  // namespace boundflow
