#include "engine/linear_program.hpp"

#include <coin/ClpEventHandler.hpp>
#include <coin/ClpSimplex.hpp>
#include <coin/CoinError.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"

namespace boundflow {

namespace {

// Ends a solution with the deadline; Clp's own clock counts the processor time of all threads.
class EndWith final : public ClpEventHandler {
 public:
  explicit EndWith(const Deadline& deadline) : deadline_(&deadline) {}
  int event(Event) override {
    constexpr int kGoOn = -1, kStop = 5;
    return deadline_->should_stop() ? kStop : kGoOn;
  }
  ClpEventHandler* clone() const override { return new EndWith(*this); }

 private:
  const Deadline* deadline_;
};

bool all_finite(const std::vector<double>& numbers) {
  return std::all_of(numbers.begin(), numbers.end(), [](double x) { return std::isfinite(x); });
}

std::optional<LinearOptimum> solve_finite(const LinearProgram& program, int most_steps, const Deadline& deadline) {
  const std::size_t columns = program.cost.size(), rows = program.at_least.size();
  // By columns, zeros left out.
  std::vector<CoinBigIndex> starts{0};
  std::vector<int> indices;
  std::vector<double> values;
  for (std::size_t j = 0; j < columns; ++j) {
    for (std::size_t i = 0; i < rows; ++i) {
      const double value = program.rows[i * columns + j];
      if (value == 0) continue;
      indices.push_back(static_cast<int>(i));
      values.push_back(value);
    }
    starts.push_back(static_cast<CoinBigIndex>(indices.size()));
  }
  const std::vector<double> no_end(rows, COIN_DBL_MAX);
  ClpSimplex model;
  model.setLogLevel(0);
  const EndWith end(deadline);
  model.passInEventHandler(&end);
  model.loadProblem(static_cast<int>(columns), static_cast<int>(rows), starts.data(), indices.data(), values.data(),
                    program.lower.data(), program.upper.data(), program.cost.data(), program.at_least.data(),
                    no_end.data());
  model.setMaximumIterations(most_steps);
  model.dual();
  constexpr int kOptimal = 0;
  if (model.status() != kOptimal) return std::nullopt;
  LinearOptimum optimum;
  optimum.point.assign(model.getColSolution(), model.getColSolution() + columns);
  optimum.multipliers.assign(model.getRowPrice(), model.getRowPrice() + rows);
  if (!all_finite(optimum.point) || !all_finite(optimum.multipliers)) return std::nullopt;
  for (double& multiplier : optimum.multipliers) multiplier = std::max(multiplier, 0.0);
  return optimum;
}

}  // namespace

std::optional<LinearOptimum> solve(const LinearProgram& program, int most_steps, const Deadline& deadline) {
  const std::size_t columns = program.cost.size(), rows = program.at_least.size();
  ensure(program.lower.size() == columns && program.upper.size() == columns && program.rows.size() == rows * columns,
         "a linear program's parts do not fit together");
  constexpr auto kMost = static_cast<std::size_t>(std::numeric_limits<int>::max());
  if (columns >= kMost || rows >= kMost || program.rows.size() >= kMost || deadline.should_stop()) return std::nullopt;
  if (!all_finite(program.cost) || !all_finite(program.rows) || !all_finite(program.at_least)) return std::nullopt;
  try {
    return solve_finite(program, most_steps, deadline);
  } catch (const CoinError&) {  // is no std::exception; a program that Clp cannot cope with has no solution here
    return std::nullopt;
  }
}

}  // namespace boundflow
