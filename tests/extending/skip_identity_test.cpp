// A pass in one file outside of src/ runs through the same funnel as the built-in ones.
#include "extending/skip_identity.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "ops/sample_network.hpp"

namespace boundflow {
namespace {

std::int64_t count(const Network& network, const std::string& op) {
  return std::count_if(network.nodes().begin(), network.nodes().end(), [&](const Node& node) { return node.op == op; });
}

TEST(SkipIdentity, KeepsTheFunctionAndTheOutput) {
  Random random(1);
  SampleNetwork sample(random);
  const ValueId x = sample.input({1, 3});
  const ValueId once = sample.node("Identity", {x});
  const ValueId twice = sample.node("Identity", {once});
  const ValueId sum = sample.node("Add", {twice, sample.constant({3})});
  const Network network = sample.finish("Identity", {sample.node("Relu", {sum})});

  const std::array<Pass, 1> passes = {{{"skip-identity", skip_identity}}};
  const Network shorter = run_passes(network, operator_table(), passes);
  EXPECT_EQ(count(network, "Identity"), 3);
  EXPECT_EQ(count(shorter, "Identity"), 1);
  EXPECT_EQ(shorter.value(shorter.output()).name, network.value(network.output()).name);
  const Tensor point({1, 3}, std::vector<float>{-2, 0.5F, 3});
  EXPECT_EQ(evaluate_network(shorter, point).at(static_cast<std::size_t>(shorter.output())).to_doubles(),
            evaluate_network(network, point).at(static_cast<std::size_t>(network.output())).to_doubles());
}

}  // namespace
}  // namespace boundflow
