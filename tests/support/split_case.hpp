#pragma once
// Random networks whose neurons can be split, and random subproblems of them.

#include <cmath>
#include <memory>
#include <vector>

#include "engine/split_engine.hpp"
#include "passes/passes.hpp"
#include "support/bound_checks.hpp"
#include "support/random_activations.hpp"
#include "support/random_image_network.hpp"
#include "support/random_layers.hpp"
#include "support/random_network.hpp"

namespace boundflow {

// A random network, rows over its outputs and a box, by `seed`.
struct SplitCase {
  explicit SplitCase(std::uint64_t seed, std::shared_ptr<const Executor> executor, Semantics semantics) {
    Random random(seed);
    Network built;
    switch (seed % 4) {
      case 0:
        // Of the larger ones rows store windows.
        built = random_image_network(
            random,
            seed % 8 == 0
                ? RandomImageOptions{.min_extent = 4, .max_extent = 6}
                : RandomImageOptions{
                      .min_extent = 6, .max_extent = 9, .max_elements = 250, .blocks = 3, .only_convolutions = true});
        break;
      case 1:
        built = random_network(random, {.max_width = 24});
        break;
      case 2:
        built = random_activations(random, random.integer(1, 4), random.integer(2, 4));
        break;
      default:
        built = random_layers(random, random.integer(1, 8), random.integer(2, 4));
    }
    network = std::make_shared<const Network>(run_passes(std::move(built), operator_table()));
    const std::int64_t inputs = network->size_of(network->input());
    spec = random_spec(random, 3, inputs, network->size_of(network->output()), false);
    for (std::int64_t i = 0; i < inputs; ++i) {
      const auto centre = static_cast<double>(static_cast<float>(random.uniform(-1, 1)));
      const double radius = random.uniform(0, 0.5);
      box.lower.push_back(centre - radius);
      box.upper.push_back(centre + radius);
    }
    engine = std::make_shared<const QueryEngine>(network, std::move(executor), QueryEngine::Options{.splits = true});
    if (engine->split_programs().programs.empty()) return;
    splits = std::make_unique<SplitEngine>(engine, box, semantics, Deadline());
  }
  std::vector<double> point(Random& random) const {
    std::vector<double> result;
    for (std::size_t i = 0; i < box.lower.size(); ++i) {
      const double x = random.uniform(box.lower[i], box.upper[i]);
      result.push_back(random.integer(0, 3) == 0 ? (random.coin() ? box.lower[i] : box.upper[i]) : x);
    }
    return result;
  }
  // Random splits that the point fulfils, with random slopes and multipliers.
  SplitSubproblem around(const std::vector<double>& point, Random& random) const {
    SplitSubproblem result;
    const std::vector<NeuronRange> at = splits->ranges_at(point, Deadline());
    for (std::size_t i = 0; i < at.size(); ++i) {
      if (random.integer(0, 3) != 0) continue;
      // Where a sign changes, or anywhere near.
      const double near = random.coin() ? 0 : at[i].lower + random.uniform(-0.3, 0.3);
      const SplitPoint where{static_cast<std::int32_t>(i), static_cast<float>(near)};
      for (const bool above : {false, true}) {
        NeuronSplit split = side_of(where, above);
        split.multiplier = static_cast<float>(random.integer(0, 2) == 0 ? 0 : random.uniform(0, 1));
        if (at[i].fulfils(split)) result.splits.push_back(split);
      }
    }
    std::vector<std::uint8_t> slopes;
    for (std::int64_t k = 0; k < splits->choices(); ++k) {
      slopes.push_back(static_cast<std::uint8_t>(random.integer(0, 255)));
    }
    if (random.coin()) result.slopes = std::make_shared<const std::vector<std::uint8_t>>(std::move(slopes));
    result.row = static_cast<std::int32_t>(random.integer(0, 2));
    return result;
  }
  double value(std::int32_t row, const std::vector<double>& point, const QueryEngine& exact) const {
    std::vector<double> outputs(static_cast<std::size_t>(spec.outputs));
    exact.evaluate(point, 1, outputs);
    double sum = spec.constants[static_cast<std::size_t>(row)];
    for (std::int64_t j = 0; j < spec.outputs; ++j) {
      sum += spec.output_coefficients[static_cast<std::size_t>(row * spec.outputs + j)] *
             outputs[static_cast<std::size_t>(j)];
    }
    return sum;
  }
  std::shared_ptr<const Network> network;
  LinearSpec spec;
  InputBox box;
  std::shared_ptr<const QueryEngine> engine;
  std::unique_ptr<SplitEngine> splits;
};

// No rounding of the test's own values in double comes near this.
inline double slack(double value) {
  return 1e-10 * (1 + std::fabs(value));
}

}  // namespace boundflow
