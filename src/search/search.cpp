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
// A region whose boxes make no headway, because more than this share of it is open, is tried by splitting signs; again
// after so many times as many subproblems. A try takes as long as the boxes have so far, or so many walks for each of
// their subproblems.
constexpr double kNoHeadway = 15.0 / 16, kShortestTry_s = 0.1;
constexpr std::int64_t kTryGrowth = 4, kWalksPerSubproblem = 4;
// Where signs come first and the clock must not say when it is the inputs' turn.
constexpr std::int64_t kWalksBeforeInputs = 1'000'000;

class Search {
 public:
  Search(const Property& property, const SearchTools& tools, const SearchOptions& options, const Deadline& deadline)
      : property_(property),
        tools_(tools),
        options_(options),
        deadline_(deadline),
        random_(options.seed),
        next_try_(options.first_try_of_signs) {}

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
    while (!queue_.empty() || !waiting_.empty() || !late_.empty()) {
      if (deadline_.should_stop()) return stopped();
      if (queue_.bytes() + aside_bytes_ > options_.memory_bytes) return finish(Verdict::Unknown, "memory");
      if (queue_.empty() && waiting_.empty()) {
        for (const Subproblem& region : late_) queue_.push(region);
        late_.clear();
      }
      if (queue_.empty()) {
        if (std::optional<SearchResult> end = split_activations()) return *std::move(end);
        continue;
      }
      report_progress(SearchPhase::Boxes);
      add_sample();
      if (round()) return finish(Verdict::Sat, "");
      if (boxes_ >= next_try_ && try_signs()) return finish(Verdict::Sat, "");
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
    queue_.push(root);
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
      worst_bound = worse(worst_bound, bound);
    }
  };

  // NaN is no bound.
  static double worse(double a, double b) {
    return std::isnan(a) || std::isnan(b) ? -std::numeric_limits<double>::infinity() : std::min(a, b);
  }

  // All that is neither closed nor split, wherever it waits.
  OpenSubproblems open_subproblems() const {
    OpenSubproblems open;
    if (!rooted_) open.add(std::ssize(property_.regions), -std::numeric_limits<double>::infinity());
    if (!queue_.empty()) open.add(queue_.size(), queue_.worst_bound());
    // Of a round that did not end, out of memory say: its subproblems are as open as they were.
    open.add(in_round_, round_bound_);
    for (const Subproblem& region : waiting_) open.add(1, region.bound);
    for (const Subproblem& region : late_) open.add(1, region.bound);
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

  void put_back(const std::vector<Chunk>& chunks) {
    for (const Chunk& chunk : chunks) {
      for (const Subproblem& subproblem : chunk.subproblems) queue_.push(subproblem);
    }
  }

  void count(const Chunk& chunk) {
    boxes_ += static_cast<std::int64_t>(chunk.subproblems.size());
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
    const std::int64_t regions = std::ssize(waiting_) + std::ssize(late_);
    statistics_.peak_open = std::max(statistics_.peak_open, queue_.size() + regions + std::ssize(aside_));
  }

  static std::int64_t free_inputs(const std::vector<double>& lower, const std::vector<double>& upper) {
    std::int64_t free = 0;
    for (std::size_t i = 0; i < lower.size(); ++i) {
      if (lower[i] < upper[i]) ++free;
    }
    return free;
  }

  // Whether the region is one for splitting the signs of neurons; then it waits for that.
  bool wait_for_activations(const Subproblem& subproblem, Expansion& expansion) {
    if (!tools_.split_bounder || subproblem.depth > 0 || subproblem.inputs_only || !std::isfinite(expansion.bound)) {
      return false;
    }
    const Specification& specification = specifications_[static_cast<std::size_t>(subproblem.region)];
    if (free_inputs(subproblem.lower, subproblem.upper) <= options_.most_inputs_to_split) return false;
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

  // The next region that waits. Nothing: the search goes on. Where no neuron is left to split, or the time for that is
  // over, the box is split after all, when no other region waits any more.
  std::optional<SearchResult> split_activations() {
    Subproblem region = std::move(waiting_.back());
    waiting_.pop_back();
    // It stays open until its own search says more.
    in_round_ = 1;
    round_bound_ = region.bound;
    // Few enough inputs are split after all, with what is left of the time.
    const bool late = free_inputs(region.lower, region.upper) <= options_.most_inputs_to_split_late;
    const double share = deadline_.remaining() / static_cast<double>(2 * (waiting_.size() + late_.size() + 1));
    const Deadline until = late && !options_.deterministic ? deadline_.sooner(share) : deadline_;
    SignsLimit limit{.until = until, .counts_as_open = true};
    if (late && options_.deterministic) limit.most_walks = kWalksBeforeInputs;
    const ActivationEnd end = split_activations(region, limit);
    switch (end) {
      case ActivationEnd::Closed:
        in_round_ = 0;
        return std::nullopt;
      case ActivationEnd::Violated:
        return finish(Verdict::Sat, "");
      case ActivationEnd::Stopped:
        if (!late || deadline_.should_stop()) return stopped();
        break;
      case ActivationEnd::Memory:
        if (!late) return finish(Verdict::Unknown, "memory");
        break;
      case ActivationEnd::Stuck:
        break;
    }
    in_round_ = 0;
    gives_up_signs(region.region);
    late_.push_back(std::move(region));
    return std::nullopt;
  }

  void gives_up_signs(std::int32_t region) { without_signs_.push_back(region); }

  // That of the worst subproblem of those which splitting signs may decide, or -1.
  std::int32_t region_to_try() const {
    std::int32_t found = -1;
    double worst = std::numeric_limits<double>::infinity();
    queue_.visit([&](const SubproblemQueue::View& box) {
      if (box.bound > worst || (box.bound == worst && box.region >= found)) return;
      if (std::find(without_signs_.begin(), without_signs_.end(), box.region) != without_signs_.end()) return;
      found = box.region;
      worst = std::isnan(box.bound) ? -std::numeric_limits<double>::infinity() : box.bound;
    });
    return found;
  }

  // Tries to decide a region by splitting signs, where splitting inputs makes no headway; true if that finds a witness.
  // Its boxes stay as they are unless all of them are closed at once.
  bool try_signs() {
    next_try_ = kTryGrowth * boxes_;
    if (!tools_.split_bounder || deadline_.should_stop()) return false;
    const std::int32_t number = region_to_try();
    if (number < 0) return false;
    const Specification& specification = specifications_[static_cast<std::size_t>(number)];
    double share = 0;
    std::vector<bool> open(specification.clauses.size());
    Subproblem region;
    region.region = number;
    region.bound = std::numeric_limits<double>::infinity();
    queue_.visit([&](const SubproblemQueue::View& box) {
      if (box.region != number) return;
      region.bound = worse(region.bound, box.bound);
      share += std::ldexp(1.0, -box.depth);
      for (const std::int32_t clause : box.clauses) open[static_cast<std::size_t>(clause)] = true;
      if (region.lower.empty()) {
        region.lower.assign(box.lower.begin(), box.lower.end());
        region.upper.assign(box.upper.begin(), box.upper.end());
      }
      for (std::size_t i = 0; i < region.lower.size(); ++i) {
        region.lower[i] = std::min(region.lower[i], box.lower[i]);
        region.upper[i] = std::max(region.upper[i], box.upper[i]);
      }
    });
    if (share < kNoHeadway) return false;
    for (std::size_t c = 0; c < open.size(); ++c) {
      if (!open[c]) continue;
      if (!can_split_activations(specification.clauses[c])) return false;
      region.clauses.push_back(static_cast<std::int32_t>(c));
    }
    const double spent = deadline_.elapsed() - start_ - tries_s_;
    const Deadline until = options_.deterministic ? deadline_ : deadline_.sooner(std::max(spent, kShortestTry_s));
    const double before = deadline_.elapsed();
    const ActivationEnd end =
        split_activations(region, {.until = until,
                                   .most_walks = options_.deterministic ? kWalksPerSubproblem * boxes_
                                                                        : std::numeric_limits<std::int64_t>::max()});
    tries_s_ += deadline_.elapsed() - before;
    if (end == ActivationEnd::Violated) return true;
    if (end == ActivationEnd::Closed) {
      queue_.visit([&](const SubproblemQueue::View& box) {
        if (box.region != number) return;
        ++statistics_.closed;
        statistics_.tree.close(box.depth);
      });
      queue_.remove(number);
    } else if (end != ActivationEnd::Stopped) {
      gives_up_signs(number);
    }
    return false;
  }

  // What a search over signs may take.
  struct SignsLimit {
    const Deadline& until;
    std::int64_t most_walks = std::numeric_limits<std::int64_t>::max();
    // Its subproblems are the region's open ones; or else boxes of the region are open beside them.
    bool counts_as_open = false;
  };

  ActivationEnd split_activations(const Subproblem& region, const SignsLimit& limit) {
    const double start = deadline_.elapsed();
    std::unique_ptr<SplitBounder> bounder;
    try {
      bounder = tools_.split_bounder({region.lower, region.upper}, limit.until);
    } catch (const StoppedError&) {
      return ActivationEnd::Stopped;
    }
    ActivationOptions options;
    options.seed = options_.seed;
    options.memory_bytes = std::max<std::int64_t>(options_.memory_bytes - queue_.bytes() - aside_bytes_, 0);
    options.known_bound = region.bound;
    options.deterministic = options_.deterministic;
    options.most_walks = limit.most_walks;
    options.splits_per_scope = options_.splits_per_scope;
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
                                  if (limit.counts_as_open) {
                                    in_round_ = now.open;
                                    round_bound_ = now.worst_bound;
                                  }
                                  statistics_.peak_open = std::max(statistics_.peak_open, open_subproblems().count);
                                  report_progress(now.phase);
                                  if (now.phase != SearchPhase::Refinement) add_sample();
                                }};
    const ActivationEnd end = search_activations(specifications_[static_cast<std::size_t>(region.region)],
                                                 region.clauses, tools, options, limit.until, signs_);
    keep_signs_tree();
    statistics_.bounding_s += deadline_.elapsed() - start;
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
    queue_.push(child);
    queue_.push(other);
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
  std::vector<Subproblem> late_;     // and those whose inputs are, since that has not decided them
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
  std::int64_t boxes_ = 0;                   // bounded, of any region
  std::int64_t next_try_;                    // by splitting signs, when so many are bounded
  double tries_s_ = 0;                       // what tries have taken
  std::vector<std::int32_t> without_signs_;  // regions that splitting signs cannot decide
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
