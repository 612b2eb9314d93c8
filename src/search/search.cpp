#include "search/search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>

#include "base/error.hpp"
#include "base/parallel.hpp"
#include "search/activation_search.hpp"
#include "search/expand.hpp"

namespace boundflow {

namespace {

// A subproblem that only its error keeps open is set aside when this many splits in a row have not reduced the gap by
// at least this factor: more of them would not help either.
constexpr double kGapProgress = 0.8;
constexpr int kStalledSplits = 5;
constexpr int kDepthOfNonFiniteBounds = 10;
// Replays are slow; the next round brings more points.
constexpr int kReplaysPerChunk = 4;
// Where the clock must not end the attack before the first subproblem: of regions, each of them at most twice.
constexpr std::int64_t kAttacks = 100;

class Search {
 public:
  Search(const Property& property, const SearchTools& tools, const SearchOptions& options, const Deadline& deadline)
      : property_(property), tools_(tools), options_(options), deadline_(deadline), random_(options.seed) {}

  SearchResult run() {
    try {
      return decide();
    } catch (const std::bad_alloc&) {
      // Whatever was on its way is gone, but nothing that was decided; a round changes nothing before it is bounded.
      return finish(Verdict::Unknown, "memory");
    }
  }

 private:
  SearchResult decide() {
    start_ = deadline_.elapsed();
    for (const Region& region : property_.regions) {
      if (deadline_.should_stop()) return stopped();
      specifications_.push_back(make_specification(region, property_.input_count, property_.output_count));
    }
    if (options_.memory_bytes <= 0) return finish(Verdict::Unknown, "memory");
    limit_queries();
    if (attack_regions()) return finish(Verdict::Sat, "");
    for (std::size_t r = 0; r < specifications_.size(); ++r) push_root(static_cast<std::int32_t>(r));
    rooted_ = true;
    while (!queue_.empty() || !waiting_.empty()) {
      if (deadline_.should_stop()) return stopped();
      if (queue_.bytes() + aside_bytes_ > options_.memory_bytes) return finish(Verdict::Unknown, "memory");
      if (queue_.empty()) {
        if (std::optional<SearchResult> end = split_activations()) return *std::move(end);
        continue;
      }
      report_progress(SearchPhase::Boxes);
      add_sample();
      if (round()) return finish(Verdict::Sat, "");
    }
    if (!aside_.empty()) return decide_aside();
    return finish(Verdict::Unsat, "");
  }

  // Next to the storage of a query, for which the caller has planned, its answer must fit as well.
  void limit_queries() {
    std::int64_t rows = 1;
    for (const Specification& specification : specifications_) rows = std::max(rows, specification.spec.rows);
    constexpr std::int64_t kPointsPerSubproblem = 16;
    const std::int64_t bytes =
        8 * ((rows + kPointsPerSubproblem) * std::max<std::int64_t>(property_.input_count, 1) + 4 * rows);
    subproblems_per_query_ = std::clamp<std::int64_t>(options_.answer_bytes / bytes, 1, options_.subproblems_per_query);
  }

  // A chunk of one round: subproblems of one region, bounded by one query.
  struct Chunk {
    std::vector<Subproblem> subproblems;
    ChunkResult result;
  };

  void push_root(std::int32_t region) {
    const Specification& specification = specifications_[static_cast<std::size_t>(region)];
    Subproblem root;
    root.region = region;
    root.lower = specification.box.lower;
    root.upper = specification.box.upper;
    root.bound = -std::numeric_limits<double>::infinity();
    for (std::size_t c = 0; c < specification.clauses.size(); ++c) root.clauses.push_back(static_cast<std::int32_t>(c));
    if (root.clauses.empty()) return;
    statistics_.tree.open(0);
    queue_.push(std::move(root));
  }

  SearchResult stopped() {
    if (deadline_.interrupted()) return finish(Verdict::Unknown, "interrupted");
    return finish(Verdict::Timeout, "time limit reached");
  }

  SearchResult finish(Verdict verdict, std::string reason) {
    if (!witness_ && fallback_) {
      if (verdict == Verdict::Unsat) throw InternalError("a proved counterexample contradicts the bounds");
      witness_ = std::move(fallback_);
      verdict = Verdict::Sat;
      reason.clear();
    }
    const OpenSubproblems open = open_subproblems();
    statistics_.open = open.count;
    statistics_.worst_bound = open.worst_bound;
    keep_signs_tree();
    statistics_.history.finish(sample_of(open));
    return {verdict, std::move(reason), std::move(witness_), statistics_};
  }

  struct OpenSubproblems {
    std::int64_t count = 0;
    double worst_bound = std::numeric_limits<double>::infinity();

