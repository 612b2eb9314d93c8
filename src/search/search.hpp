#pragma once
// Branch and bound over input boxes: attack first, then batches of the worst open subproblems are bounded, clipped per
// clause, and split along one input each until the property is decided. The tree depends on the seed and the limits
// only, never on the number of threads.

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "ir/query.hpp"
#include "ir/split_query.hpp"
#include "search/attack.hpp"
#include "search/tree_statistics.hpp"

namespace boundflow {

enum class Verdict { Unsat, Sat, Unknown, Timeout };

std::string_view to_string(Verdict verdict);  // "unsat", ...

struct SearchProgress {
  double elapsed_s = 0;
  std::int64_t open = 0;
  std::int64_t closed = 0;
  double worst_bound = 0;  // over the open subproblems
  int depth = 0;
  double subproblems_per_s = 0;  // bounded, since the search began
  SearchPhase phase = SearchPhase::Boxes;
};

// A point of a region's box that is proved to violate one of the region's clauses.
struct ObservedViolation {
  std::vector<double> point;
  std::int32_t region = 0;
  std::int32_t clause = 0;
};

struct SearchOptions {
  std::uint64_t seed = 0;
  Semantics semantics = Semantics::Float32;
  std::int64_t memory_bytes = std::int64_t{4} << 30;  // of the open subproblems and the queries
  std::int64_t subproblems_per_query = 32;
  std::int64_t queries_per_round = 8;
  std::int64_t answer_bytes = std::int64_t{64} << 20;  // of one query, with the points that are sampled from it
  AttackOptions attack;
  // Regions with more inputs than this whose radius is not zero are split by the signs of neurons.
  std::int64_t most_inputs_to_split = std::numeric_limits<std::int64_t>::max();
  // Those of them with no more inputs than this have half of the time for that; with the rest their inputs are split.
  std::int64_t most_inputs_to_split_late = 0;
  // Others are tried that way, too, where splitting inputs makes no headway: first after so many subproblems.
  std::int64_t first_try_of_signs = std::numeric_limits<std::int64_t>::max();
  std::int64_t splits_per_scope = 100;  // as in ActivationOptions
  double attack_share = 0.1;            // of the time limit, at most, before the first subproblem
  // Only what is counted ends the attack and stages of refinement: without a time-out, equal runs do the same.
  bool deterministic = false;
  // A known violation: dropping it, by closing its clause or by clipping it away, is an internal error.
  std::optional<ObservedViolation> observed;
  std::function<void(const SearchProgress&)> progress;  // called about every 0.1 s
};

struct SearchStatistics {
  double attack_s = 0;
  double bounding_s = 0;
  std::int64_t subproblems = 0;  // bounded
  std::int64_t rows = 0;         // specification rows bounded
  std::int64_t closed = 0;
  std::int64_t splits = 0;
  std::int64_t precise = 0;  // subproblems bounded again in double
  std::int64_t peak_open = 0;
  std::int64_t open = 0;  // at the end
  int depth = 0;
  double worst_bound = 0;  // of the subproblems left open; +infinity if there are none
  TreeStatistics tree;     // of all regions; of the search over signs, all of its beginnings
  BoundHistory history;
};

struct SearchResult {
  Verdict verdict = Verdict::Unknown;
  std::string reason;  // for unknown: why
  std::optional<Witness> witness;
  SearchStatistics statistics;
};

// `precise` bounds again, with smaller analysis errors, what `bounder` leaves open by its error alone.
struct SearchTools {
  const Bounder& bounder;
  const Bounder& precise;
  const Evaluator& evaluator;
  const Replayer& replayer;
  // For splitting the signs of neurons over a box; nullptr where that cannot be done. StoppedError when the deadline
  // passes before it is made.
  using SplitBounderOf = std::function<std::unique_ptr<SplitBounder>(const InputBox& box, const Deadline& deadline)>;
  SplitBounderOf split_bounder = nullptr;
};

SearchResult search(const Property& property, const SearchTools& tools, const SearchOptions& options,
                    const Deadline& deadline);

}  // namespace boundflow
