#include "search/attack.hpp"

#include <algorithm>
#include <cmath>

namespace boundflow {

namespace {

// Writes the cotangent that pulls a point towards violating its clause: of the deciding row, or of all positive rows.
void choose_cotangent(const Specification& specification, const RowClause& clause, bool all_rows,
                      std::span<const double> values, std::span<double> row_weights) {
  std::fill(row_weights.begin(), row_weights.end(), 0.0);
  const std::int32_t deciding = deciding_row(clause, values);
  if (deciding < 0) return;
  row_weights[static_cast<std::size_t>(deciding)] = 1;
  if (!all_rows) return;
  for (const std::int32_t row : clause.rows) {
    const double value = values[static_cast<std::size_t>(row)];
    const bool pending = specification.strict[static_cast<std::size_t>(row)] != 0 ? value >= 0 : value > 0;
    if (pending) row_weights[static_cast<std::size_t>(row)] = 1;
  }
}

class Round {
 public:
  Round(const Specification& specification, const Evaluator& evaluator, std::int64_t count)
      : specification_(specification),
        evaluator_(evaluator),
        count_(count),
        inputs_(specification.spec.inputs),
        outputs_(specification.spec.outputs),
        points(static_cast<std::size_t>(count * inputs_)),
        outputs(static_cast<std::size_t>(count * outputs_)),
        gradients(static_cast<std::size_t>(count * inputs_)),
        values(static_cast<std::size_t>(count * specification.spec.rows)),
        row_weights(values.size()) {}

  void start(Random& random, std::span<const double> seeds) {
    const InputBox& box = specification_.box;
    const std::int64_t given = static_cast<std::int64_t>(seeds.size()) / std::max<std::int64_t>(inputs_, 1);
    for (std::int64_t p = 0; p < count_; ++p) {
      const bool corner = p % 4 == 1;
      for (std::int64_t i = 0; i < inputs_; ++i) {
        const double l = box.lower[static_cast<std::size_t>(i)];
        const double u = box.upper[static_cast<std::size_t>(i)];
        double x = corner ? (random.coin() ? l : u) : random.uniform(l, u);
        if (p == given) x = 0.5 * l + 0.5 * u;
        if (p < given) x = seeds[static_cast<std::size_t>(p * inputs_ + i)];
        points[static_cast<std::size_t>(p * inputs_ + i)] = std::clamp(x, l, u);
      }
    }
  }

  const RowClause& clause_of(std::int64_t point) const {
    return specification_.clauses[static_cast<std::size_t>(point) % specification_.clauses.size()];
  }
  std::span<const double> values_of(std::int64_t point) const {
    const auto rows = static_cast<std::size_t>(specification_.spec.rows);
    return std::span(values).subspan(static_cast<std::size_t>(point) * rows, rows);
  }

  void evaluate() {
    const LinearSpec& spec = specification_.spec;
    evaluator_.gradient(
        points, count_,
        [&](std::int64_t first, std::span<const double> block, std::span<double> cotangents) {
          const std::int64_t size = static_cast<std::int64_t>(block.size()) / std::max<std::int64_t>(outputs_, 1);
          const auto at = static_cast<std::size_t>(first);
          const auto rows = static_cast<std::size_t>(spec.rows);
          row_values(spec, std::span(points).subspan(at * static_cast<std::size_t>(inputs_)), block, size,
                     std::span(values).subspan(at * rows));
          for (std::int64_t p = 0; p < size; ++p) {
            const std::int64_t point = first + p;
            // Every other point of a clause descends on all its rows at once.
            const bool all_rows = static_cast<std::size_t>(point) / specification_.clauses.size() % 2 == 1;
            const std::span<double> weights = std::span(row_weights).subspan(static_cast<std::size_t>(point) * rows, rows);
            choose_cotangent(specification_, clause_of(point), all_rows, values_of(point), weights);
            for (std::int64_t j = 0; j < outputs_; ++j) {
              double sum = 0;
              for (std::size_t r = 0; r < rows; ++r) {
                sum += weights[r] * spec.output_coefficients[r * static_cast<std::size_t>(outputs_) +
                                                             static_cast<std::size_t>(j)];
              }
              cotangents[static_cast<std::size_t>(p * outputs_ + j)] = sum;
            }
          }
        },
        outputs, gradients);
    if (spec.input_coefficients.empty()) return;
    for (std::int64_t p = 0; p < count_; ++p) {
      for (std::int64_t r = 0; r < spec.rows; ++r) {
        const double weight = row_weights[static_cast<std::size_t>(p * spec.rows + r)];
        if (weight == 0) continue;
        for (std::int64_t i = 0; i < inputs_; ++i) {
          gradients[static_cast<std::size_t>(p * inputs_ + i)] +=
              weight * spec.input_coefficients[static_cast<std::size_t>(r * inputs_ + i)];
        }
      }
    }
  }

  void step(double size) {
    const InputBox& box = specification_.box;
    for (std::int64_t p = 0; p < count_; ++p) {
      for (std::int64_t i = 0; i < inputs_; ++i) {
        const auto k = static_cast<std::size_t>(p * inputs_ + i);
        const double l = box.lower[static_cast<std::size_t>(i)];
        const double u = box.upper[static_cast<std::size_t>(i)];
        const double g = gradients[k];
        const double direction = g > 0 ? -1.0 : (g < 0 ? 1.0 : 0.0);
        points[k] = std::clamp(points[k] + direction * size * (u - l), l, u);
      }
    }
  }

  std::span<const double> point(std::int64_t p) const {
    return std::span(points).subspan(static_cast<std::size_t>(p * inputs_), static_cast<std::size_t>(inputs_));
  }
  std::int64_t count() const { return count_; }

 private:
  const Specification& specification_;
  const Evaluator& evaluator_;
  std::int64_t count_;
  std::int64_t inputs_;
  std::int64_t outputs_;
  std::vector<double> points;
  std::vector<double> outputs;
  std::vector<double> gradients;
  std::vector<double> values;
  std::vector<double> row_weights;
};

}  // namespace

bool attack(const Specification& specification, std::span<const double> seeds, const Evaluator& evaluator,
            const AttackOptions& options, Random& random, const Deadline& deadline, const Candidate& candidate) {
  if (specification.clauses.empty()) return false;
  Round round(specification, evaluator, options.restarts);
  round.start(random, seeds);
  std::vector<char> tried(static_cast<std::size_t>(options.restarts), 0);
  for (int step = 0; step <= options.steps; ++step) {
    if (deadline.should_stop()) return false;
    round.evaluate();
    for (std::int64_t p = 0; p < round.count(); ++p) {
      // A point that was refused once may pass later, deeper inside the violation; a few tries are enough.
      char& tries = tried[static_cast<std::size_t>(p)];
      if (tries >= 3 || !(violation_distance(round.clause_of(p), round.values_of(p)) <= 0)) continue;
      ++tries;
      if (candidate(round.point(p))) return true;
    }
    const double progress = static_cast<double>(step) / std::max(options.steps, 1);
    round.step(options.first_step * std::pow(options.last_step / options.first_step, progress));
  }
  return false;
}

}  // namespace boundflow
