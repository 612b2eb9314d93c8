#include "search/tree_statistics.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <set>

namespace boundflow {
namespace {

TEST(TreeStatistics, PartsAddUp) {
  TreeStatistics tree, part;
  tree.open(0);
  tree.split_input(0, 3);
  tree.open(1, 2);
  part.split_layer(1, 1);
  part.open(2, 2);
  part.close(2);
  part.spend(SearchPhase::Halves, 0.5);
  tree.spend(SearchPhase::Halves, 1);
  tree.add(part);
  ASSERT_EQ(tree.depths().size(), 3u);
  EXPECT_EQ(tree.depths()[1].opened, 2);
  EXPECT_EQ(tree.depths()[1].splits, 1);
  EXPECT_EQ(tree.depths()[2].opened, 2);
  EXPECT_EQ(tree.depths()[2].closed, 1);
  EXPECT_EQ(tree.input_splits(), (std::vector<std::int64_t>{0, 0, 0, 1}));
  EXPECT_EQ(tree.layer_splits(), (std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ(tree.seconds(SearchPhase::Halves), 1.5);
  EXPECT_EQ(tree.seconds(SearchPhase::Attack), 0);
}

TEST(TreeStatistics, ItsSizeIsBounded) {
  TreeStatistics tree;
  const std::int64_t far = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t depth : {std::int64_t{5000}, far}) {
    tree.open(depth);
    tree.split_input(depth, depth);
    tree.split_layer(depth, depth);
  }
  EXPECT_EQ(tree.depths().size(), TreeStatistics::kMostDepths);
  EXPECT_EQ(tree.depths().back().opened, 2);
  EXPECT_EQ(tree.depths().back().splits, 4);
  EXPECT_EQ(tree.input_splits().size(), TreeStatistics::kMostBranchings);
  EXPECT_EQ(tree.layer_splits().back(), 2);
}

TEST(TreeStatistics, EveryPhaseHasANameOfItsOwn) {
  std::vector<std::string_view> names;
  for (std::size_t k = 0; k < kSearchPhases; ++k) names.push_back(to_string(static_cast<SearchPhase>(k)));
  EXPECT_EQ(std::set(names.begin(), names.end()).size(), kSearchPhases);
}

TEST(BoundHistory, KeepsFewSamplesAtEqualDistances) {
  BoundHistory history;
  EXPECT_TRUE(history.samples().empty());
  for (std::int64_t round = 0; round < 10'000; ++round) {
    history.add({static_cast<double>(round), round, 1, -1});
    history.finish({static_cast<double>(round) + 0.5, round, 1, -1});
    ASSERT_LE(history.samples().size(), BoundHistory::kMostSamples);
  }
  const std::vector<BoundHistory::Sample> samples = history.samples();
  ASSERT_GT(samples.size(), BoundHistory::kMostSamples / 2);
  const std::int64_t distance = samples[1].subproblems;
  for (std::size_t k = 0; k + 1 < samples.size(); ++k) {
    EXPECT_EQ(samples[k].subproblems, static_cast<std::int64_t>(k) * distance);
  }
  EXPECT_EQ(samples.back().elapsed_s, 9999.5);
}

}  // namespace
}  // namespace boundflow
