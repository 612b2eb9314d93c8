#include "search/activation_search.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "base/parallel.hpp"
#include "base/random.hpp"
#include "base/rounding.hpp"

namespace boundflow {

namespace {

constexpr std::int64_t kWalksPerAttackStep = 8;
constexpr double kNever = -std::numeric_limits<double>::infinity();

double sound_bound(const SplitAnswer& answer) {
  const bool finite = std::isfinite(answer.nominal) && std::isfinite(answer.error);
  return finite ? sub_down(answer.nominal, answer.error) : kNever;
}

struct Leaf {
  SplitSubproblem subproblem;
  std::vector<std::int32_t> candidates;
  std::int32_t clause = 0;
  std::int32_t depth = 0;
  double bound = kNever;
  std::uint64_t age = 0;

  std::int64_t bytes() const {
    return static_cast<std::int64_t>(sizeof(Leaf) + subproblem.splits.capacity() * sizeof(NeuronSplit) +
                                     candidates.capacity() * sizeof(std::int32_t) +
                                     (subproblem.slopes ? subproblem.slopes->size() + 64 : 0) + 96);
  }
};

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
        random_(options.seed) {
    if (!options.observed.empty()) observed_sides_ = tools.bounder.sides(options.observed, deadline);
  }

  ActivationEnd run(std::span<const std::int32_t> clauses) {
    clauses_.assign(clauses.begin(), clauses.end());
    for (int stage = 0;; ++stage) {
      if (deadline_.should_stop()) return finish(ActivationEnd::Stopped);
      const double remaining = deadline_.remaining();
      const double share = options_.refine_share * (std::isfinite(remaining) ? remaining : 300);
      const bool refined = tools_.bounder.refine(stage, deadline_.sooner(share));
      if (!refined && stage > 0) break;
      if (const auto end = open_roots()) return finish(*end);
      // Where few splits are enough, no more refinement is needed.
      if (const auto end = search(options_.splits_between)) return *end;
    }
    const auto end = search(std::numeric_limits<std::int64_t>::max());
    return *end;
  }

 private:
  // Splits at most so many subproblems; nothing if some are open then.
  std::optional<ActivationEnd> search(std::int64_t splits) {
    const std::int64_t last = splits > std::numeric_limits<std::int64_t>::max() - statistics_.splits
                                  ? std::numeric_limits<std::int64_t>::max()
                                  : statistics_.splits + splits;
    while (!empty()) {
      if (deadline_.should_stop()) return finish(ActivationEnd::Stopped);
      if (bytes_ > options_.memory_bytes) return finish(ActivationEnd::Memory);
      if (statistics_.splits >= last) return std::nullopt;
      if (attack_beside()) return finish(ActivationEnd::Violated);
      std::vector<Group> groups = next_groups();
      parallel_for(static_cast<std::int64_t>(groups.size()),
                   [&](std::int64_t g) { expand(groups[static_cast<std::size_t>(g)]); });
      const bool complete = std::all_of(groups.begin(), groups.end(), [](const Group& g) { return g.complete; });
      if (!complete) {
        for (Group& group : groups) {
          for (Leaf& leaf : group.leaves) push(std::move(leaf));
        }
        return finish(ActivationEnd::Stopped);
      }
      for (Group& group : groups) {
        if (take_over(group)) return finish(ActivationEnd::Violated);
      }
      report();
    }
    return finish(statistics_.stuck > 0 ? ActivationEnd::Stuck : ActivationEnd::Closed);
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
    double worst = heap_.empty() ? std::numeric_limits<double>::infinity() : heap_.front().bound;
    for (const Leaf& leaf : dive_) worst = std::min(worst, leaf.bound);
    return worst;
  }

  ActivationEnd finish(ActivationEnd end) {
    report();
    return end;
  }

  void report() {
    statistics_.open = std::ssize(heap_) + std::ssize(dive_) + statistics_.stuck;
    statistics_.peak_open = std::max(statistics_.peak_open, statistics_.open);
    statistics_.worst_bound = worst_bound();
    if (tools_.progress) tools_.progress(statistics_);
  }

