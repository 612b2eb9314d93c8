// Refinement: bounds of hidden neurons, which all subproblems share, tightened by rows of their own.

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/parallel.hpp"
#include "base/rounding.hpp"
#include "engine/split_workspace.hpp"

namespace boundflow {

// Bounds the leaves again, each with its row's sign; false if the deadline has passed.
bool SplitEngine::bound_leaves(std::size_t program, std::span<RowTree::Leaf* const> leaves,
                               std::span<const double> signs, SplitEffort effort, const Deadline& deadline) const {
  effort.minimizers = false;  // of bounds of hidden neurons, nobody looks at them
  std::vector<SplitSubproblem*> pointers;
  for (RowTree::Leaf* leaf : leaves) pointers.push_back(&leaf->subproblem);
  std::vector<SplitAnswer> answers;
  const RowSource source{*engine_->split_programs().programs[program], met_[program], nullptr, signs};
  if (!bound_rows(source, pointers, effort, deadline, answers)) return false;
  for (std::size_t k = 0; k < leaves.size(); ++k) {
    leaves[k]->bound = answers[k].empty ? kInfinity : std::max(leaves[k]->bound, sound_bound(answers[k]));
    leaves[k]->candidates = std::move(answers[k].candidates);
  }
  return true;
}

// Each round splits the worst leaf of every tree whose neuron may still have either sign.
bool SplitEngine::split_rows(std::size_t program, std::span<RowTree> trees, int splits, const SplitEffort& effort,
                             const Deadline& deadline) const {
  std::vector<RowTree::Leaf> halves;
  std::vector<std::size_t> owners;
  std::vector<double> signs;
  std::vector<RowTree::Leaf*> pointers;
  for (int round = 0; round < splits; ++round) {
    halves.clear();
    owners.clear();
    signs.clear();
    pointers.clear();
    for (std::size_t t = 0; t < trees.size(); ++t) {
      const RowTree::Leaf& leaf = trees[t].leaves[trees[t].worst()];
      if (leaf.bound > 0 || leaf.candidates.empty()) continue;
      for (const bool above : {false, true}) {
        halves.push_back(leaf);
        halves.back().subproblem.splits.push_back(side_of(leaf.candidates.front(), above));
        owners.push_back(t);
        signs.push_back(trees[t].sign);
      }
    }
    if (halves.empty()) return true;
    for (RowTree::Leaf& half : halves) pointers.push_back(&half);
    if (!bound_leaves(program, pointers, signs, effort, deadline)) return false;
    for (std::size_t k = 0; k < halves.size(); k += 2) {
      RowTree& tree = trees[owners[k]];
      const std::size_t worst = tree.worst();
      tree.leaves[worst] = std::move(halves[k]);
      tree.leaves.push_back(std::move(halves[k + 1]));
    }
  }
  return true;
}

// What a row of the program passes in one walk, and one for the row itself.
std::int64_t SplitEngine::neurons_met(std::size_t program) const {
  std::int64_t neurons = 1;
  for (std::size_t k = 0; k < layers_.size(); ++k) neurons += met_[program][k] ? layers_[k].columns : 0;
  return neurons;
}

std::int64_t SplitEngine::refine(const Refinement& refinement, const RefinementLimit& limit) {
  constexpr std::int64_t kRowsPerQuery = 64;
  constexpr int kSplitsAtOnce = 8;
  const CompiledPlan::Splits& splits = engine_->split_programs();
  const Deadline& until = limit.until;
  std::int64_t better = 0, visits_left = limit.neuron_visits;
  for (std::size_t p = 1; p < splits.programs.size() && !until.should_stop(); ++p) {
    const std::size_t number = splits.targets[p - 1];
    const crown::NeuronLayer& layer = layers_[number];
    std::vector<RowTree> trees;
    for (std::size_t k = 0; k < ranges_.size(); ++k) {
      if (ranges_[k].layer != static_cast<std::int32_t>(number)) continue;
      for (const double sign : {1.0, -1.0}) {
        RowTree::Leaf root;
        root.subproblem.row = static_cast<std::int32_t>(free_.neurons[k] - layer.offset);
        root.subproblem.splits = assumed_;
        trees.push_back({sign, {std::move(root)}});
      }
    }
    // Visits are counted before the walks, as if no row were done early, so that they do not depend on when rows are.
    const std::int64_t row_visits = neurons_met(p) * std::max(refinement.effort.steps, 1);
    trees.resize(static_cast<std::size_t>(std::min(std::ssize(trees), visits_left / row_visits)));
    if (trees.empty()) continue;
    visits_left -= std::ssize(trees) * row_visits;
    GivenValue& given = given_[static_cast<std::size_t>(layer.value)];
    std::int64_t gained = 0;
    const auto take = [&](const RowTree& tree) {
      const double bound = tree.bound();
      const auto at = static_cast<std::size_t>(tree.leaves[0].subproblem.row);
      double& end = tree.sign > 0 ? given.lower[at] : given.upper[at];
      if (!(std::isfinite(bound) && (tree.sign > 0 ? bound > end : -bound < end))) return;
      end = tree.sign > 0 ? bound : -bound;
      ++gained;
    };
    const std::int64_t count = std::ssize(trees);
    const auto for_each_part = [&](const auto& visit) {
      parallel_for((count + kRowsPerQuery - 1) / kRowsPerQuery, [&](std::int64_t query) {
        const auto first = static_cast<std::size_t>(query * kRowsPerQuery);
        visit(std::span(trees).subspan(
            first, static_cast<std::size_t>(std::min(kRowsPerQuery, count - query * kRowsPerQuery))));
      });
    };
    SplitEffort effort = refinement.effort;
    effort.candidates = refinement.splits > 0;
    for_each_part([&](std::span<RowTree> part) {
      std::vector<RowTree::Leaf*> roots;
      std::vector<double> signs;
      for (RowTree& tree : part) {
        roots.push_back(&tree.leaves[0]);
        signs.push_back(tree.sign);
      }
      bound_leaves(p, roots, signs, effort, until);
    });
    if (limit.progress) limit.progress();
    // Each layer gets its share, so that the last ones do not go without; all rows of a layer likewise. Of the time
    // where visits do not count, since a share of it ends where the clock says.
    const double remaining = until.remaining();
    const bool by_time = limit.neuron_visits == std::numeric_limits<std::int64_t>::max() && std::isfinite(remaining);
    const auto layers_left = static_cast<std::int64_t>(splits.programs.size() - p);
    const Deadline share = by_time ? until.sooner(remaining / static_cast<double>(layers_left)) : until;
    const std::int64_t split_visits = count * 2 * neurons_met(p) * std::max(refinement.split_effort.steps, 1);
    // Each split adds a leaf, which has slopes of its own.
    const auto leaf_bytes = static_cast<std::int64_t>(
        sizeof(RowTree::Leaf) + static_cast<std::size_t>(choices()) + 64 +
        sizeof(NeuronSplit) * (assumed_.size() + static_cast<std::size_t>(refinement.splits)));
    const std::int64_t affordable =
        std::min(visits_left / layers_left / split_visits, limit.memory_bytes / (count * leaf_bytes) - 1);
    const auto most = static_cast<int>(std::clamp<std::int64_t>(affordable, 0, refinement.splits));
    visits_left -= most * split_visits;
    for (int done = 0; done < most && !share.should_stop(); done += kSplitsAtOnce) {
      const int now = std::min(kSplitsAtOnce, most - done);
      for_each_part([&](std::span<RowTree> part) { split_rows(p, part, now, refinement.split_effort, share); });
      if (limit.progress) limit.progress();
    }
    std::for_each(trees.begin(), trees.end(), take);
    better += gained;
    for (std::size_t i = 0; i < given.lower.size(); ++i) {
      if (!(given.lower[i] > given.upper[i])) continue;
      nothing_left_ = !assumed_.empty();
      // As where rows tighten bounds in a query: sound bounds do not cross where anything is left.
      if (!nothing_left_) given.lower[i] = given.upper[i] = std::numeric_limits<double>::quiet_NaN();
    }
    if (nothing_left_) break;
    find_free();
  }
  if (!nothing_left_) begin_contraction();
  // An observed point need not lie on the sides that are assumed.
  if (assumed_.empty()) engine_->check_given(given_, lower_, upper_, semantics_);
  return better;
}

bool SplitEngine::refine(int stage, const RefinementLimit& limit) {
  // Slopes alone, few splits, many.
  constexpr int kSplits[] = {0, 8, 64};
  if (stage >= static_cast<int>(std::size(kSplits))) return false;
  Refinement refinement;
  refinement.effort.steps = 12;
  refinement.splits = kSplits[stage];
  refinement.split_effort.steps = 4;
  refine(refinement, limit);
  return true;
}

}  // namespace boundflow
