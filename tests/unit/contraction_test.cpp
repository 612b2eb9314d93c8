// What constraint propagation keeps as it goes: the sums of rows stay those of the bounds, however ends have moved.
#include "engine/contraction.hpp"

#include <gtest/gtest.h>

#include "passes/passes.hpp"
#include "support/bound_checks.hpp"
#include "support/layer_stack.hpp"
#include "support/random_image_network.hpp"
#include "support/random_layers.hpp"
#include "support/random_network.hpp"

namespace boundflow {
namespace {

Network random_case(std::uint64_t seed, Random& random) {
  switch (seed % 3) {
    case 0:
      return random_image_network(random, {.min_extent = 4, .max_extent = 6});
    case 1:
      return random_network(random, {.max_width = 24});
    default:
      return random_layers(random, random.integer(1, 20), random.integer(2, 4));
  }
}

// Any bounds will do: what is kept is arithmetic.
std::vector<GivenValue> random_bounds(const LoweredNetwork& lowered, const Contraction& contraction, Random& random) {
  std::vector<GivenValue> given(lowered.network().values().size());
  for (std::size_t v = 0; v < given.size(); ++v) {
    if (contraction.offset(static_cast<ValueId>(v)) < 0) continue;
    for (std::int64_t i = 0; i < lowered.columns(static_cast<ValueId>(v)); ++i) {
      const bool open = random.integer(0, 40) == 0;
      given[v].lower.push_back(open ? -kInfinity : random.uniform(-3, -1));
      given[v].upper.push_back(random.uniform(1, 3));
      given[v].error_weights.push_back(0);
    }
  }
  return given;
}

void expect_sums(const LoweredNetwork& lowered, const Contraction& contraction, const ContractionBase& base,
                 const ValueBounds& bounds, std::int64_t& finite) {
  std::vector<LinearMap::Entry> entries;
  std::size_t row = 0;
  for (const LoweredNode& node : lowered.nodes()) {
    if (node.facet != FacetKind::Affine) continue;
    for (std::int64_t j = 0; j < lowered.columns(node.output); ++j, ++row) {
      double low = 0, high = 0, widest = 0;
      for (std::size_t t = 0; t < node.operands.size(); ++t) {
        node.affine->maps[t]->row(j, entries);
        for (const LinearMap::Entry& entry : entries) {
          const auto i = static_cast<std::size_t>(contraction.offset(node.operands[t]) + entry.column);
          const double a = entry.weight * bounds.lower[i], b = entry.weight * bounds.upper[i];
          if (entry.weight == 0) continue;
          low += std::min(a, b);
          high += std::max(a, b);
          widest = std::max(widest, std::fabs(b - a));
        }
      }
      ASSERT_LE(widest, base.widest[row] * (1 + 1e-12)) << "row " << row;
      // What is NaN is added up again when it is looked at.
      if (!std::isnan(bounds.low[row]) && std::isfinite(low)) {
        ASSERT_NEAR(bounds.low[row], low, base.slack[row]) << "row " << row;
        ++finite;
      }
      if (!std::isnan(bounds.high[row]) && std::isfinite(high)) {
        ASSERT_NEAR(bounds.high[row], high, base.slack[row]) << "row " << row;
        ++finite;
      }
    }
  }
}

TEST(Contraction, SumsFollowTheEndsOfTheirTerms) {
  std::int64_t finite = 0, networks = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const auto network = std::make_shared<const Network>(run_passes(random_case(seed, random), operator_table()));
    const LoweredNetwork lowered(network, operator_table(), Deadline());
    const std::shared_ptr<const Contraction> contraction = Contraction::of(lowered);
    if (contraction == nullptr) continue;
    ++networks;
    const ContractionBase base = contraction->base(random_bounds(lowered, *contraction, random));
    ASSERT_NO_FATAL_FAILURE(expect_sums(lowered, *contraction, base, base.bounds, finite));
    ValueBounds bounds = base.bounds;
    for (int k = 0; k < 300; ++k) {
      const std::int64_t i = random.integer(0, std::ssize(bounds.lower) - 1);
      double l = bounds.lower[static_cast<std::size_t>(i)];
      const double u = bounds.upper[static_cast<std::size_t>(i)];
      if (!std::isfinite(l)) contraction->raise(i, l = -3.5, bounds);
      if (random.coin()) {
        contraction->raise(i, random.uniform(l, u), bounds);
      } else {
        contraction->reduce(i, random.uniform(l, u), bounds);
      }
    }
    ASSERT_NO_FATAL_FAILURE(expect_sums(lowered, *contraction, base, bounds, finite));
    const LinearSpec spec =
        random_spec(random, 1, network->size_of(network->input()), network->size_of(network->output()), false);
    const std::int32_t violated = 0;
    if (contraction->contract(base, spec, std::span(&violated, 1), bounds)) {
      ASSERT_NO_FATAL_FAILURE(expect_sums(lowered, *contraction, base, bounds, finite));
    }
  }
  EXPECT_GT(networks, 30);
  EXPECT_GT(finite, 1000);
}

// A difference of two ends that exceeds all numbers says nothing of what is left, whether the rows that read it follow
// each other or not.
TEST(Contraction, OverflowsRuleNothingOut) {
  LayerStack stack;
  const ValueId x = stack.input({1, 1});
  const auto network =
      std::make_shared<const Network>(stack.finish(stack.dense(x, {0x1p-20F, 0, 0x1p-20F, 0x1p-20F}, {0, 0, 0, 0})));
  const LoweredNetwork lowered(network, operator_table(), Deadline());
  const std::shared_ptr<const Contraction> contraction = Contraction::of(lowered);
  ASSERT_NE(contraction, nullptr);
  std::vector<GivenValue> given(network->values().size());
  given[static_cast<std::size_t>(x)] = {{-1.6e308}, {1.6e308}, {0}};
  given[static_cast<std::size_t>(network->output())] = {std::vector(4, -0x1p-20 * 1.7e308),
                                                        std::vector(4, 0x1p-20 * 1.7e308), std::vector(4, 0.0F)};
  const ContractionBase base = contraction->base(given);
  ASSERT_EQ(base.bounds.lower[0], -1.6e308);
  LinearSpec spec;
  spec.rows = spec.inputs = 1;
  spec.outputs = 4;
  spec.output_coefficients = spec.output_coefficient_errors = {0, 0, 0, 0};
  spec.constants = {-1};
  spec.constant_errors = {0};
  const std::int32_t violated = 0;
  for (const bool upper : {false, true}) {
    ValueBounds bounds = base.bounds;
    upper ? contraction->reduce(0, -1e308, bounds) : contraction->raise(0, 1e308, bounds);
    EXPECT_TRUE(contraction->contract(base, spec, std::span(&violated, 1), bounds)) << (upper ? "upper" : "lower");
    for (const std::size_t y : {1, 3, 4}) {
      EXPECT_LE(bounds.lower[y], 0x1p-20 * bounds.lower[0]);
      EXPECT_GE(bounds.upper[y], 0x1p-20 * bounds.upper[0]);
    }
  }
}

}  // namespace
}  // namespace boundflow