    void add(std::int64_t more, double bound) {
      if (more == 0) return;
      count += more;
      // NaN is no bound.
      worst_bound = std::isnan(bound) ? -std::numeric_limits<double>::infinity() : std::min(worst_bound, bound);
    }
  };

  // All that is neither closed nor split, wherever it waits.
  OpenSubproblems open_subproblems() const {
    OpenSubproblems open;
    if (!rooted_) open.add(std::ssize(property_.regions), -std::numeric_limits<double>::infinity());
    if (!queue_.empty()) open.add(queue_.size(), queue_.worst_bound());
    // Of a round that did not end, out of memory say: its subproblems are as open as they were.
    open.add(in_round_, round_bound_);
    for (const Subproblem& region : waiting_) open.add(1, region.bound);
    for (const Subproblem& subproblem : aside_) open.add(1, subproblem.bound);
    return open;
  }

  // True if the point is a proved violation that an execution shows as well. One that only the real-valued network has
  // is kept for the end of the search.
  bool accept(std::int32_t region, std::span<const double> point) {
    const PhaseTime time(statistics_.tree, SearchPhase::Replay);
    Witness witness;
    const ReplayResult replay =
        tools_.replayer.replay(property_.regions[static_cast<std::size_t>(region)], point, witness, deadline_);
    if (replay == ReplayResult::Violated) {
      witness_ = std::move(witness);
      return true;
    }
    if (replay == ReplayResult::ViolatedInRealsOnly && !fallback_) fallback_ = std::move(witness);
    return false;
  }

  bool attack_regions() {
    const double limit = std::isfinite(deadline_.remaining()) ? options_.attack_share * deadline_.remaining() : 10.0;
    const Deadline deadline = options_.deterministic ? deadline_ : deadline_.sooner(std::min(limit, 10.0));
    std::int64_t left = options_.deterministic ? kAttacks : std::numeric_limits<std::int64_t>::max();
    const double start = deadline_.elapsed();
    const PhaseTime time(statistics_.tree, SearchPhase::Attack);
    // Two rounds over all regions; the second starts from other points.
    bool found = false;
    for (int pass = 0; pass < 2 && !found; ++pass) {
      for (std::size_t r = 0; r < specifications_.size() && !found; ++r) {
        if (deadline.should_stop() || --left < 0) break;
        const auto region = static_cast<std::int32_t>(r);
        found = attack(specifications_[r], {}, tools_.evaluator, options_.attack, random_, deadline,
                       [&](std::span<const double> point) { return accept(region, point); });
      }
    }
    statistics_.attack_s += deadline_.elapsed() - start;
    return found;
  }

  std::vector<Chunk> next_chunks() {
    std::vector<Subproblem> taken;
    const std::int64_t limit = subproblems_per_query_ * options_.queries_per_round;
    while (!queue_.empty() && static_cast<std::int64_t>(taken.size()) < limit) taken.push_back(queue_.pop());
    // Few subproblems still occupy all queries; many fill them.
    const std::int64_t per_chunk = std::clamp<std::int64_t>(
        (static_cast<std::int64_t>(taken.size()) + options_.queries_per_round - 1) / options_.queries_per_round, 1,
        subproblems_per_query_);
    std::stable_sort(taken.begin(), taken.end(),
                     [](const Subproblem& a, const Subproblem& b) { return a.region < b.region; });
    std::vector<Chunk> chunks;
    for (Subproblem& subproblem : taken) {
      if (chunks.empty() || static_cast<std::int64_t>(chunks.back().subproblems.size()) >= per_chunk ||
          chunks.back().subproblems.back().region != subproblem.region) {
        chunks.emplace_back();
      }
      chunks.back().subproblems.push_back(std::move(subproblem));
    }
    return chunks;
  }

  const Specification& specification_of(const Chunk& chunk) const {
    return specifications_[static_cast<std::size_t>(chunk.subproblems.front().region)];
  }

  void bound(std::vector<Chunk>& chunks, const Bounder& bounder, Semantics semantics) {
    const double start = deadline_.elapsed();
    const PhaseTime time(statistics_.tree, SearchPhase::Boxes);
    parallel_for(static_cast<std::int64_t>(chunks.size()), [&](std::int64_t i) {
      Chunk& chunk = chunks[static_cast<std::size_t>(i)];
      chunk.result = expand(specification_of(chunk), chunk.subproblems, bounder, tools_.evaluator, semantics,
                            options_.seed, deadline_);
    });
    statistics_.bounding_s += deadline_.elapsed() - start;
  }

