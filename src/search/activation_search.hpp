#pragma once
// Branch and bound over the signs of neurons, for one region's clauses: the worst open subproblems are taken in rounds,
// each is split at the neuron whose two halves have the best bounds in a real look-ahead, and the halves are bounded
// with optimised slopes and multipliers. Bounds of hidden values are the region's, refined before; where that does not
// lead to an end, the tree is cut at its top into scopes, in which they are refined again. This pays where inputs are
// too many to split. The tree does not depend on the number of threads.

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "ir/split_query.hpp"
#include "search/attack.hpp"
#include "search/tree_statistics.hpp"

namespace boundflow {

struct ActivationOptions {
  std::uint64_t seed = 0;
  // Of open subproblems, of queries, and of refinement: where it is little, rounds have fewer and smaller queries.
  std::int64_t memory_bytes = std::int64_t{1} << 30;
  std::int64_t subproblems_per_query = 32;
  std::int64_t queries_per_round = 4;
  int root_steps = 30;
  int steps = 8;           // per half
  int look_ahead = 5;      // neurons tried before one is split
  int lambda_rounds = 16;  // at the root of a clause with several rows, for their weights
  int lambda_steps = 6;    // in each
  int last_steps = 200;    // of a subproblem without neurons to split
  // Of the time that is left when a stage of refinement begins, at most.
  double refine_share = 0.2;
  // Or in neurons that rows pass, as in RefinementLimit, where the clock must not decide.
  bool deterministic = false;
  std::int64_t refine_visits = 200'000'000;
  // Splits after each stage but the last, before the next one begins.
  std::int64_t splits_between = 256;
  // Splits of a scope, before it is cut into smaller ones; more where that does not pay.
  std::int64_t splits_per_scope = 100;
  std::int64_t most_walks = std::numeric_limits<std::int64_t>::max();  // then it stops
  // Of every clause's rows over the box, for what is said of them before they are bounded here.
  double known_bound = -std::numeric_limits<double>::infinity();
  // A known violation: the subproblem that holds it must stay open.
  std::vector<double> observed;  // empty: none
  std::int32_t observed_clause = -1;
};

struct ActivationStatistics {
  std::int64_t subproblems = 0;  // bounded with optimisation
  std::int64_t walks = 0;        // rows bounded, look-ahead included
  std::int64_t closed = 0;
  std::int64_t splits = 0;
  std::int64_t open = 0;
  std::int64_t peak_open = 0;
  std::int64_t stuck = 0;  // without neurons to split, and open
  int depth = 0;
  SearchPhase phase = SearchPhase::Refinement;  // that is under way
  TreeStatistics tree;
  double worst_bound = 0;  // of the open ones; +infinity if there are none
};

enum class ActivationEnd {
  Closed,    // every clause is refuted
  Violated,  // `accept` took a point
  Stopped,   // the deadline passed, or the walks are done
  Memory,
  Stuck,  // nothing is left but subproblems without neurons to split
};

struct ActivationTools {
  SplitBounder& bounder;
  const Evaluator& evaluator;
  // Called for points that violate a clause as far as floating point tells; true ends the search.
  std::function<bool(std::span<const double> point)> accept;
  // After each round, and from time to time while bounds are refined.
  std::function<void(const ActivationStatistics&)> progress = nullptr;
};

// Clauses with choices are not for this search: `can_split_activations` is false for them.
ActivationEnd search_activations(const Specification& specification, std::span<const std::int32_t> clauses,
                                 const ActivationTools& tools, const ActivationOptions& options,
                                 const Deadline& deadline, ActivationStatistics& statistics);

bool can_split_activations(const RowClause& clause);

}  // namespace boundflow
