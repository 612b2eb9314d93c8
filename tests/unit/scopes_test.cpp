#include "search/scopes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace boundflow {
namespace {

// A leaf with splits of these neurons: above where the number is positive, below where it is negative.
ActivationLeaf leaf(const std::vector<int>& signs, double bound) {
  ActivationLeaf result;
  for (const int sign : signs) result.subproblem.splits.push_back(side_of({std::abs(sign), 0}, sign > 0));
  result.bound = bound;
  return result;
}

std::vector<int> signs_of(const std::vector<NeuronSplit>& splits) {
  std::vector<int> result;
  for (const NeuronSplit& split : splits) result.push_back(split.above ? split.neuron : -split.neuron);
  return result;
}

TEST(Scopes, AreCutAtTheNextSplit) {
  std::vector<ActivationLeaf> leaves;
  leaves.push_back(leaf({1, 2, 3}, -3));
  leaves.push_back(leaf({1, -2}, -1));
  leaves.push_back(leaf({1, 2, -3, 4}, -5));
  leaves.push_back(leaf({1}, -2));
  leaves.push_back(leaf({1, -2, 5}, -4));
  const std::vector<Scope> scopes = cut(leaves, 1);
  ASSERT_EQ(leaves.size(), 1u);
  EXPECT_EQ(leaves[0].bound, -2);
  ASSERT_EQ(scopes.size(), 2u);
  EXPECT_THAT(signs_of(scopes[0].splits), testing::ElementsAre(1, 2));
  EXPECT_EQ(scopes[0].leaves.size(), 2u);
  EXPECT_EQ(scopes[0].bound, -5);
  EXPECT_THAT(signs_of(scopes[1].splits), testing::ElementsAre(1, -2));
  EXPECT_EQ(scopes[1].leaves.size(), 2u);
  EXPECT_EQ(scopes[1].bound, -4);
}

TEST(Scopes, HaveAllSplitsThatTheirLeavesShare) {
  std::vector<ActivationLeaf> leaves;
  leaves.push_back(leaf({1, 2, 3, 4}, 0));
  leaves.push_back(leaf({1, 2, 3, -4}, 0));
  leaves.push_back(leaf({-1, 2, 3}, 0));  // alone
  const std::vector<Scope> scopes = cut(leaves, 0);
  EXPECT_TRUE(leaves.empty());
  ASSERT_EQ(scopes.size(), 2u);
  EXPECT_THAT(signs_of(scopes[0].splits), testing::ElementsAre(1, 2, 3));
  EXPECT_THAT(signs_of(scopes[1].splits), testing::ElementsAre(-1, 2, 3));
}

// Smooth activations are split at any point.
TEST(Scopes, TellPointsApart) {
  std::vector<ActivationLeaf> leaves;
  for (const float point : {0.5F, 0.25F, 0.5F}) {
    leaves.emplace_back();
    leaves.back().subproblem.splits = {side_of({7, point}, true)};
  }
  const std::vector<Scope> scopes = cut(leaves, 0);
  ASSERT_EQ(scopes.size(), 2u);
  EXPECT_EQ(scopes[0].leaves.size(), 2u);
  EXPECT_EQ(scopes[1].leaves.size(), 1u);
}

}  // namespace
}  // namespace boundflow