  // Bounds one round of subproblems; true if it found a witness.
  bool round() {
    round_bound_ = queue_.worst_bound();
    in_round_ = std::min(queue_.size(), subproblems_per_query_ * options_.queries_per_round);
    const bool found = expand_round();
    in_round_ = 0;
    return found;
  }

  bool expand_round() {
    std::vector<Chunk> chunks = next_chunks();
    bound(chunks, tools_.bounder, options_.semantics);
    for (const Chunk& chunk : chunks) {
      if (!chunk.result.complete) {
        put_back(chunks);
        return false;
      }
    }
    std::vector<Chunk> blocked;
    for (Chunk& chunk : chunks) {
      count(chunk);
      if (try_candidates(chunk)) return true;
      take_over(chunk, &blocked);
    }
    if (blocked.empty()) return false;
    bound(blocked, tools_.precise, options_.semantics);
    for (const Chunk& chunk : blocked) {
      if (!chunk.result.complete) {
        put_back(blocked);
        return false;
      }
    }
    for (Chunk& chunk : blocked) {
      statistics_.precise += static_cast<std::int64_t>(chunk.subproblems.size());
      take_over(chunk, nullptr);
    }
    return false;
  }

  void put_back(std::vector<Chunk>& chunks) {
    for (Chunk& chunk : chunks) {
      for (Subproblem& subproblem : chunk.subproblems) queue_.push(std::move(subproblem));
    }
  }

  void count(const Chunk& chunk) {
    statistics_.subproblems += static_cast<std::int64_t>(chunk.subproblems.size());
    statistics_.rows += chunk.result.rows;
    for (const Subproblem& subproblem : chunk.subproblems) {
      statistics_.depth = std::max(statistics_.depth, static_cast<int>(subproblem.depth));
    }
  }

  // Replays the points that bounding and sampling suggest.
  bool try_candidates(const Chunk& chunk) {
    int replays = 0;
    for (const Expansion& expansion : chunk.result.expansions) {
      for (const std::vector<double>& point : expansion.candidates) {
        if (++replays > kReplaysPerChunk || deadline_.should_stop()) return false;
        if (accept(chunk.subproblems.front().region, point)) return true;
      }
    }
    return false;
  }

  // Turns expansions into children. Subproblems that only their error keeps open go to `blocked` for another try.
  void take_over(Chunk& chunk, std::vector<Chunk>* blocked) {
    for (std::size_t b = 0; b < chunk.subproblems.size(); ++b) {
      Subproblem& subproblem = chunk.subproblems[b];
      Expansion& expansion = chunk.result.expansions[b];
      check_observed(subproblem, expansion);
      if (expansion.open.empty()) {
        ++statistics_.closed;
        statistics_.tree.close(subproblem.depth);
        continue;
      }
      if (expansion.blocked && blocked != nullptr) {
        const bool fits = !blocked->empty() &&
                          static_cast<std::int64_t>(blocked->back().subproblems.size()) < subproblems_per_query_ &&
                          blocked->back().subproblems.front().region == subproblem.region;
        if (!fits) blocked->emplace_back();
        subproblem.clauses = expansion.open;
        subproblem.lambdas = expansion.lambdas;
        blocked->back().subproblems.push_back(std::move(subproblem));
        continue;
      }
      if (wait_for_activations(subproblem, expansion)) continue;
      const bool first = subproblem.blocked_gap == 0 || expansion.gap < kGapProgress * subproblem.blocked_gap;
      subproblem.stalled = !expansion.blocked || first ? 0 : subproblem.stalled + 1;
      if (!expansion.blocked || first) subproblem.blocked_gap = expansion.blocked ? expansion.gap : 0;
      const bool hopeless = subproblem.stalled >= kStalledSplits;
      // Bounds may become finite in smaller boxes, but do not where an execution overflows.
      const bool endless = !std::isfinite(expansion.bound) && subproblem.depth >= kDepthOfNonFiniteBounds;
      not_finite_ = not_finite_ || endless;
      const std::optional<Split> split =
          hopeless || endless ? std::nullopt : choose_split(expansion.slopes, expansion.lower, expansion.upper);
      if (!split) {
        set_aside(std::move(subproblem), expansion);
        continue;
      }
      branch(subproblem, expansion, *split);
    }
    statistics_.peak_open = std::max(statistics_.peak_open, queue_.size() + std::ssize(waiting_) + std::ssize(aside_));
  }

