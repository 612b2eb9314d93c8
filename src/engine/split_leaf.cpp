// The end of a subproblem without neurons to split: there the network is one linear function, and the best multipliers
// are those of a linear program.

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/rounding.hpp"
#include "engine/linear_program.hpp"
#include "engine/split_workspace.hpp"

namespace boundflow {

namespace {

constexpr std::size_t kMostEntries = std::size_t{1} << 19;  // of a program's matrix
constexpr std::size_t kRowsPerQuery = 32;
constexpr int kMostSteps = 20000;
// A multiplier changes a row by at most so many times its spread over the box. That keeps programs feasible, where
// nothing is left of a subproblem as well, and roundings small.
constexpr double kMostWeight = 1000;

float to_float(double x) {
  return static_cast<float>(std::min(x, static_cast<double>(std::numeric_limits<float>::max())));
}

// The specification with a row of zeros behind its own.
LinearSpec with_zero_row(const LinearSpec& spec) {
  LinearSpec result = spec;
  ++result.rows;
  const auto inputs = static_cast<std::size_t>(spec.inputs), outputs = static_cast<std::size_t>(spec.outputs);
  for (auto* numbers : {&result.output_coefficients, &result.output_coefficient_errors}) {
    numbers->resize(numbers->size() + outputs, 0.0);
  }
  for (auto* numbers : {&result.input_coefficients, &result.input_coefficient_errors}) {
    if (!numbers->empty()) numbers->resize(numbers->size() + inputs, 0.0);
  }
  for (auto* numbers : {&result.constants, &result.constant_errors}) numbers->push_back(0.0);
  return result;
}

}  // namespace

// Linear functions over a box: constants[k] + slopes[k] x.
struct LinearFunctions {
  InputBox box;
  std::vector<double> slopes;  // [functions, inputs]
  std::vector<double> constants;

