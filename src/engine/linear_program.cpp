#include "engine/linear_program.hpp"

#include <coin/Clp_C_Interface.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "base/error.hpp"

namespace boundflow {

std::optional<LinearOptimum> solve(const LinearProgram& program, int most_steps, const Deadline& deadline) {
  if (deadline.should_stop()) return std::nullopt;
  const std::size_t columns = program.cost.size(), rows = program.at_least.size();
  ensure(program.lower.size() == columns && program.upper.size() == columns && program.rows.size() == rows * columns,
         "a linear program's parts do not fit together");
  constexpr auto kMost = static_cast<std::size_t>(std::numeric_limits<int>::max());
  if (columns >= kMost || rows >= kMost || program.rows.size() >= kMost) return std::nullopt;
  // By columns, zeros left out.
  std::vector<int> starts{0}, indices;
  std::vector<double> values;
  for (std::size_t j = 0; j < columns; ++j) {
    for (std::size_t i = 0; i < rows; ++i) {
      const double value = program.rows[i * columns + j];
      if (!std::isfinite(value)) return std::nullopt;
      if (value == 0) continue;
      indices.push_back(static_cast<int>(i));
      values.push_back(value);
    }
    starts.push_back(static_cast<int>(indices.size()));
  }
  const auto finite = [](double x) { return std::isfinite(x); };
  if (!std::all_of(program.cost.begin(), program.cost.end(), finite) ||
      !std::all_of(program.at_least.begin(), program.at_least.end(), finite)) {
    return std::nullopt;
  }
  const std::vector<double> no_end(rows, std::numeric_limits<double>::max());
  const std::unique_ptr<Clp_Simplex, decltype(&Clp_deleteModel)> model(Clp_newModel(), &Clp_deleteModel);
  Clp_setLogLevel(model.get(), 0);
  Clp_loadProblem(model.get(), static_cast<int>(columns), static_cast<int>(rows), starts.data(), indices.data(),
                  values.data(), program.lower.data(), program.upper.data(), program.cost.data(),
                  program.at_least.data(), no_end.data());
  Clp_setMaximumIterations(model.get(), most_steps);
  // Clp's clock ends a solution that takes longer; a limit of 0 would be none.
  if (std::isfinite(deadline.remaining())) Clp_setMaximumSeconds(model.get(), std::max(deadline.remaining(), 1e-3));
  constexpr int kFromNothing = 0;
  Clp_dual(model.get(), kFromNothing);
  if (Clp_status(model.get()) != 0) return std::nullopt;
  LinearOptimum optimum;
  const double* point = Clp_primalColumnSolution(model.get());
  optimum.point.assign(point, point + columns);
  const double* duals = Clp_dualRowSolution(model.get());
  for (std::size_t i = 0; i < rows; ++i) optimum.multipliers.push_back(std::max(duals[i], 0.0));
  return optimum;
}

}  // namespace boundflow
