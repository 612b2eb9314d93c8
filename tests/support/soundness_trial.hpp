#pragma once
// A random network with rows to bound over boxes or balls, points of those where the network's values are known, and
// the checks that every bound of every lowering and executor holds there, for the real-valued network and for float32
// executions in random summation orders.

#include <gtest/gtest.h>

#include "api/observation.hpp"
#include "support/bound_checks.hpp"
#include "support/float32_execution.hpp"
#include "support/lowerings.hpp"

namespace boundflow {

struct Trial {
  std::shared_ptr<const Network> network;
  const OperatorTable* operators = &operator_table();
  LinearSpec spec;
  InputNorm norm = InputNorm::Linf;
  std::vector<InputBox> boxes;   // Linf
  std::vector<InputBall> balls;  // L2, L1
  // Per box or ball: points, and per point the enclosed activations and those of some float32 executions.
  struct Seen {
    std::vector<double> point;
    std::vector<Enclosure> real;
    std::vector<std::vector<std::vector<double>>> executed;  // none where the point is not float32
  };
  std::vector<std::vector<Seen>> seen;

  FlatQuery query(Semantics semantics) const {
    return norm == InputNorm::Linf ? FlatQuery(spec, boxes, semantics) : FlatQuery(spec, norm, balls, semantics);
  }
};

// How many answers were finite: an executor that answers NaN everywhere would pass every other check.
struct Tally {
  std::int64_t rows = 0;
  std::int64_t finite = 0;
};

// The reference evaluation of every variable.
inline std::vector<std::vector<double>> execute(const Network& network, const OperatorTable& table,
                                                const std::vector<double>& point) {
  const Tensor input(network.value(network.input()).type.shape, std::vector<float>(point.begin(), point.end()));
  const std::vector<Tensor> tensors = evaluate_network(network, input, table);
  std::vector<std::vector<double>> result;
  for (std::size_t v = 0; v < tensors.size(); ++v) {
    const bool constant = network.is_constant(static_cast<ValueId>(v));
    result.push_back(constant ? std::vector<double>{} : tensors[v].to_doubles());
  }
  return result;
}

inline Trial::Seen see(const Network& network, const std::vector<double>& point, Random& random,
                       const OperatorTable& table = operator_table()) {
  Trial::Seen seen{point, enclose(network, table, point, point), {}};
  const auto is_float32 = [](double x) { return static_cast<double>(static_cast<float>(x)) == x; };
  if (std::all_of(point.begin(), point.end(), is_float32)) {
    seen.executed.push_back(execute(network, table, point));
    seen.executed.push_back(Float32Execution(network, random, table).run(point));
    seen.executed.push_back(Float32Execution(network, random, table).run(point));
  }
  return seen;
}

// Points of one more box, some of which descend towards the bounds.
inline void look_into(Trial& trial, const QueryEngine& guide, InputBox box, Random& random) {
  std::vector<std::vector<double>> points = sample_points(random, box, 6);
  for (std::int64_t row = 0; row < trial.spec.rows; ++row) {
    const auto low = descend(guide, trial.spec, row, box, {points[0], points[1], points[2]});
    points.insert(points.end(), low.begin(), low.end());
  }
  trial.boxes.push_back(std::move(box));
  std::vector<Trial::Seen>& seen = trial.seen.emplace_back();
  for (const auto& point : points) seen.push_back(see(*trial.network, point, random, *trial.operators));
}

// Over boxes, with points that descend towards the bounds.
inline Trial make_trial(Network network, Random& random, const OperatorTable& table = operator_table()) {
  Trial trial;
  trial.operators = &table;
  trial.network = std::make_shared<const Network>(std::move(network));
  const Network& net = *trial.network;
  const std::int64_t inputs = net.size_of(net.input()), outputs = net.size_of(net.output());
  trial.spec = random_spec(random, random.integer(1, 4), inputs, outputs, random.coin());
  const QueryEngine guide(trial.network, make_native_executor(Precision::Float64), {}, Deadline(), table);
  for (std::int64_t b = random.integer(1, 2); b > 0; --b) look_into(trial, guide, random_box(random, inputs), random);
  return trial;
}

inline void check_rows(const Trial& trial, const FlatQuery& flat, const BoundAnswer& answer, Semantics semantics,
                       Tally& tally) {
  ASSERT_TRUE(answer.complete);
  const auto inputs = static_cast<std::size_t>(trial.spec.inputs);
  const auto output = static_cast<std::size_t>(trial.network->output());
  for (std::size_t n = 0; n < flat.rows.size(); ++n) {
    const double bound = sub_down(answer.nominal[n], answer.error[n]);
    ++tally.rows;
    if (std::isfinite(bound)) ++tally.finite;
    EXPECT_FALSE(answer.error[n] < 0);
    const double* form = answer.form.data() + n * inputs;
    for (const Trial::Seen& at : trial.seen[static_cast<std::size_t>(flat.owners[n])]) {
      const double real =
          row_value_up(trial.spec, flat.rows[n], at.point, at.real[output].lower, at.real[output].upper);
      EXPECT_FALSE(bound > real) << "row " << n << ": bound " << bound << " above the value " << real;
      const double form_value = form_value_down(form, answer.form_constant[n], at.point);
      EXPECT_FALSE(form_value > real) << "row " << n << ": form " << form_value << " above the value " << real;
      if (semantics != Semantics::Float32) continue;
      for (const auto& run : at.executed) {
        const double value = row_value_up(trial.spec, flat.rows[n], at.point, run[output], run[output]);
        EXPECT_FALSE(bound > value) << "row " << n << ": bound " << bound << " above the executed value " << value;
        EXPECT_FALSE(form_value > value) << "row " << n << ": form " << form_value << " above the executed " << value;
        EXPECT_FALSE(std::isnan(value) && std::isfinite(bound)) << "row " << n << " was executed as NaN";
      }
    }
  }
}

inline void check_intermediate(const Trial& trial, const std::vector<QueryEngine::ValueBounds>& all,
                               Semantics semantics) {
  for (const QueryEngine::ValueBounds& bounds : all) {
    const auto value = static_cast<std::size_t>(bounds.value);
    const auto n = static_cast<std::size_t>(trial.network->size_of(bounds.value));
    for (std::size_t b = 0; b < trial.seen.size(); ++b) {
      for (const Trial::Seen& at : trial.seen[b]) {
        for (std::size_t i = 0; i < n; ++i) {
          const double l = bounds.lower[b * n + i], u = bounds.upper[b * n + i];
          const bool outside = l > at.real[value].upper[i] || u < at.real[value].lower[i];
          EXPECT_FALSE(outside) << "value " << value << "[" << i << "] in [" << l << ", " << u << "]";
          if (semantics != Semantics::Float32) continue;
          for (const auto& run : at.executed) {
            const bool run_outside = l > run[value][i] || u < run[value][i];
            EXPECT_FALSE(run_outside) << "value " << value << "[" << i << "] executed as " << run[value][i]
                                      << ", not in [" << l << ", " << u << "]";
          }
        }
      }
    }
  }
}

inline void check_lowering(const Trial& trial, const NamedExecutor& executor, NamedLowering lowering,
                           std::shared_ptr<const Observer> observer, Tally& tally) {
  lowering.lowering.balls = trial.norm != InputNorm::Linf;
  QueryEngine engine(trial.network, executor.executor, {.lowering = lowering.lowering}, Deadline(), *trial.operators);
  engine.observe(std::move(observer));
  for (const auto semantics : {Semantics::Float32, Semantics::Real}) {
    SCOPED_TRACE(executor.name + " " + lowering.name + (semantics == Semantics::Real ? " real" : " float32"));
    const FlatQuery flat = trial.query(semantics);
    ASSERT_NO_THROW(check_rows(trial, flat, engine.bound(flat.query, Deadline()), semantics, tally));
    ASSERT_NO_THROW(check_intermediate(trial, engine.intermediate_bounds(flat.query), semantics));
  }
}

// The observer of one of the points that were seen.
inline std::shared_ptr<const Observer> observe_some_point(const Trial& trial, Random& random) {
  const auto box = static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(trial.seen.size()) - 1));
  const auto at = static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(trial.seen[box].size()) - 1));
  return observe_point(trial.network, *trial.operators, Property{}, trial.seen[box][at].point).observer;
}

inline void check_everything(const Trial& trial, Random& random, Tally& tally) {
  const std::shared_ptr<const Observer> observer = observe_some_point(trial, random);
  for (const NamedExecutor& executor : all_executors()) {
    for (const NamedLowering& lowering : all_lowerings(!trial.spec.input_coefficients.empty())) {
      check_lowering(trial, executor, lowering, observer, tally);
    }
  }
}

}  // namespace boundflow
