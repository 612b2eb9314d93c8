#include "search/activation_search.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "base/parallel.hpp"
#include "base/random.hpp"
#include "search/combination.hpp"
#include "search/scopes.hpp"

namespace boundflow {

namespace {

constexpr std::int64_t kWalksPerAttackStep = 8;
// Of the weights of a clause's rows, in the exponent, from a subproblem to its halves.
constexpr float kLambdaStep = 0.3F;
// Of narrowing a half, in logarithms of what it could be: of one that is empty, and what counts besides.
constexpr double kGainOfEmpty = 1e6, kLeastGain = 1e-6;
// Bounds of two halves are equal if they differ by less than this part of their errors, most of which they share.
constexpr double kTie = 1.0 / 64;
// Queries of the look-ahead, which take one walk each, have so many times as many subproblems.
constexpr std::int64_t kLookAheadFactor = 4;
// Visits of the refinement of a scope, as a part of those of the region's.
constexpr double kScopeShare = 0.1;
// Of a scope's leaves, the share that its refinement has to close; and the most splits before a scope is cut.
constexpr double kWorthwhile = 0.05;
constexpr std::int64_t kLargestSlice = 1'000'000;
constexpr double kNever = -std::numeric_limits<double>::infinity();

using Leaf = ActivationLeaf;

// What comes of a group of leaves, in their order: independent of what other groups do.
struct Group {
  std::vector<Leaf> leaves;
  std::vector<Leaf> open;                   // halves that stay open
  std::vector<std::vector<double>> points;  // that look like violations
  std::int64_t walks = 0;
  std::int64_t bounded = 0;
  std::int64_t closed = 0;
  std::int64_t splits = 0;
  std::int64_t stuck = 0;
  double stuck_bound = std::numeric_limits<double>::infinity();
  TreeStatistics tree;
  bool complete = false;
};

class ActivationSearch {
 public:
  ActivationSearch(const Specification& specification, const ActivationTools& tools, const ActivationOptions& options,
                   const Deadline& deadline, ActivationStatistics& statistics)
      : specification_(specification),
        tools_(tools),
        options_(options),
        deadline_(deadline),
        statistics_(statistics),
        random_(options.seed),
        layers_(tools.bounder.layers()),
        slice_(options.splits_per_scope) {
    fit_queries();
    if (!options.observed.empty()) observed_ = tools.bounder.ranges_at(options.observed, deadline);
  }

  ActivationEnd run(std::span<const std::int32_t> clauses) {
    clauses_.assign(clauses.begin(), clauses.end());
    for (Leaf& root : roots()) push(std::move(root));
    for (int stage = 0;; ++stage) {
      if (should_stop()) return finish(ActivationEnd::Stopped);
      if (!refine(stage) && stage > 0) break;
      if (const auto end = open_roots()) return finish(*end);
      // Where few splits are enough, no more refinement is needed.
      if (const auto end = search(options_.splits_between)) return finish(*end);
      if (empty()) break;
      last_stage_ = stage;
    }
    for (;;) {
      const double begin = deadline_.elapsed();
      if (const auto end = search(slice_)) return finish(*end);
      if (!empty()) divide(deadline_.elapsed() - begin);
      if (!empty()) continue;
      if (scopes_.empty()) return finish(statistics_.stuck > 0 ? ActivationEnd::Stuck : ActivationEnd::Closed);
      if (const auto end = enter_scope()) return finish(*end);
    }
  }

 private:
  // Queries of a round, all at the same time, take a quarter of the memory, or what the smallest ones need. As many as
  // there could be, since the tree must not depend on how many threads there are.
  void fit_queries() {
    const std::int64_t bytes = std::max<std::int64_t>(tools_.bounder.bytes_per_subproblem(), 1) * kLookAheadFactor;
    const std::int64_t share = options_.memory_bytes / 4;
    options_.queries_per_round = std::clamp<std::int64_t>(share / bytes, 1, options_.queries_per_round);
    options_.subproblems_per_query =
        std::clamp<std::int64_t>(share / (bytes * options_.queries_per_round), 1, options_.subproblems_per_query);
    options_.memory_bytes -= bytes * options_.queries_per_round * options_.subproblems_per_query;
  }

