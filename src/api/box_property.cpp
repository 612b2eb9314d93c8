#include "api/box_property.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "api/bounds_query.hpp"
#include "base/error.hpp"

namespace boundflow {

namespace {

void expect_size(const std::vector<double>& values, std::int64_t inputs, std::string_view name) {
  if (std::ssize(values) == inputs) return;
  throw InputError(
      fmt::format("{} has {} elements; the network's {} inputs are expected, one box", name, values.size(), inputs));
}

DecimalBox decimal_box(const VerifyRequest& request, std::int64_t inputs) {
  DecimalBox box;
  if (request.center.empty()) {
    const std::vector<double> lower = finite(request.lower, "lower");
    const std::vector<double> upper = finite(request.upper, "upper");
    expect_ordered(lower, upper, inputs);
    expect_size(lower, inputs, "lower");
    box.lower.assign(lower.begin(), lower.end());
    box.upper.assign(upper.begin(), upper.end());
    return box;
  }
  if (!request.lower.empty() || !request.upper.empty()) {
    throw UsageError("the property: expected either a center and eps, or lower and upper ends of the box");
  }
  expect_radius(request.eps);
  const std::vector<double> center = finite(request.center, "center");
  expect_size(center, inputs, "center");
  const Rational eps(request.eps);
  for (const double c : center) {
    box.lower.push_back(Rational(c) - eps);
    box.upper.push_back(Rational(c) + eps);
  }
  return box;
}

}  // namespace

Property box_property(const VerifyRequest& request, std::int64_t inputs, std::int64_t outputs) {
  const std::vector<std::int64_t>& shape = request.specification.shape;
  const std::vector<double>& c = request.specification.values;
  const std::int64_t rows = shape.size() == 1 ? 1 : shape.size() == 2 ? shape[0] : 0;
  if (rows < 1 || shape.back() != outputs || std::ssize(c) != rows * outputs) {
    throw InputError(fmt::format("the specification is an array [{}] of {} elements; [rows, {}] is expected",
                                 fmt::join(shape, ", "), c.size(), outputs));
  }
  expect_finite(c, "the specification");
  const std::vector<double> offset = finite(request.offset, "offset");
  if (!offset.empty() && std::ssize(offset) != rows) {
    throw InputError(fmt::format("offset has {} elements; one for each of {} rows is expected", offset.size(), rows));
  }
  Region region{.box = decimal_box(request, inputs), .clauses = {}};
  for (std::int64_t r = 0; r < rows; ++r) {
    Atom atom;
    for (std::int64_t j = 0; j < outputs; ++j) {
      const double coefficient = c[static_cast<std::size_t>(r * outputs + j)];
      if (coefficient != 0) atom.outputs.push_back({j, Rational(coefficient)});
    }
    if (!offset.empty()) atom.constant = Rational(offset[static_cast<std::size_t>(r)]);
    region.clauses.push_back({.atoms = {std::move(atom)}, .choices = {}});
  }
  return {.input_count = inputs, .output_count = outputs, .regions = {std::move(region)}};
}

}  // namespace boundflow