  std::span<const double> slopes_of(std::size_t k) const {
    const std::size_t inputs = box.lower.size();
    return std::span(slopes).subspan(k * inputs, inputs);
  }
  // How far apart the function's values over the box are.
  double spread(std::size_t k) const {
    double sum = 0;
    for (std::size_t j = 0; j < box.lower.size(); ++j) {
      sum += std::fabs(slopes_of(k)[j]) * (box.upper[j] - box.lower[j]);
    }
    return sum;
  }
};

namespace {

// The least of several rows' largest where the splits' constraints hold. Columns: the inputs; by how much each
// constraint does not hold, in units of its spread; with several rows the largest of them. Rows: the constraints,
// constant + slopes x >= 0 scaled by `scales`; with several rows that the last column is none of theirs less.
LinearProgram leaf_program(const LinearFunctions& functions, std::size_t rows, std::vector<double>& scales) {
  const std::size_t inputs = functions.box.lower.size(), splits = functions.constants.size() - rows;
  const bool several = rows > 1;
  const std::size_t columns = inputs + splits + (several ? 1 : 0);
  LinearProgram program{
      .lower = functions.box.lower, .upper = functions.box.upper, .cost = {}, .rows = {}, .at_least = {}};
  program.lower.resize(inputs + splits, 0.0);
  program.upper.resize(inputs + splits, kInfinity);
  double widest = 0;
  for (std::size_t k = 0; k < rows; ++k) widest = std::max(widest, functions.spread(k));
  const std::span<const double> first = functions.slopes_of(0);
  if (!several) program.cost.assign(first.begin(), first.end());
  program.cost.resize(inputs, 0.0);
  program.cost.resize(inputs + splits, widest > 0 ? kMostWeight * widest : 1);
  if (several) {
    program.lower.push_back(-kInfinity);
    program.upper.push_back(kInfinity);
    program.cost.push_back(1.0);
  }
  // factor * (constants[k] + slopes[k] x) + the column >= 0
  const auto add = [&](std::size_t k, double factor, std::size_t column) {
    const std::size_t begin = program.rows.size();
    program.rows.resize(begin + columns, 0.0);
    for (std::size_t j = 0; j < inputs; ++j) program.rows[begin + j] = factor * functions.slopes_of(k)[j];
    program.rows[begin + column] = 1;
    program.at_least.push_back(-factor * functions.constants[k]);
  };
  for (std::size_t s = 0; s < splits; ++s) {
    const double size = functions.spread(rows + s);
    // What nothing of the box decides is left out.
    scales.push_back(size > 0 && std::isfinite(size) ? 1 / size : 0);
    add(rows + s, scales.back(), inputs + s);
  }
  for (std::size_t k = 0; k < rows && several; ++k) add(k, -1, columns - 1);
  return program;
}

}  // namespace

// What the walks of `subproblems`, which differ in rows and multipliers alone, end with at the input. False: a
// subproblem is empty, or the deadline has passed.
bool SplitEngine::functions_of(const LinearSpec& spec, std::span<SplitSubproblem* const> subproblems,
                               const Deadline& deadline, LinearFunctions& functions) const {
  const RowSource source{program_, met_.front(), &spec};
  auto lease = workspaces_.take();
  Workspace& w = *lease;
  const auto inputs = static_cast<std::size_t>(program_.program().inputs);
  for (std::size_t first = 0; first < subproblems.size(); first += kRowsPerQuery) {
    const std::size_t count = std::min(kRowsPerQuery, subproblems.size() - first);
    const auto part = subproblems.subspan(first, count);
    if (!start(source, part, true, deadline, w)) return false;
    if (std::find(w.empty.begin(), w.empty.end(), 1) != w.empty.end()) return false;
    aim(part, w);
    if (!walk(source, Walk::AloneWithForms, deadline, w)) return false;
    functions.slopes.insert(functions.slopes.end(), w.forms.begin(),
                            w.forms.begin() + static_cast<std::ptrdiff_t>(count * inputs));
    functions.constants.insert(functions.constants.end(), w.form_constants.begin(),
                               w.form_constants.begin() + static_cast<std::ptrdiff_t>(count));
  }
  const BoundsRow stored = w.split.known_of(0, input_);
  functions.box = {std::vector<double>(inputs), std::vector<double>(inputs)};
  for (std::size_t p = 0; p < inputs; ++p) {
    functions.box.lower[coordinate(p)] = stored.lower[p];
    functions.box.upper[coordinate(p)] = stored.upper[p];
  }
  return true;
}

std::optional<LeafOptimum> SplitEngine::optimum(const LinearSpec& spec, const SplitSubproblem& leaf,
                                                const Deadline& deadline) const {
  const auto inputs = static_cast<std::size_t>(program_.program().inputs);
  std::vector<std::int32_t> rows(leaf.violated.begin(), leaf.violated.end());
  if (rows.empty()) rows.push_back(leaf.row);
  const std::size_t splits = leaf.splits.size(), count = rows.size() + splits;
  if (splits == 0 || count * (inputs + count) > kMostEntries) return std::nullopt;
  // Rows without multipliers; and what a row of zeros with a multiplier of one subtracts, a split's constraint.
  std::vector<SplitSubproblem> probes(count, leaf);
  std::vector<SplitSubproblem*> pointers;
  for (std::size_t k = 0; k < count; ++k) {
    for (NeuronSplit& split : probes[k].splits) split.multiplier = 0;
    probes[k].row = k < rows.size() ? rows[k] : static_cast<std::int32_t>(spec.rows);
    if (k >= rows.size()) probes[k].splits[k - rows.size()].multiplier = 1;
    pointers.push_back(&probes[k]);
  }
  LinearFunctions functions;
  if (!functions_of(with_zero_row(spec), pointers, deadline, functions)) return std::nullopt;
  for (std::size_t i = rows.size() * inputs; i < functions.slopes.size(); ++i) functions.slopes[i] *= -1;
  for (std::size_t k = rows.size(); k < count; ++k) functions.constants[k] *= -1;
  std::vector<double> scales;
  const std::optional<LinearOptimum> solution =
      solve(leaf_program(functions, rows.size(), scales), kMostSteps, deadline);
  if (!solution) return std::nullopt;
  LeafOptimum optimum;
  optimum.walks = static_cast<std::int64_t>(count);
  for (std::size_t s = 0; s < splits; ++s) {
    optimum.multipliers.push_back(to_float(solution->multipliers[s] * scales[s]));
  }
  for (std::size_t k = 0; k < rows.size() && rows.size() > 1; ++k) {
    optimum.weights.push_back(to_float(solution->multipliers[splits + k]));
  }
  for (std::size_t j = 0; j < inputs; ++j) {
    optimum.point.push_back(std::clamp(solution->point[j], functions.box.lower[j], functions.box.upper[j]));
  }
  return optimum;
}

}  // namespace boundflow