  bool should_stop() const { return deadline_.should_stop() || statistics_.walks >= options_.most_walks; }

  // False: there is no such stage.
  bool refine(int stage) {
    const double remaining = deadline_.remaining();
    const double share = options_.refine_share * (std::isfinite(remaining) ? remaining : 300);
    return refine(stage, share, options_.refine_visits);
  }

  // For so many seconds at most, or where the clock must not decide for so many neurons passed.
  bool refine(int stage, double seconds, std::int64_t visits) {
    const Deadline until = options_.deterministic ? deadline_ : deadline_.sooner(seconds);
    RefinementLimit limit{.until = until};
    if (options_.deterministic) limit.neuron_visits = visits;
    limit.memory_bytes = std::max<std::int64_t>(options_.memory_bytes - bytes_, 0) / 2;
    limit.progress = [&] { report(); };
    statistics_.phase = SearchPhase::Refinement;
    const PhaseTime time(statistics_.tree, SearchPhase::Refinement);
    return bounder().refine(stage, limit);
  }

  // Splits at most so many subproblems; nothing if that, or that all are closed, was its end.
  std::optional<ActivationEnd> search(std::int64_t splits) {
    const std::int64_t last = splits > std::numeric_limits<std::int64_t>::max() - statistics_.splits
                                  ? std::numeric_limits<std::int64_t>::max()
                                  : statistics_.splits + splits;
    while (!empty() && statistics_.splits < last) {
      statistics_.phase = SearchPhase::Halves;
      if (should_stop()) return ActivationEnd::Stopped;
      if (bytes_ > options_.memory_bytes) return ActivationEnd::Memory;
      if (attack_beside()) return ActivationEnd::Violated;
      if (const auto end = work(next_groups(), [&](Group& group) { expand(group); })) return end;
    }
    return std::nullopt;
  }

  // Works on all groups at the same time, and takes over what comes of them.
  template <class Work>
  std::optional<ActivationEnd> work(std::vector<Group> groups, const Work& work_on) {
    parallel_for(static_cast<std::int64_t>(groups.size()),
                 [&](std::int64_t g) { work_on(groups[static_cast<std::size_t>(g)]); });
    const bool complete = std::all_of(groups.begin(), groups.end(), [](const Group& g) { return g.complete; });
    if (!complete) {
      for (Group& group : groups) {
        for (Leaf& leaf : group.leaves) push(std::move(leaf));
      }
      return ActivationEnd::Stopped;
    }
    for (Group& group : groups) {
      if (take_over(group)) return ActivationEnd::Violated;
    }
    report();
    return std::nullopt;
  }

  SplitBounder& bounder() const { return scope_.bounder ? *scope_.bounder : tools_.bounder; }

  // Cuts the scope that is worked on, if there are bounders for its parts, and memory for them. These may spend as much
  // time on their bounds as was spent on subproblems, or a part of that where it does not pay.
  void divide(double seconds) {
    const std::int64_t expected = bounder().held_bytes();
    if (bytes_ + expected > options_.memory_bytes / 2) {
      slice_ = std::min(2 * slice_, kLargestSlice);
      return;
    }
    const double share = static_cast<double>(options_.splits_per_scope) / static_cast<double>(slice_);
    std::vector<Leaf> leaves = std::move(heap_);
    std::move(dive_.begin(), dive_.end(), std::back_inserter(leaves));
    heap_.clear();
    dive_.clear();
    std::vector<Scope> parts = cut(leaves, scope_.splits.size());
    for (Scope& part : parts) {
      part.refine_share = share;
      part.refine_s = share * seconds;
      if (bytes_ + expected <= options_.memory_bytes / 2) part.bounder = bounder().within(part.splits);
      if (part.bounder) {
        part.bytes = part.bounder->held_bytes();
        bytes_ += part.bytes;
        for (Leaf& leaf : part.leaves) {
          bytes_ -= leaf.bytes();
          leaf.subproblem.slopes = nullptr;  // of other neurons
          bytes_ += leaf.bytes();
        }
        scopes_.push_back(std::move(part));
      } else {
        std::move(part.leaves.begin(), part.leaves.end(), std::back_inserter(leaves));
      }
    }
    for (const Leaf& leaf : leaves) bytes_ -= leaf.bytes();
    for (Leaf& leaf : leaves) push(std::move(leaf));
  }