  // Whether the region is one for splitting the signs of neurons; then it waits for that.
  bool wait_for_activations(const Subproblem& subproblem, Expansion& expansion) {
    if (!tools_.split_bounder || subproblem.depth > 0 || subproblem.inputs_only || !std::isfinite(expansion.bound)) {
      return false;
    }
    const Specification& specification = specifications_[static_cast<std::size_t>(subproblem.region)];
    std::int64_t free = 0;
    for (std::size_t i = 0; i < subproblem.lower.size(); ++i) {
      if (subproblem.lower[i] < subproblem.upper[i]) ++free;
    }
    if (free <= options_.most_inputs_to_split) return false;
    for (const std::int32_t clause : expansion.open) {
      if (!can_split_activations(specification.clauses[static_cast<std::size_t>(clause)])) return false;
    }
    Subproblem& open = waiting_.emplace_back();
    open.region = subproblem.region;
    open.lower = expansion.lower;
    open.upper = expansion.upper;
    open.clauses = expansion.open;
    open.lambdas = expansion.lambdas;
    open.bound = expansion.bound;
    open.inputs_only = true;
    return true;
  }

  // The next region that waits. Nothing: the search goes on. Where it ends with subproblems that have no neuron left to
  // split, the box is split after all.
  std::optional<SearchResult> split_activations() {
    Subproblem region = std::move(waiting_.back());
    waiting_.pop_back();
    // It stays open until its own search says more.
    in_round_ = 1;
    round_bound_ = region.bound;
    const double start = deadline_.elapsed();
    const ActivationEnd end = split_activations(region);
    statistics_.bounding_s += deadline_.elapsed() - start;
    switch (end) {
      case ActivationEnd::Closed:
        return std::nullopt;
      case ActivationEnd::Violated:
        return finish(Verdict::Sat, "");
      case ActivationEnd::Stopped:
        return stopped();
      case ActivationEnd::Memory:
        return finish(Verdict::Unknown, "memory");
      case ActivationEnd::Stuck:
        in_round_ = 0;
        queue_.push(std::move(region));
        return std::nullopt;
    }
    throw InternalError("end of a search out of range");
  }

  ActivationEnd split_activations(const Subproblem& region) {
    std::unique_ptr<SplitBounder> bounder;
    try {
      bounder = tools_.split_bounder({region.lower, region.upper}, deadline_);
    } catch (const StoppedError&) {
      return ActivationEnd::Stopped;
    }
    ActivationOptions options;
    options.seed = options_.seed;
    options.memory_bytes = options_.memory_bytes;
    options.known_bound = region.bound;
    options.deterministic = options_.deterministic;
    if (options_.observed && options_.observed->region == region.region) {
      options.observed = options_.observed->point;
      options.observed_clause = options_.observed->clause;
    }
    const SearchStatistics before = statistics_;
    const ActivationTools tools{*bounder, tools_.evaluator,
                                [&](std::span<const double> point) { return accept(region.region, point); },
                                [&](const ActivationStatistics& now) {
                                  statistics_.subproblems = before.subproblems + now.subproblems;
                                  statistics_.rows = before.rows + now.walks;
                                  statistics_.closed = before.closed + now.closed;
                                  statistics_.splits = before.splits + now.splits;
                                  statistics_.depth = std::max(before.depth, now.depth);
                                  in_round_ = now.open;
                                  round_bound_ = now.worst_bound;
                                  statistics_.peak_open = std::max(statistics_.peak_open, open_subproblems().count);
                                  report_progress(now.phase);
                                  if (now.phase != SearchPhase::Refinement) add_sample();
                                }};
    const ActivationEnd end = search_activations(specifications_[static_cast<std::size_t>(region.region)],
                                                 region.clauses, tools, options, deadline_, signs_);
    keep_signs_tree();
    if (end == ActivationEnd::Closed) in_round_ = 0;
    return end;
  }

  void branch(const Subproblem& parent, Expansion& expansion, const Split& split) {
    ++statistics_.splits;
    statistics_.tree.split_input(parent.depth, static_cast<std::int64_t>(split.input));
    statistics_.tree.open(parent.depth + 1, 2);
    Subproblem child;
    child.region = parent.region;
    child.depth = parent.depth + 1;
    child.clauses = std::move(expansion.open);
    child.lambdas = std::move(expansion.lambdas);
    child.bound = expansion.bound;
    child.blocked_gap = parent.blocked_gap;
    child.stalled = parent.stalled;
    child.lower = std::move(expansion.lower);
    child.upper = std::move(expansion.upper);
    Subproblem other = child;
    child.upper[split.input] = split.at;
    other.lower[split.input] = split.at;
    queue_.push(std::move(child));
    queue_.push(std::move(other));
  }

  void set_aside(Subproblem subproblem, const Expansion& expansion) {
    subproblem.clauses = expansion.open;
    subproblem.bound = expansion.bound;
    if (expansion.blocked)
      gap_ = std::max(gap_, expansion.gap);
    else
      all_blocked_ = false;
    aside_bytes_ += subproblem.bytes();
    aside_.push_back(std::move(subproblem));
  }