  // Begins with the clauses that are left; nothing if the search goes on.
  std::optional<ActivationEnd> open_roots() {
    heap_.clear();
    dive_.clear();
    bytes_ = 0;
    statistics_.stuck = 0;
    std::vector<Leaf> roots;
    for (const std::int32_t clause : clauses_) {
      Leaf root;
      root.clause = clause;
      roots.push_back(std::move(root));
    }
    Group group;
    SplitEffort effort;
    effort.steps = options_.root_steps;
    if (!bound(roots, effort, group)) {
      for (Leaf& root : roots) push(std::move(root));
      return ActivationEnd::Stopped;
    }
    find_violations(group);
    clauses_.clear();
    for (const Leaf& leaf : group.open) clauses_.push_back(leaf.clause);
    if (take_over(group)) return ActivationEnd::Violated;
    return std::nullopt;
  }

  std::vector<Group> next_groups() {
    std::vector<Leaf> taken;
    const std::int64_t limit = options_.queries_per_round * options_.subproblems_per_query / 2;
    while (!empty() && std::ssize(taken) < limit) taken.push_back(pop());
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

  // Bounds without steps: the answers of `subproblems`.
  bool look(std::vector<SplitSubproblem>& subproblems, Group& group, std::vector<SplitAnswer>& answers) const {
    std::vector<SplitSubproblem*> pointers;
    for (SplitSubproblem& s : subproblems) pointers.push_back(&s);
    answers.clear();
    const auto most = static_cast<std::size_t>(options_.subproblems_per_query) * 4;
    std::vector<SplitAnswer> part;
    for (std::size_t first = 0; first < pointers.size(); first += most) {
      const std::size_t count = std::min(most, pointers.size() - first);
      if (!tools_.bounder.bound(specification_.spec, std::span(pointers).subspan(first, count), SplitEffort{},
                                deadline_, part)) {
        return false;
      }
      std::move(part.begin(), part.end(), std::back_inserter(answers));
    }
    group.walks += std::ssize(pointers);
    return true;
  }

  // For clauses of several rows: the one with the best bound in each leaf.
  bool choose_rows(std::vector<Leaf>& leaves, Group& group) const {
    std::vector<SplitSubproblem> tried;
    std::vector<std::size_t> owner;
    for (std::size_t k = 0; k < leaves.size(); ++k) {
      const std::vector<std::int32_t>& rows = clause_of(leaves[k]).rows;
      leaves[k].subproblem.row = rows.front();
      for (std::size_t j = 0; j < rows.size() && rows.size() > 1; ++j) {
        tried.push_back(leaves[k].subproblem);
        tried.back().row = rows[j];
        owner.push_back(k);
      }
    }
    if (tried.empty()) return true;
    std::vector<SplitAnswer> answers;
    if (!look(tried, group, answers)) return false;
    std::vector<double> best(leaves.size(), kNever);
    for (std::size_t t = 0; t < tried.size(); ++t) {
      const double bound = sound_bound(answers[t]);
      if (!(bound > best[owner[t]])) continue;
      best[owner[t]] = bound;
      leaves[owner[t]].subproblem.row = tried[t].row;
    }
    return true;
  }

  // Bounds the leaves; what stays open goes to group.open.
  bool bound(std::vector<Leaf>& leaves, const SplitEffort& effort, Group& group) const {
    if (!choose_rows(leaves, group)) return false;
    std::vector<SplitSubproblem*> pointers;
    for (Leaf& leaf : leaves) pointers.push_back(&leaf.subproblem);
    std::vector<SplitAnswer> answers;
    const auto most = static_cast<std::size_t>(options_.subproblems_per_query);
    for (std::size_t first = 0; first < leaves.size(); first += most) {
      const std::size_t count = std::min(most, leaves.size() - first);
      if (!tools_.bounder.bound(specification_.spec, std::span(pointers).subspan(first, count), effort, deadline_,
                                answers)) {
        return false;
      }
      group.bounded += static_cast<std::int64_t>(count);
      group.walks += static_cast<std::int64_t>(count) * effort.steps;
      for (std::size_t k = 0; k < count; ++k) settle(leaves[first + k], answers[k], group);
    }
    return true;
  }

  // Closes or keeps a leaf that was bounded.
  void settle(Leaf& leaf, SplitAnswer& answer, Group& group) const {
    const double bound = sound_bound(answer);
    if (specification_.refuted(leaf.subproblem.row, bound)) {
      check_observed(leaf);
      ++group.closed;
      return;
    }
    leaf.bound = std::max(leaf.bound, bound);
    leaf.candidates = std::move(answer.candidates);
    group.points.push_back(std::move(answer.minimizer));
    group.open.push_back(std::move(leaf));
  }

  // Splits each leaf of the group and bounds the halves.
  void expand(Group& group) const {
    // The look-ahead: both halves of some neurons, bounded with what the leaf has.
    std::vector<SplitSubproblem> tried;
    for (const Leaf& leaf : group.leaves) {
      const std::size_t count = std::min(leaf.candidates.size(), static_cast<std::size_t>(options_.look_ahead));
      for (std::size_t c = 0; c < count && count > 1; ++c) {
        for (const bool above : {false, true}) {
          tried.push_back(leaf.subproblem);
          tried.back().splits.push_back({leaf.candidates[c], above, 0});
        }
      }
    }
    std::vector<SplitAnswer> answers;
    if (!look(tried, group, answers)) return;
    std::vector<Leaf> halves, last;
    std::size_t next = 0;
    for (const Leaf& leaf : group.leaves) {
      const std::size_t count = std::min(leaf.candidates.size(), static_cast<std::size_t>(options_.look_ahead));
      if (count == 0) {
        last.push_back(leaf);
        continue;
      }
      std::size_t chosen = 0;
      double best = kNever;
      for (std::size_t c = 0; c < count && count > 1; ++c) {
        // Zero is as good as it gets.
        const double below = std::min(sound_bound(answers[next]), 0.0),
                     above = std::min(sound_bound(answers[next + 1]), 0.0);
        next += 2;
        const double value = std::min(below, above) + 0.1 * std::max(below, above);
        if (!(value > best)) continue;
        best = value;
        chosen = c;
      }
      ++group.splits;
      for (const bool above : {false, true}) {
        Leaf half = leaf;
        half.depth = leaf.depth + 1;
        half.subproblem.splits.push_back({leaf.candidates[chosen], above, 0});
        halves.push_back(std::move(half));
      }
    }
    SplitEffort effort;
    effort.steps = options_.steps;
    if (!bound(halves, effort, group)) return;
    // Without neurons to split only better multipliers are left.
    effort.steps = options_.last_steps;
    const std::size_t before = group.open.size();
    if (!last.empty() && !bound(last, effort, group)) return;
    group.stuck += std::ssize(group.open) - static_cast<std::int64_t>(before);
    group.open.resize(before);
    find_violations(group);
    group.complete = true;
  }

  // Keeps of the group's points those that violate a clause.
  void find_violations(Group& group) const {
    const auto inputs = static_cast<std::size_t>(specification_.spec.inputs);
    const auto outputs = static_cast<std::size_t>(specification_.spec.outputs);
    std::vector<double> points;
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
    statistics_.stuck += group.stuck;
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
    return attack(specification_, {}, tools_.evaluator, attack_options, random_, deadline_, tools_.accept);
  }

  // A known violation lies on one side of each neuron: the leaf of all these sides must not be closed.
  void check_observed(const Leaf& leaf) const {
    if (observed_sides_.empty() || leaf.clause != options_.observed_clause) return;
    const bool holds =
        std::all_of(leaf.subproblem.splits.begin(), leaf.subproblem.splits.end(), [&](const auto& split) {
          return observed_sides_[static_cast<std::size_t>(split.neuron)] == (split.above ? 1 : 0);
        });
    if (holds) throw InternalError("observer: a subproblem dropped the observed violation");
  }

  const Specification& specification_;
  const ActivationTools& tools_;
  const ActivationOptions& options_;
  const Deadline& deadline_;
  ActivationStatistics& statistics_;
  Random random_;
  std::int64_t attacks_ = 0;
  std::vector<std::int32_t> clauses_;  // that are not closed at the root
  std::vector<Leaf> heap_;             // the worst bound on top
  std::vector<Leaf> dive_;             // the newest at the back; comes before the heap
  std::vector<char> observed_sides_;
  std::int64_t bytes_ = 0;
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
