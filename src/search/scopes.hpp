#pragma once
// The tree of a search over signs, cut at its top: a scope is what shares the first splits, for which bounds of hidden
// neurons are refined again (search/activation_search).

#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "ir/split_query.hpp"

namespace boundflow {

// An open subproblem of such a search.
struct ActivationLeaf {
  SplitSubproblem subproblem;
  std::vector<SplitPoint> candidates;
  std::vector<float> lambda;  // of a clause with several rows: the convex combination that is bounded
  std::int32_t clause = 0;
  std::int32_t depth = 0;
  double bound = -std::numeric_limits<double>::infinity();
  std::uint64_t age = 0;

  // Boxes that halves share count with each of them.
  std::int64_t bytes() const {
    const std::size_t box = subproblem.box ? 2 * subproblem.box->lower.size() * sizeof(double) + 128 : 0;
    return static_cast<std::int64_t>(box + sizeof(ActivationLeaf) + subproblem.splits.capacity() * sizeof(NeuronSplit) +
                                     candidates.capacity() * sizeof(SplitPoint) + lambda.capacity() * sizeof(float) +
                                     (subproblem.slopes ? subproblem.slopes->size() + 64 : 0) + 96);
  }
};

struct Scope {
  std::vector<NeuronSplit> splits;  // that all of its leaves have, in this order; more of theirs follow
  std::vector<ActivationLeaf> leaves;
  std::unique_ptr<SplitBounder> bounder;                   // nullptr: the region's
  std::int64_t bytes = 0;                                  // that it holds
  double bound = std::numeric_limits<double>::infinity();  // the worst of its leaves'
  // What its refinement may take, and as a share of the most that one may.
  double refine_s = 0;
  double refine_share = 1;
};

// Cuts leaves that share their first `common` splits by what follows: each scope has the next one, and all further ones
// that its leaves share. Leaves without a next one stay in `leaves`.
std::vector<Scope> cut(std::vector<ActivationLeaf>& leaves, std::size_t common);

}  // namespace boundflow