  // Goes on with the scope that was cut off last: refines its bounds, and bounds its leaves again.
  std::optional<ActivationEnd> enter_scope() {
    bytes_ -= scope_.bytes;
    scope_ = std::move(scopes_.back());
    scopes_.pop_back();
    refine(last_stage_, scope_.refine_s,
           static_cast<std::int64_t>(kScopeShare * scope_.refine_share * static_cast<double>(options_.refine_visits)));
    const auto leaves = static_cast<double>(scope_.leaves.size());
    const std::int64_t closed_before = statistics_.closed;
    if (const auto end = bound_leaves()) return end;
    // Where better bounds close next to nothing, scopes are to be few.
    if (static_cast<double>(statistics_.closed - closed_before) < kWorthwhile * leaves) {
      slice_ = std::min(2 * slice_, kLargestSlice);
    } else {
      slice_ = std::max(slice_ / 2, options_.splits_per_scope);
    }
    return std::nullopt;
  }

  // Of the scope that is worked on, each once more. Those that are not reached stay there, and open.
  std::optional<ActivationEnd> bound_leaves() {
    SplitEffort effort;
    effort.steps = options_.steps;
    const std::int64_t most = options_.queries_per_round * options_.subproblems_per_query;
    while (!scope_.leaves.empty()) {
      if (should_stop()) return ActivationEnd::Stopped;
      std::vector<Leaf> taken;
      while (!scope_.leaves.empty() && std::ssize(taken) < most) {
        taken.push_back(std::move(scope_.leaves.back()));
        scope_.leaves.pop_back();
        bytes_ -= taken.back().bytes();
      }
      const auto end = work(groups_of(std::move(taken)), [&](Group& group) {
        const PhaseTime time(group.tree, SearchPhase::Halves);
        std::vector<Leaf> again = group.leaves;
        if (!bound(again, effort, group)) return;
        find_violations(group);
        group.complete = true;
      });
      if (end) return end;
    }
    return std::nullopt;
  }

  static bool later(const Leaf& a, const Leaf& b) { return a.bound != b.bound ? a.bound > b.bound : a.age > b.age; }

