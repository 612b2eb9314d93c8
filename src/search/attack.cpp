#include "search/attack.hpp"

#include <algorithm>
#include <cmath>

#include "search/row_gradients.hpp"

namespace boundflow {

namespace {

// Weighs the rows whose descent pulls a point towards violating its clause: the deciding row, or all positive rows.
void weigh_rows(const Specification& specification, const RowClause& clause, bool all_rows,
                std::span<const double> values, std::span<double> weights) {
  const std::int32_t deciding = deciding_row(clause, values);
  if (deciding < 0) return;
  weights[static_cast<std::size_t>(deciding)] = 1;
  if (!all_rows) return;
  for (const std::int32_t row : clause.rows) {
    const double value = values[static_cast<std::size_t>(row)];
    const bool pending = specification.strict[static_cast<std::size_t>(row)] != 0 ? value >= 0 : value > 0;
    if (pending) weights[static_cast<std::size_t>(row)] = 1;
  }
}

class Round {
 public:
  Round(const Specification& specification, const Evaluator& evaluator, std::int64_t count)
      : specification_(specification),
        evaluator_(evaluator),
        count_(count),
        inputs_(specification.spec.inputs),
        points_(static_cast<std::size_t>(count * inputs_)) {}

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
        points_[static_cast<std::size_t>(p * inputs_ + i)] = std::clamp(x, l, u);
      }
    }
  }

  const RowClause& clause_of(std::int64_t point) const {
    return specification_.clauses[static_cast<std::size_t>(point) % specification_.clauses.size()];
  }
  std::span<const double> values_of(std::int64_t point) const { return gradients_.values(point); }

  bool evaluate(const Deadline& deadline) {
    return gradients_.compute(
        specification_.spec, evaluator_, points_, count_,
        [&](std::int64_t point, std::span<const double> values, std::span<double> weights) {
          // Every other point of a clause descends on all its rows at once.
          const bool all_rows = static_cast<std::size_t>(point) / specification_.clauses.size() % 2 == 1;
          weigh_rows(specification_, clause_of(point), all_rows, values, weights);
        },
        deadline);
  }

  void step(double size) {
    const InputBox& box = specification_.box;
    for (std::int64_t p = 0; p < count_; ++p) {
      for (std::int64_t i = 0; i < inputs_; ++i) {
        const auto k = static_cast<std::size_t>(p * inputs_ + i);
        const double l = box.lower[static_cast<std::size_t>(i)];
        const double u = box.upper[static_cast<std::size_t>(i)];
        const double g = gradients_.gradient(p)[static_cast<std::size_t>(i)];
        const double direction = g > 0 ? -1.0 : (g < 0 ? 1.0 : 0.0);
        points_[k] = std::clamp(points_[k] + direction * size * (u - l), l, u);
      }
    }
  }

  // Moves every coordinate to the nearer end of the box. Properties that ask for equalities are often violated at
  // corners alone, which steps come near and do not meet.
  void snap() {
    const InputBox& box = specification_.box;
    for (std::size_t k = 0; k < points_.size(); ++k) {
      const double l = box.lower[k % static_cast<std::size_t>(inputs_)];
      const double u = box.upper[k % static_cast<std::size_t>(inputs_)];
      points_[k] = points_[k] - l < u - points_[k] ? l : u;
    }
  }

  std::span<const double> point(std::int64_t p) const {
    return std::span(points_).subspan(static_cast<std::size_t>(p * inputs_), static_cast<std::size_t>(inputs_));
  }
  std::int64_t count() const { return count_; }

 private:
  const Specification& specification_;
  const Evaluator& evaluator_;
  std::int64_t count_;
  std::int64_t inputs_;
  std::vector<double> points_;
  RowGradients gradients_;
};

}  // namespace

bool attack(const Specification& specification, std::span<const double> seeds, const Evaluator& evaluator,
            const AttackOptions& options, Random& random, const Deadline& deadline, const Candidate& candidate) {
  if (specification.clauses.empty()) return false;
  Round round(specification, evaluator, options.restarts);
  round.start(random, seeds);
  std::vector<char> tried(static_cast<std::size_t>(options.restarts), 0);
  for (int step = 0; step <= options.steps + 1; ++step) {
    if (deadline.should_stop() || !round.evaluate(deadline)) return false;
    for (std::int64_t p = 0; p < round.count(); ++p) {
      // A point that was refused once may pass later, deeper inside the violation; a few tries are enough.
      char& tries = tried[static_cast<std::size_t>(p)];
      if (tries >= 3 || !(violation_distance(round.clause_of(p), round.values_of(p)) <= 0)) continue;
      ++tries;
      if (candidate(round.point(p))) return true;
      if (deadline.should_stop()) return false;
    }
    if (step == options.steps) round.snap();
    const double progress = static_cast<double>(step) / std::max(options.steps, 1);
    if (step < options.steps)
      round.step(options.first_step * std::pow(options.last_step / options.first_step, progress));
  }
  return false;
}

}  // namespace boundflow