  // Nothing is open but what cannot be split any further: say how much of it real arithmetic decides.
  SearchResult decide_aside() {
    const auto left = static_cast<std::int64_t>(aside_.size());
    if (options_.semantics == Semantics::Float32 && all_blocked_) {
      if (proved_for_reals()) {
        return finish(Verdict::Unknown, fmt::format("proved for real arithmetic, float32 gap {:.3g}", gap_));
      }
      if (deadline_.should_stop()) return stopped();
    }
    if (not_finite_) return finish(Verdict::Unknown, "bounds are not finite: an execution of the network may overflow");
    return finish(Verdict::Unknown,
                  fmt::format("precision: {} subproblems could be neither closed nor split further", left));
  }

  bool proved_for_reals() {
    for (Subproblem& subproblem : aside_) {
      std::vector<Chunk> chunk(1);
      chunk[0].subproblems.push_back(std::move(subproblem));
      bound(chunk, tools_.precise, Semantics::Real);
      if (!chunk[0].result.complete || !chunk[0].result.expansions[0].open.empty()) return false;
    }
    return true;
  }

  // A subproblem that holds the observed violation must keep its clause open and its point inside.
  void check_observed(const Subproblem& subproblem, const Expansion& expansion) const {
    if (!options_.observed || options_.observed->region != subproblem.region) return;
    const std::vector<double>& point = options_.observed->point;
    const std::int32_t clause = options_.observed->clause;
    const auto inside = [&](const std::vector<double>& lower, const std::vector<double>& upper) {
      for (std::size_t i = 0; i < point.size(); ++i) {
        if (!(lower[i] <= point[i] && point[i] <= upper[i])) return false;
      }
      return true;
    };
    const auto has = [&](const std::vector<std::int32_t>& clauses) {
      return std::find(clauses.begin(), clauses.end(), clause) != clauses.end();
    };
    if (!inside(subproblem.lower, subproblem.upper) || !has(subproblem.clauses)) return;
    if (!has(expansion.open) || !inside(expansion.lower, expansion.upper)) {
      throw InternalError("observer: a subproblem dropped the observed violation");
    }
  }

  BoundHistory::Sample sample_of(const OpenSubproblems& open) const {
    return {deadline_.elapsed(), statistics_.subproblems, open.count, open.worst_bound};
  }
  void add_sample() { statistics_.history.add(sample_of(open_subproblems())); }

  // The tree of a search over signs, which may have ended in the middle.
  void keep_signs_tree() {
    statistics_.tree.add(signs_.tree);
    signs_ = {};
  }

  void report_progress(SearchPhase phase) {
    if (!options_.progress) return;
    const double now = deadline_.elapsed();
    if (now - last_progress_ < 0.1) return;
    last_progress_ = now;
    const OpenSubproblems open = open_subproblems();
    options_.progress({now, open.count, statistics_.closed, open.worst_bound, statistics_.depth,
                       static_cast<double>(statistics_.subproblems) / std::max(now - start_, 1e-3), phase});
  }

  const Property& property_;
  const SearchTools& tools_;
  const SearchOptions& options_;
  const Deadline& deadline_;
  Random random_;
  std::vector<Specification> specifications_;
  SubproblemQueue queue_;
  std::vector<Subproblem> aside_;
  std::vector<Subproblem> waiting_;  // regions whose neurons are to be split
  std::int64_t aside_bytes_ = 0;
  std::int64_t subproblems_per_query_ = 1;
  bool rooted_ = false;        // the regions are in the queue
  std::int64_t in_round_ = 0;  // subproblems that the round under way has taken, or the search over a region's signs
  double round_bound_ = 0;     // the worst of their bounds
  bool all_blocked_ = true;
  bool not_finite_ = false;
  double gap_ = 0;
  std::optional<Witness> witness_;
  std::optional<Witness> fallback_;
  SearchStatistics statistics_;
  ActivationStatistics signs_;  // of the region whose signs are split
  double start_ = 0;            // when the search began
  double last_progress_ = 0;
};

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::Unsat:
      return "unsat";
    case Verdict::Sat:
      return "sat";
    case Verdict::Unknown:
      return "unknown";
    case Verdict::Timeout:
      return "timeout";
  }
  throw InternalError("verdict out of range");
}

SearchResult search(const Property& property, const SearchTools& tools, const SearchOptions& options,
                    const Deadline& deadline) {
  return Search(property, tools, options, deadline).run();
}

}  // namespace boundflow