  // Where memory runs short, what was opened last comes first: a dive opens few at a time.
  void push(Leaf leaf) {
    leaf.age = next_age_++;
    bytes_ += leaf.bytes();
    if (bytes_ > options_.memory_bytes / 2) {
      dive_.push_back(std::move(leaf));
      return;
    }
    heap_.push_back(std::move(leaf));
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  Leaf pop() {
    std::vector<Leaf>& from = dive_.empty() ? heap_ : dive_;
    if (dive_.empty()) std::pop_heap(heap_.begin(), heap_.end(), later);
    Leaf leaf = std::move(from.back());
    from.pop_back();
    bytes_ -= leaf.bytes();
    return leaf;
  }
  bool empty() const { return heap_.empty() && dive_.empty(); }
  double worst_bound() const {
    double worst = heap_.empty() ? stuck_bound_ : std::min(stuck_bound_, heap_.front().bound);
    for (const Leaf& leaf : dive_) worst = std::min(worst, leaf.bound);
    for (const Scope& scope : scopes_) worst = std::min(worst, scope.bound);
    return scope_.leaves.empty() ? worst : std::min(worst, scope_.bound);
  }

  ActivationEnd finish(ActivationEnd end) {
    report();
    return end;
  }

  void report() {
    statistics_.open = std::ssize(heap_) + std::ssize(dive_) + std::ssize(scope_.leaves) + statistics_.stuck;
    for (const Scope& scope : scopes_) statistics_.open += std::ssize(scope.leaves);
    statistics_.peak_open = std::max(statistics_.peak_open, statistics_.open);
    statistics_.worst_bound = worst_bound();
    if (tools_.progress) tools_.progress(statistics_);
  }

  std::vector<Leaf> roots() const {
    std::vector<Leaf> roots;
    for (const std::int32_t clause : clauses_) {
      Leaf root;
      root.clause = clause;
      root.bound = options_.known_bound;
      root.subproblem.violated = clause_of(root).rows;
      roots.push_back(std::move(root));
    }
    return roots;
  }

  // Begins with the clauses that are left; nothing if the search goes on. Stopped on the way, the subproblems stay that
  // were open before.
  std::optional<ActivationEnd> open_roots() {
    statistics_.phase = SearchPhase::Roots;
    const PhaseTime time(statistics_.tree, SearchPhase::Roots);
    std::vector<Leaf> begun = roots();
    Group group;
    group.tree.open(0, std::ssize(begun));
    SplitEffort effort;
    effort.steps = options_.root_steps;
    if (!start_lambdas(begun, group) || !bound(begun, effort, group)) return ActivationEnd::Stopped;
    heap_.clear();
    dive_.clear();
    bytes_ = 0;
    statistics_.stuck = 0;
    stuck_bound_ = std::numeric_limits<double>::infinity();
    find_violations(group);
    clauses_.clear();
    for (const Leaf& leaf : group.open) clauses_.push_back(leaf.clause);
    if (take_over(group)) return ActivationEnd::Violated;
    return std::nullopt;
  }

  std::vector<Group> next_groups() {
    std::vector<Leaf> taken;
    const std::int64_t limit =
        std::max<std::int64_t>(1, options_.queries_per_round * options_.subproblems_per_query / 2);
    while (!empty() && std::ssize(taken) < limit) taken.push_back(pop());
    return groups_of(std::move(taken));
  }

  std::vector<Group> groups_of(std::vector<Leaf> taken) const {
    const std::int64_t per_group =
        std::max<std::int64_t>(1, (std::ssize(taken) + options_.queries_per_round - 1) / options_.queries_per_round);
    std::vector<Group> groups;
    for (Leaf& leaf : taken) {
      if (groups.empty() || std::ssize(groups.back().leaves) >= per_group) groups.emplace_back();
      groups.back().leaves.push_back(std::move(leaf));
    }
    return groups;
  }

  const RowClause& clause_of(const Leaf& leaf) const {
    return specification_.clauses[static_cast<std::size_t>(leaf.clause)];
  }

  std::int64_t layer_of(std::int32_t neuron) const {
    return std::upper_bound(layers_.begin(), layers_.end(), neuron) - layers_.begin() - 1;
  }

  // The rows that leaves of clauses with several ask for, behind the specification's own.
  LinearSpec spec_of(std::span<Leaf* const> leaves) const {
    LinearSpec spec = specification_.spec;
    for (Leaf* leaf : leaves) {
      const std::vector<std::int32_t>& rows = clause_of(*leaf).rows;
      leaf->subproblem.row = rows.size() == 1 ? rows.front() : append_combination(spec, rows, leaf->lambda);
    }
    return spec;
  }
  LinearSpec spec_of(std::vector<Leaf>& leaves) const {
    std::vector<Leaf*> pointers;
    for (Leaf& leaf : leaves) pointers.push_back(&leaf);
    return spec_of(pointers);
  }

  // The bounds of `subproblems` with `effort`, a query at a time; false if the deadline has passed.
  bool ask(const LinearSpec& spec, std::span<SplitSubproblem* const> subproblems, const SplitEffort& effort,
           std::size_t most, std::vector<SplitAnswer>& answers) const {
    answers.clear();
    std::vector<SplitAnswer> part;
    for (std::size_t first = 0; first < subproblems.size(); first += most) {
      const std::size_t count = std::min(most, subproblems.size() - first);
      if (!bounder().bound(spec, subproblems.subspan(first, count), effort, deadline_, part)) return false;
      std::move(part.begin(), part.end(), std::back_inserter(answers));
    }
    return true;
  }

  // Bounds the leaves; what stays open goes to group.open.
  bool bound(std::vector<Leaf>& leaves, const SplitEffort& effort, Group& group) const {
    const LinearSpec spec = spec_of(leaves);
    std::vector<SplitSubproblem*> pointers;
    for (Leaf& leaf : leaves) pointers.push_back(&leaf.subproblem);
    std::vector<SplitAnswer> answers;
    if (!ask(spec, pointers, effort, static_cast<std::size_t>(options_.subproblems_per_query), answers)) return false;
    group.bounded += std::ssize(leaves);
    group.walks += std::ssize(leaves) * effort.steps;
    for (std::size_t k = 0; k < leaves.size(); ++k) settle(leaves[k], answers[k], group);
    return true;
  }

  bool refuted(const Leaf& leaf, double bound) const {
    const std::vector<std::int32_t>& rows = clause_of(leaf).rows;
    return rows.size() == 1 ? specification_.refuted(rows.front(), bound) : std::isfinite(bound) && bound > 0;
  }

  // Closes or keeps a leaf that was bounded.
  void settle(Leaf& leaf, SplitAnswer& answer, Group& group) const {
    const double bound = sound_bound(answer);
    if (answer.empty || refuted(leaf, bound)) {
      check_observed(leaf);
      ++group.closed;
      group.tree.close(leaf.depth);
      return;
    }
    leaf.bound = std::max(leaf.bound, bound);
    leaf.candidates = std::move(answer.candidates);
    improve_lambda(leaf, answer, kLambdaStep);
    group.points.push_back(std::move(answer.minimizer));
    group.open.push_back(std::move(leaf));
  }

  // A step along the bound's derivative by the weights, which are the rows' values where the sweep ended, on the
  // simplex (mirror ascent): the halves begin with it.
  void improve_lambda(Leaf& leaf, const SplitAnswer& answer, float step) const {
    const std::vector<std::int32_t>& rows = clause_of(leaf).rows;
    if (rows.size() < 2 || answer.outputs.empty()) return;
    std::vector<double> values(static_cast<std::size_t>(specification_.spec.rows));
    row_values(specification_.spec, answer.minimizer, answer.outputs, 1, values);
    double mean = 0, largest = 0, sum = 0;
    for (std::size_t j = 0; j < rows.size(); ++j) {
      mean += static_cast<double>(leaf.lambda[j]) * values[static_cast<std::size_t>(rows[j])];
    }
    for (const std::int32_t row : rows)
      largest = std::max(largest, std::fabs(values[static_cast<std::size_t>(row)] - mean));
    if (!(largest > 0) || !std::isfinite(largest)) return;
    std::vector<double> moved;
    for (std::size_t j = 0; j < rows.size(); ++j) {
      const double gain = (values[static_cast<std::size_t>(rows[j])] - mean) / largest;
      moved.push_back(std::max(static_cast<double>(leaf.lambda[j]), 1e-4) * std::exp(static_cast<double>(step) * gain));
      sum += moved.back();
    }
    for (std::size_t j = 0; j < rows.size(); ++j) leaf.lambda[j] = static_cast<float>(moved[j] / sum);
  }

  // Weights for the roots of clauses with several rows: the best of what some steps find.
  bool start_lambdas(std::vector<Leaf>& roots, Group& group) const {
    std::vector<Leaf*> several;
    for (Leaf& root : roots) {
      const std::size_t rows = clause_of(root).rows.size();
      if (rows < 2) continue;
      root.lambda.assign(rows, 1.0F / static_cast<float>(rows));
      several.push_back(&root);
    }
    std::vector<double> best(several.size(), kNever);
    std::vector<std::vector<float>> weights(several.size());
    SplitEffort effort;
    effort.steps = options_.lambda_steps;
    effort.stop_above_zero = false;
    double step = 1;
    for (int round = 0; round < options_.lambda_rounds && !several.empty(); ++round, step *= 0.85) {
      const LinearSpec spec = spec_of(several);
      std::vector<SplitSubproblem*> pointers;
      for (Leaf* root : several) pointers.push_back(&root->subproblem);
      std::vector<SplitAnswer> answers;
      if (!ask(spec, pointers, effort, static_cast<std::size_t>(options_.subproblems_per_query), answers)) return false;
      group.walks += std::ssize(several) * effort.steps;
      for (std::size_t k = 0; k < several.size(); ++k) {
        const double bound = sound_bound(answers[k]);
        if (bound > best[k] || weights[k].empty()) {
          best[k] = bound;
          weights[k] = several[k]->lambda;
        }
        improve_lambda(*several[k], answers[k], static_cast<float>(step));
      }
    }
    for (std::size_t k = 0; k < several.size(); ++k) several[k]->lambda = std::move(weights[k]);
    return true;
  }

  // Where a leaf may be split, and what the look-ahead finds of its halves.
  struct Candidate {
    SplitPoint at;
    double value = 0;  // the more, the better
    double error = 0;  // of the bounds that it comes from
  };

  static SplitSubproblem half_of(const SplitSubproblem& parent, const SplitPoint& at, bool above) {
    SplitSubproblem half = parent;
    half.splits.push_back(side_of(at, above));
    return half;
  }

  static std::vector<SplitSubproblem*> pointers_to(std::vector<SplitSubproblem>& subproblems) {
    std::vector<SplitSubproblem*> pointers;
    for (SplitSubproblem& subproblem : subproblems) pointers.push_back(&subproblem);
    return pointers;
  }

  // Bounds both halves of each leaf's first candidates, with what the leaf has; false if the deadline has passed.
  bool look_ahead(const LinearSpec& spec, const std::vector<Leaf>& leaves, std::vector<std::vector<Candidate>>& lists,
                  Group& group) const {
    std::vector<SplitSubproblem> tried;
    for (const Leaf& leaf : leaves) {
      std::vector<Candidate>& list = lists.emplace_back();
      const std::size_t count = std::min(leaf.candidates.size(), static_cast<std::size_t>(options_.look_ahead));
      for (std::size_t c = 0; c < count; ++c) {
        list.push_back({leaf.candidates[c]});
        if (count < 2) continue;  // nothing to choose from
        for (const bool above : {false, true}) {
          tried.push_back(half_of(leaf.subproblem, leaf.candidates[c], above));
          tried.back().violated = {};  // narrowing costs more than a walk
        }
      }
    }
    std::vector<SplitAnswer> answers;
    const auto most = static_cast<std::size_t>(options_.subproblems_per_query * kLookAheadFactor);
    if (!ask(spec, pointers_to(tried), SplitEffort{}, most, answers)) return false;
    group.walks += std::ssize(tried);
    std::size_t next = 0;
    for (std::vector<Candidate>& list : lists) {
      for (Candidate& candidate : list) {
        if (list.size() < 2) continue;
        // Zero is as good as it gets.
        const double below = std::min(sound_bound(answers[next]), 0.0),
                     above = std::min(sound_bound(answers[next + 1]), 0.0);
        candidate.value = std::min(below, above) + 0.1 * std::max(below, above);
        candidate.error = std::max(answers[next].error, answers[next + 1].error);
        next += 2;
      }
    }
    return true;
  }

  // The candidate whose halves have the best bounds. Where others are as good, but for noise, bounds tell nothing:
  // then it is the neuron for which narrowing rules out most on both sides (the product, as in look-ahead solvers of
  // satisfiability).
  SplitPoint choose(const LinearSpec& spec, const Leaf& leaf, const std::vector<Candidate>& list) const {
    const auto best = std::max_element(list.begin(), list.end(),
                                       [](const Candidate& a, const Candidate& b) { return a.value < b.value; });
    const auto as_good = std::count_if(list.begin(), list.end(), [&](const Candidate& candidate) {
      return candidate.value >= best->value - kTie * std::max(candidate.error, best->error);
    });
    if (as_good < 2) return best->at;
    const std::vector<Narrowed> halves = bounder().narrow_halves(spec, leaf.subproblem, leaf.candidates, deadline_);
    const auto gain = [](const Narrowed& half) { return half.empty ? kGainOfEmpty : half.gain; };
    SplitPoint chosen = best->at;
    double most = 0;
    for (std::size_t k = 0; k < halves.size(); k += 2) {
      const double progress = (gain(halves[k]) + kLeastGain) * (gain(halves[k + 1]) + kLeastGain);
      if (!(progress > most)) continue;
      most = progress;
      chosen = leaf.candidates[k / 2];
    }
    return chosen;
  }

  // Splits each leaf of the group and bounds the halves.
  void expand(Group& group) const {
    std::optional<PhaseTime> time(std::in_place, group.tree, SearchPhase::LookAhead);
    const LinearSpec spec = spec_of(group.leaves);
    std::vector<std::vector<Candidate>> lists;
    if (!look_ahead(spec, group.leaves, lists, group)) return;
    std::vector<Leaf> halves, last;
    for (std::size_t k = 0; k < lists.size(); ++k) {
      const Leaf& leaf = group.leaves[k];
      if (lists[k].empty()) {
        last.push_back(leaf);
        continue;
      }
      const SplitPoint at = choose(spec, leaf, lists[k]);
      ++group.splits;
      group.tree.split_layer(leaf.depth, layer_of(at.neuron));
      group.tree.open(leaf.depth + 1, 2);
      for (const bool above : {false, true}) {
        halves.push_back({.subproblem = half_of(leaf.subproblem, at, above),
                          .candidates = {},
                          .lambda = leaf.lambda,
                          .clause = leaf.clause,
                          .depth = leaf.depth + 1,
                          .bound = leaf.bound});
      }
    }
    time.emplace(group.tree, SearchPhase::Halves);
    SplitEffort effort;
    effort.steps = options_.steps;
    if (!bound(halves, effort, group)) return;
    // Without neurons to split only better multipliers are left.
    const std::size_t before = group.open.size();
    take_optima(last, group);
    effort.steps = options_.last_steps;
    if (!last.empty() && !bound(last, effort, group)) return;
    for (std::size_t k = before; k < group.open.size(); ++k) {
      group.stuck_bound = std::min(group.stuck_bound, group.open[k].bound);
    }
    group.stuck += std::ssize(group.open) - static_cast<std::int64_t>(before);
    group.open.resize(before);
    find_violations(group);
    group.complete = true;
  }

  // The best multipliers of leaves without neurons to split, as far as they are found, and where rows are least then.
  void take_optima(std::vector<Leaf>& leaves, Group& group) const {
    if (leaves.empty()) return;
    const LinearSpec spec = spec_of(leaves);
    for (Leaf& leaf : leaves) {
      const std::optional<LeafOptimum> optimum = bounder().optimum(spec, leaf.subproblem, deadline_);
      if (!optimum) continue;
      group.walks += optimum->walks;
      for (std::size_t s = 0; s < optimum->multipliers.size(); ++s) {
        leaf.subproblem.splits[s].multiplier = optimum->multipliers[s];
      }
      if (!optimum->weights.empty()) leaf.lambda = optimum->weights;
      group.points.push_back(optimum->point);
    }
  }

  // Keeps of the group's points those that violate a clause.
  void find_violations(Group& group) const {
    const auto inputs = static_cast<std::size_t>(specification_.spec.inputs);
    const auto outputs = static_cast<std::size_t>(specification_.spec.outputs);
    std::vector<double> points;
    points.reserve(group.points.size() * inputs);
    for (const std::vector<double>& point : group.points) points.insert(points.end(), point.begin(), point.end());
    const std::int64_t count = std::ssize(points) / static_cast<std::int64_t>(inputs);
    std::vector<double> values(static_cast<std::size_t>(count) * outputs);
    tools_.evaluator.evaluate(points, count, values);
    std::vector<double> rows(static_cast<std::size_t>(count * specification_.spec.rows));
    row_values(specification_.spec, points, values, count, rows);
    std::vector<std::vector<double>> found;
    for (std::int64_t p = 0; p < count; ++p) {
      const std::span<const double> row = std::span(rows).subspan(
          static_cast<std::size_t>(p * specification_.spec.rows), static_cast<std::size_t>(specification_.spec.rows));
      const bool violates = std::any_of(specification_.clauses.begin(), specification_.clauses.end(),
                                        [&](const RowClause& clause) { return violation_distance(clause, row) <= 0; });
      if (violates) found.push_back(group.points[static_cast<std::size_t>(p)]);
    }
    group.points = std::move(found);
  }

  bool take_over(Group& group) {
    statistics_.subproblems += group.bounded;
    statistics_.walks += group.walks;
    statistics_.closed += group.closed;
    statistics_.splits += group.splits;
    statistics_.tree.add(group.tree);
    statistics_.stuck += group.stuck;
    stuck_bound_ = std::min(stuck_bound_, group.stuck_bound);
    for (Leaf& leaf : group.open) {
      statistics_.depth = std::max(statistics_.depth, static_cast<int>(leaf.depth));
      push(std::move(leaf));
    }
    return std::any_of(group.points.begin(), group.points.end(), [&](const std::vector<double>& point) {
      return !deadline_.should_stop() && tools_.accept(point);
    });
  }

  // Attacks again from time to time, with a share of the work; an evaluation with its gradient counts as a walk.
  bool attack_beside() {
    const AttackOptions attack_options;
    const std::int64_t work = attack_options.restarts * attack_options.steps;
    if (statistics_.walks < kWalksPerAttackStep * attacks_ * work) return false;
    ++attacks_;
    const PhaseTime time(statistics_.tree, SearchPhase::Attack);
    return attack(specification_, {}, tools_.evaluator, attack_options, random_, deadline_, tools_.accept);
  }

  // A known violation lies on one side of each split: the leaf of all these sides must not be closed.
  void check_observed(const Leaf& leaf) const {
    if (observed_.empty() || leaf.clause != options_.observed_clause) return;
    const bool holds = std::all_of(
        leaf.subproblem.splits.begin(), leaf.subproblem.splits.end(),
        [&](const auto& split) { return observed_[static_cast<std::size_t>(split.neuron)].fulfils(split); });
    if (holds) throw InternalError("observer: a subproblem dropped the observed violation");
  }

  const Specification& specification_;
  const ActivationTools& tools_;
  ActivationOptions options_;  // of the memory, what queries leave
  const Deadline& deadline_;
  ActivationStatistics& statistics_;
  Random random_;
  std::vector<std::int32_t> layers_;  // as SplitBounder::layers
  std::int64_t attacks_ = 0;
  std::vector<std::int32_t> clauses_;  // that are not closed at the root
  std::vector<Leaf> heap_;             // the worst bound on top
  std::vector<Leaf> dive_;             // the newest at the back; comes before the heap
  Scope scope_;                        // that is worked on; its leaves are in these two once they are bounded there
  std::vector<Scope> scopes_;          // that wait
  int last_stage_ = 0;                 // of refinement, that there was
  std::int64_t slice_;                 // splits of a scope, before it is cut
  std::vector<NeuronRange> observed_;  // at the known violation
  double stuck_bound_ = std::numeric_limits<double>::infinity();
  std::int64_t bytes_ = 0;  // of open subproblems, and of scopes' bounders
  std::uint64_t next_age_ = 0;
};

}  // namespace

bool can_split_activations(const RowClause& clause) {
  return clause.choices.empty() && !clause.rows.empty();
}

ActivationEnd search_activations(const Specification& specification, std::span<const std::int32_t> clauses,
                                 const ActivationTools& tools, const ActivationOptions& options,
                                 const Deadline& deadline, ActivationStatistics& statistics) {
  return ActivationSearch(specification, tools, options, deadline, statistics).run(clauses);
}

}  // namespace boundflow
