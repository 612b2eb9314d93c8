// Orders of stored coordinates: the maps of a lowered network, on values as they are stored, compute what the network
// computes.
#include "domains/layouts.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "check/enclosure.hpp"
#include "support/random_image_network.hpp"
#include "support/random_network.hpp"

namespace boundflow {
namespace {

// Every value as it is stored, by the nodes of the lowered network.
std::vector<std::vector<double>> evaluate_lowered(const LoweredNetwork& lowered, const std::vector<double>& input) {
  const Network& network = lowered.network();
  std::vector<std::vector<double>> values(network.values().size());
  const auto stored = [&](ValueId id) -> std::vector<double>& { return values[static_cast<std::size_t>(id)]; };
  stored(network.input()) = input;
  if (const Order& order = lowered.order(network.input())) {
    for (std::size_t p = 0; p < order->size(); ++p) {
      stored(network.input())[p] = input[static_cast<std::size_t>((*order)[p])];
    }
  }
  for (const LoweredNode& node : lowered.nodes()) {
    std::vector<double>& y = stored(node.output);
    y.assign(static_cast<std::size_t>(lowered.columns(node.output)), 0.0);
    if (node.facet == FacetKind::Affine) {
      if (!node.affine->bias.empty()) y = node.affine->bias;
      for (std::size_t t = 0; t < node.operands.size(); ++t) node.affine->maps[t]->apply(stored(node.operands[t]), y);
    } else if (node.facet == FacetKind::Elementwise) {
      for (std::size_t i = 0; i < y.size(); ++i) y[i] = node.function->value(stored(node.operands[0])[i]);
    } else {
      std::vector<double> x;
      for (std::size_t j = 0; j < y.size(); ++j) {
        x.clear();
        const auto& starts = node.joint->starts;
        for (auto t = static_cast<std::size_t>(starts[j]); t < static_cast<std::size_t>(starts[j + 1]); ++t) {
          const Joint::Term& term = node.joint->terms[t];
          const bool constant = term.operand < 0;
          x.push_back(
              constant
                  ? term.constant
                  : stored(
                        node.operands[static_cast<std::size_t>(term.operand)])[static_cast<std::size_t>(term.index)]);
        }
        y[j] = node.joint->function->value(x);
      }
    }
  }
  return values;
}

TEST(Layouts, LoweredNetworksComputeTheNetwork) {
  int reordered = 0, channels_last = 0, dense_pairs = 0;
  for (std::uint64_t seed = 0; seed < 600 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const auto network = std::make_shared<const Network>(random_image_network(random, {.max_elements = 100}));
    const LoweredNetwork lowered(network, operator_table());
    std::vector<double> point;
    for (std::int64_t i = network->size_of(network->input()); i > 0; --i) {
      point.push_back(static_cast<double>(static_cast<float>(random.uniform(-1, 1))));
    }
    const std::vector<Enclosure> expected = enclose(*network, operator_table(), point, point);
    const std::vector<std::vector<double>> values = evaluate_lowered(lowered, point);
    for (const LoweredNode& node : lowered.nodes()) {
      const auto v = static_cast<std::size_t>(node.output);
      const Order& order = lowered.order(node.output);
      if (order) ++reordered;
      double largest = 1;
      for (const double y : expected[v].upper) largest = std::max(largest, std::fabs(y));
      for (std::size_t p = 0; p < values[v].size(); ++p) {
        const std::size_t i = order ? static_cast<std::size_t>((*order)[p]) : p;
        EXPECT_GE(values[v][p], expected[v].lower[i] - 1e-9 * largest) << node.node->name << "[" << i << "]";
        EXPECT_LE(values[v][p], expected[v].upper[i] + 1e-9 * largest) << node.node->name << "[" << i << "]";
      }
      if (node.facet != FacetKind::Affine) continue;
      for (const auto& map : node.affine->maps) {
        const ConvMap* conv = map->conv();
        if (conv != nullptr && conv->in_channels_last && conv->out_channels_last) ++channels_last;
        if (conv != nullptr && (!conv->in_channels_last || !conv->out_channels_last)) ++dense_pairs;
      }
    }
  }
  // Most images are stored channels last; values that are two images are not.
  EXPECT_GT(reordered, 500);
  EXPECT_GT(channels_last, 5 * dense_pairs);
  EXPECT_GT(dense_pairs, 10);
}

}  // namespace
}  // namespace boundflow
