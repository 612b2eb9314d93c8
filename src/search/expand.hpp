#pragma once
// One step of branch and bound on a chunk of subproblems: bound their open clauses, close or clip them, choose splits.
// Pure: touches nothing shared, so chunks run on any thread.

#include <span>
#include <vector>

#include "search/queue.hpp"
#include "search/specification.hpp"
#include "search/splitting.hpp"

namespace boundflow {

struct Expansion {
  std::int64_t closed_clauses = 0;
  std::vector<std::int32_t> open;  // clauses that remain
  std::vector<float> lambdas;      // their best combinations, as in Subproblem
  std::vector<double> lower;       // the hull of their clipped boxes
  std::vector<double> upper;
  std::vector<double> slopes;  // per input: the largest |gradient| of an open clause at the sampled points
  std::vector<std::vector<double>> candidates;  // sampled points that violate the specification as far as values tell
  double bound = 0;                             // the smallest over open clauses
  bool blocked = false;                         // every open clause would close but for its error terms
  double gap = 0;                               // how much the error exceeds the nominal bound, where blocked
};

struct ChunkResult {
  bool complete = false;  // false: the deadline passed
  std::int64_t rows = 0;
  std::vector<Expansion> expansions;
};

// All subproblems of the chunk belong to `specification`'s region. Points are sampled from `seed` and the subproblems'
// ages, so that the result does not depend on the thread.
ChunkResult expand(const Specification& specification, std::span<const Subproblem> chunk, const Bounder& bounder,
                   const Evaluator& evaluator, Semantics semantics, std::uint64_t seed, const Deadline& deadline);

}  // namespace boundflow
