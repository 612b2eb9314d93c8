#pragma once
// What every pass has to keep: the function, the nominal bounds, and that bounds of the network after it contain the
// values and the float32 executions of the network before it.

#include <gtest/gtest.h>

#include <array>

#include "passes/passes.hpp"
#include "support/bound_checks.hpp"
#include "support/float32_execution.hpp"

namespace boundflow {

inline std::int64_t count_op(const Network& network, std::string_view op) {
  return std::count_if(network.nodes().begin(), network.nodes().end(), [&](const Node& node) { return node.op == op; });
}

// Nodes that only move data.
inline std::int64_t count_layouts(const Network& network) {
  return std::count_if(network.nodes().begin(), network.nodes().end(),
                       [](const Node& node) { return operator_table().at(node).layout_only; });
}

// `name` alone, to its end.
inline Network run_pass(const Network& network, std::string_view name) {
  for (const Pass& pass : pass_table()) {
    if (pass.name == name) return run_passes(network, operator_table(), std::span(&pass, 1));
  }
  throw InputError("there is no pass '" + std::string(name) + "'");
}

inline std::vector<double> output_of(const Network& network, const std::vector<double>& x) {
  const Tensor input(network.value(network.input()).type.shape, std::vector<float>(x.begin(), x.end()));
  return evaluate_network(network, input)[static_cast<std::size_t>(network.output())].to_doubles();
}

// One box: rows of both networks are bounded over it.
struct PassTrial {
  PassTrial(const Network& before, const Network& after, Random& random)
      : before(std::make_shared<const Network>(before)),
        after(std::make_shared<const Network>(after)),
        inputs(before.size_of(before.input())),
        outputs(before.size_of(before.output())),
        spec(random_spec(random, 3, inputs, outputs, false)),
        box(random_box(random, inputs)) {}

  BoundAnswer bound(const std::shared_ptr<const Network>& network, Semantics semantics,
                    const std::shared_ptr<const Executor>& executor) const {
    const FlatQuery flat(spec, {box}, semantics);
    return QueryEngine(network, executor, {}).bound(flat.query, Deadline());
  }

  std::shared_ptr<const Network> before, after;
  std::int64_t inputs, outputs;
  LinearSpec spec;
  InputBox box;
};

inline void expect_same_interface(const Network& before, const Network& after) {
  verify_network(after);
  EXPECT_EQ(after.value(after.input()).type, before.value(before.input()).type);
  EXPECT_EQ(after.value(after.output()).type, before.value(before.output()).type);
}

// Real values: the enclosures of the two networks meet.
inline void expect_same_function(const PassTrial& trial, Random& random) {
  expect_same_interface(*trial.before, *trial.after);
  for (const auto& point : sample_points(random, trial.box, 4)) {
    const auto a = enclose(*trial.before, operator_table(), point, point);
    const auto b = enclose(*trial.after, operator_table(), point, point);
    const Enclosure& y = a[static_cast<std::size_t>(trial.before->output())];
    const Enclosure& z = b[static_cast<std::size_t>(trial.after->output())];
    for (std::size_t i = 0; i < y.lower.size(); ++i) {
      EXPECT_LE(y.lower[i], z.upper[i]);
      EXPECT_LE(z.lower[i], y.upper[i]);
    }
  }
}

// Equal or tighter, within 1e-5 of the size of the bound and of what the reference executor itself rounds.
inline void expect_bounds_as_tight(const PassTrial& trial) {
  const BoundAnswer a = trial.bound(trial.before, Semantics::Nominal, make_reference_executor());
  const BoundAnswer b = trial.bound(trial.after, Semantics::Nominal, make_reference_executor());
  for (std::size_t n = 0; n < a.nominal.size(); ++n) {
    if (!std::isfinite(a.nominal[n])) continue;
    EXPECT_GE(b.nominal[n], a.nominal[n] - 1e-5 * (1 + std::fabs(a.nominal[n]))) << "row " << n;
  }
}

// Sound bounds of the network after hold for the network before; returns how many were finite.
inline int expect_executions_inside(const PassTrial& trial, Random& random) {
  const auto output = static_cast<std::size_t>(trial.before->output());
  std::vector<std::vector<double>> points = sample_points(random, trial.box, 4);
  int finite = 0;
  for (const NamedExecutor& executor : all_executors()) {
    for (const Semantics semantics : {Semantics::Real, Semantics::Float32}) {
      SCOPED_TRACE(executor.name + (semantics == Semantics::Real ? " real" : " float32"));
      const FlatQuery flat(trial.spec, {trial.box}, semantics);
      const BoundAnswer answer = trial.bound(trial.after, semantics, executor.executor);
      for (const auto& point : points) {
        const auto real = enclose(*trial.before, operator_table(), point, point)[output];
        std::vector<std::vector<double>> executions;
        const bool is_float32 = std::all_of(point.begin(), point.end(),
                                            [](double x) { return static_cast<double>(static_cast<float>(x)) == x; });
        for (int run = 0; run < 3 && semantics == Semantics::Float32 && is_float32; ++run) {
          executions.push_back(Float32Execution(*trial.before, random).run(point)[output]);
        }
        for (std::size_t n = 0; n < flat.rows.size(); ++n) {
          const double bound = sub_down(answer.nominal[n], answer.error[n]);
          if (std::isfinite(bound)) ++finite;
          EXPECT_FALSE(bound > row_value_up(trial.spec, flat.rows[n], point, real.lower, real.upper)) << "row " << n;
          for (const auto& run : executions) {
            EXPECT_FALSE(bound > row_value_up(trial.spec, flat.rows[n], point, run, run))
                << "row " << n << ", executed";
          }
        }
      }
    }
  }
  return finite;
}

inline int expect_pass_keeps(const Network& before, const Network& after, Random& random) {
  const PassTrial trial(before, after, random);
  expect_same_function(trial, random);
  expect_bounds_as_tight(trial);
  return expect_executions_inside(trial, random);
}

}  // namespace boundflow
