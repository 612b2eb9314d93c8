#include "search/scopes.hpp"

#include <algorithm>
#include <utility>

namespace boundflow {

namespace {

bool equal(const NeuronSplit& a, const NeuronSplit& b) {
  return a.neuron == b.neuron && a.above == b.above && a.point == b.point;
}

// By the splits that all of its leaves share.
void extend(Scope& scope) {
  for (;;) {
    const std::size_t next = scope.splits.size();
    const std::vector<NeuronSplit>& first = scope.leaves.front().subproblem.splits;
    const bool shared = std::all_of(scope.leaves.begin(), scope.leaves.end(), [&](const ActivationLeaf& leaf) {
      const std::vector<NeuronSplit>& splits = leaf.subproblem.splits;
      return splits.size() > next && first.size() > next && equal(splits[next], first[next]);
    });
    if (!shared) return;
    scope.splits.push_back(first[next]);
  }
}

}  // namespace

std::vector<Scope> cut(std::vector<ActivationLeaf>& leaves, std::size_t common) {
  std::vector<Scope> scopes;
  std::vector<ActivationLeaf> whole;
  for (ActivationLeaf& leaf : leaves) {
    const std::vector<NeuronSplit>& splits = leaf.subproblem.splits;
    if (splits.size() <= common) {
      whole.push_back(std::move(leaf));
      continue;
    }
    auto scope = std::find_if(scopes.begin(), scopes.end(),
                              [&](const Scope& other) { return equal(other.splits.back(), splits[common]); });
    if (scope == scopes.end()) {
      scope = scopes.emplace(scopes.end());
      scope->splits.assign(splits.begin(), splits.begin() + static_cast<std::ptrdiff_t>(common) + 1);
    }
    scope->bound = std::min(scope->bound, leaf.bound);
    scope->leaves.push_back(std::move(leaf));
  }
  leaves = std::move(whole);
  for (Scope& scope : scopes) extend(scope);
  return scopes;
}

}  // namespace boundflow
