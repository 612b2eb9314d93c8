// The end of a subproblem without neurons to split: there the network is one linear function, and the best multipliers
// are those of a linear program.

#include <algorithm>
#include <cmath>

#include "base/rounding.hpp"
#include "engine/linear_program.hpp"
#include "engine/split_workspace.hpp"

namespace boundflow {

namespace {

constexpr std::size_t kMostEntries = std::size_t{1} << 20;  // of a program's matrix
constexpr std::size_t kRowsPerQuery = 32;
constexpr int kMostSteps = 20000;
// A multiplier changes the row by at most so many times its spread over the box. That keeps programs feasible, where
// nothing is left of a subproblem as well, and roundings small.
constexpr double kMostWeight = 1000;

// sum_j |form_j| (upper_j - lower_j)
double spread(const double* form, const std::vector<double>& lower, const std::vector<double>& upper) {
  double sum = 0;
  for (std::size_t j = 0; j < lower.size(); ++j) sum += std::fabs(form[j]) * (upper[j] - lower[j]);
  return sum;
}

}  // namespace

// The linear functions that the walks of `subproblems` end with, at the input, [subproblems, inputs] and behind them
// their constants. Nothing where a subproblem is empty or the deadline has passed.
std::vector<double> SplitEngine::forms(const RowSource& source, std::span<SplitSubproblem* const> subproblems,
                                       const Deadline& deadline, Workspace& w, InputBox& box) const {
  const auto inputs = static_cast<std::size_t>(program_.program().inputs);
  std::vector<double> result, constants;
  for (std::size_t first = 0; first < subproblems.size(); first += kRowsPerQuery) {
    const std::size_t count = std::min(kRowsPerQuery, subproblems.size() - first);
    const auto part = subproblems.subspan(first, count);
    if (!start(source, part, true, deadline, w)) return {};
    if (std::find(w.empty.begin(), w.empty.end(), 1) != w.empty.end()) return {};
    aim(part, w);
    if (!walk(source, Walk::AloneWithForms, deadline, w)) return {};
    result.insert(result.end(), w.forms.begin(), w.forms.begin() + static_cast<std::ptrdiff_t>(count * inputs));
    constants.insert(constants.end(), w.form_constants.begin(),
                     w.form_constants.begin() + static_cast<std::ptrdiff_t>(count));
  }
  const BoundsRow stored = w.split.known_of(0, input_);
  box = {std::vector<double>(inputs), std::vector<double>(inputs)};
  for (std::size_t p = 0; p < inputs; ++p) {
    box.lower[coordinate(p)] = stored.lower[p];
    box.upper[coordinate(p)] = stored.upper[p];
  }
  result.insert(result.end(), constants.begin(), constants.end());
  return result;
}

std::optional<LeafOptimum> SplitEngine::optimum(const LinearSpec& spec, const SplitSubproblem& leaf,
                                                const Deadline& deadline) const {
  const auto inputs = static_cast<std::size_t>(program_.program().inputs);
  const std::size_t splits = leaf.splits.size();
  std::vector<std::int32_t> rows(leaf.violated.begin(), leaf.violated.end());
  if (rows.empty()) rows.push_back(leaf.row);
  const std::size_t functions = rows.size() + splits;
  if (splits == 0 || functions * (inputs + functions) > kMostEntries) return std::nullopt;
  // A row of zeros with a multiplier of one is a split's constraint, negated.
  LinearSpec with_zero = spec;
  const auto zero = static_cast<std::int32_t>(with_zero.rows++);
  for (auto* numbers : {&with_zero.output_coefficients, &with_zero.output_coefficient_errors}) {
    numbers->resize(numbers->size() + static_cast<std::size_t>(spec.outputs), 0.0);
  }
  for (auto* numbers : {&with_zero.input_coefficients, &with_zero.input_coefficient_errors}) {
    if (!numbers->empty()) numbers->resize(numbers->size() + inputs, 0.0);
  }
  for (auto* numbers : {&with_zero.constants, &with_zero.constant_errors}) numbers->push_back(0.0);
  std::vector<SplitSubproblem> probes(functions, leaf);
  std::vector<SplitSubproblem*> pointers;
  for (std::size_t k = 0; k < functions; ++k) {
    for (NeuronSplit& split : probes[k].splits) split.multiplier = 0;
    probes[k].row = k < rows.size() ? rows[k] : zero;
    if (k >= rows.size()) probes[k].splits[k - rows.size()].multiplier = 1;
    pointers.push_back(&probes[k]);
  }
  auto lease = workspaces_.take();
  InputBox box;
  const std::vector<double> found = forms({program_, met_.front(), &with_zero}, pointers, deadline, *lease, box);
  if (found.empty()) return std::nullopt;
  const double* constants = found.data() + functions * inputs;
  // Columns: the inputs; by how much each split's constraint does not hold, in units of its spread; with several rows
  // the largest of them.
  const bool several = rows.size() > 1;
  const std::size_t columns = inputs + splits + (several ? 1 : 0);
  LinearProgram program;
  program.lower = box.lower;
  program.upper = box.upper;
  program.lower.resize(inputs + splits, 0.0);
  program.upper.resize(inputs + splits, kInfinity);
  program.cost.assign(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(several ? 0 : inputs));
  program.cost.resize(inputs, 0.0);
  double widest = 0;
  for (std::size_t k = 0; k < rows.size(); ++k) {
    widest = std::max(widest, spread(found.data() + k * inputs, box.lower, box.upper));
  }
  program.cost.resize(inputs + splits, widest > 0 ? kMostWeight * widest : 1);
  if (several) {
    program.lower.push_back(-kInfinity);
    program.upper.push_back(kInfinity);
    program.cost.push_back(1.0);
  }
  std::vector<double> scales;
  for (std::size_t s = 0; s < splits; ++s) {
    // constant + form x >= 0
    std::vector<double> form(columns, 0.0);
    const double* negated = found.data() + (rows.size() + s) * inputs;
    for (std::size_t j = 0; j < inputs; ++j) form[j] = -negated[j];
    const double size = spread(form.data(), box.lower, box.upper);
    // A constraint that nothing of the box decides is left out: 0 x >= 0.
    const double scale = size > 0 && std::isfinite(size) ? 1 / size : 0;
    scales.push_back(scale);
    for (double& coefficient : form) coefficient *= scale;
    form[inputs + s] = 1;
    program.rows.insert(program.rows.end(), form.begin(), form.end());
    program.at_least.push_back(constants[rows.size() + s] * scale);
  }
  for (std::size_t k = 0; k < rows.size() && several; ++k) {
    std::vector<double> form(columns, 0.0);
    for (std::size_t j = 0; j < inputs; ++j) form[j] = -found[k * inputs + j];
    form.back() = 1;
    program.rows.insert(program.rows.end(), form.begin(), form.end());
    program.at_least.push_back(constants[k]);
  }
  const std::optional<LinearOptimum> solution = solve(program, kMostSteps, deadline);
  if (!solution) return std::nullopt;
  LeafOptimum optimum;
  for (std::size_t s = 0; s < splits; ++s) {
    optimum.multipliers.push_back(static_cast<float>(solution->multipliers[s] * scales[s]));
  }
  for (std::size_t k = 0; k < rows.size() && several; ++k) {
    optimum.weights.push_back(static_cast<float>(solution->multipliers[splits + k]));
  }
  for (std::size_t j = 0; j < inputs; ++j) {
    optimum.point.push_back(std::clamp(solution->point[j], box.lower[j], box.upper[j]));
  }
  return optimum;
}

}  // namespace boundflow
