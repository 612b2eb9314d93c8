#pragma once
// The queries of benchmarks: boxes and rows from a file of the golden data.

#include <map>
#include <string>
#include <vector>

#include "io/npz.hpp"
#include "ir/query.hpp"

namespace boundflow::bench {

// From x_lo and x_hi [B, inputs], or center [B, ...] and eps_linf, and the rows C [B, rows, outputs].
struct Boxes {
  Boxes(const std::string& path, std::int64_t inputs, std::int64_t outputs) : arrays(read_npz(path)) {
    if (arrays.contains("x_lo")) {
      lower = arrays.at("x_lo").values;
      upper = arrays.at("x_hi").values;
    } else {
      const double eps = arrays.at("eps_linf").values.at(0);
      for (const double c : arrays.at("center").values) {
        lower.push_back(c - eps);
        upper.push_back(c + eps);
      }
    }
    spec.inputs = inputs;
    spec.outputs = outputs;
    spec.output_coefficients = arrays.at("C").values;
    spec.rows = static_cast<std::int64_t>(spec.output_coefficients.size()) / outputs;
    spec.output_coefficient_errors.assign(spec.output_coefficients.size(), 0.0);
    spec.constants.assign(static_cast<std::size_t>(spec.rows), 0.0);
    spec.constant_errors.assign(static_cast<std::size_t>(spec.rows), 0.0);
    query.subproblems = static_cast<std::int64_t>(lower.size()) / inputs;
    query.lower = lower;
    query.upper = upper;
    for (std::int64_t r = 0; r < spec.rows; ++r) {
      rows.push_back(static_cast<std::int32_t>(r));
      owners.push_back(static_cast<std::int32_t>(r / (spec.rows / query.subproblems)));
    }
    query.spec = &spec;
    query.rows = rows;
    query.owners = owners;
  }

  // The same centres, half the width.
  void halve() {
    for (std::size_t i = 0; i < lower.size(); ++i) {
      const double centre = 0.5 * lower[i] + 0.5 * upper[i], radius = 0.25 * (upper[i] - lower[i]);
      lower[i] = centre - radius;
      upper[i] = centre + radius;
    }
    query.lower = lower;
    query.upper = upper;
  }

  std::map<std::string, Array> arrays;
  std::vector<double> lower, upper;
  LinearSpec spec;
  std::vector<std::int32_t> rows, owners;
  BoundQuery query;
};

}  // namespace boundflow::bench
