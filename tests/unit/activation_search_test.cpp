#include "search/activation_search.hpp"

#include <gtest/gtest.h>
#include <tbb/task_arena.h>

#include <atomic>
#include <limits>
#include <memory>
#include <optional>

#include "base/error.hpp"
#include "support/search_mocks.hpp"

namespace boundflow {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

// Neurons 0 to `neurons` - 1; each split of a subproblem adds `per_split` to `start`, and a row its constant times
// `of_constant`.
class CountingBounder final : public SplitBounder {
 public:
  int neurons = 3;
  double start = -1;
  double per_split = 0.5;
  double error = 0;
  int stages = 1;
  double of_constant = 0;
  double per_multiplier = 0;
  std::optional<LeafOptimum> leaf_optimum;
  mutable std::atomic<int> optima{0};
  std::vector<std::int64_t> visits_allowed;  // per stage
  std::vector<double> time_allowed;
  std::int64_t bytes = 0;  // per subproblem
  std::int64_t held = 0;
  mutable std::atomic<std::size_t> largest{0};  // query
  int interrupt_in = -1;                        // the stage that a user interrupts
  std::atomic<bool>* interrupt = nullptr;
  mutable std::atomic<int> refined{0};
  mutable std::atomic<int> calls{0};

  bool bound(const LinearSpec& spec, std::span<SplitSubproblem* const> subproblems, const SplitEffort& effort,
             const Deadline& deadline, std::vector<SplitAnswer>& answers) const override {
    ++calls;
    std::size_t seen = largest;
    while (seen < subproblems.size() && !largest.compare_exchange_weak(seen, subproblems.size())) {
    }
    answers.assign(subproblems.size(), {});
    if (deadline.should_stop()) return false;
    for (std::size_t k = 0; k < subproblems.size(); ++k) {
      SplitAnswer& answer = answers[k];
      const SplitSubproblem& s = *subproblems[k];
      answer.nominal = start + per_split * static_cast<double>(s.splits.size()) +
                       of_constant * spec.constants.at(static_cast<std::size_t>(s.row));
      for (const NeuronSplit& split : s.splits)
        answer.nominal += per_multiplier * static_cast<double>(split.multiplier);
      answer.error = error;
      answer.minimizer = answer.outputs = {0.5};
      if (effort.steps == 0) continue;
      for (int n = 0; n < neurons; ++n) {
        const auto is_split = [&](const NeuronSplit& split) { return split.neuron == n; };
        if (std::none_of(s.splits.begin(), s.splits.end(), is_split)) answer.candidates.push_back({n, 0});
      }
    }
    return true;
  }
  std::optional<LeafOptimum> optimum(const LinearSpec&, const SplitSubproblem& leaf, const Deadline&) const override {
    EXPECT_EQ(std::ssize(leaf.splits), neurons);
    ++optima;
    return leaf_optimum;
  }
  std::vector<Narrowed> narrow_halves(const LinearSpec&, const SplitSubproblem&, std::span<const SplitPoint>,
                                      const Deadline&) const override {
    return {};
  }
  bool refine(int stage, const RefinementLimit& limit) override {
    visits_allowed.push_back(limit.neuron_visits);
    time_allowed.push_back(limit.until.remaining());
    if (limit.progress) limit.progress();
    if (stage == interrupt_in) *interrupt = true;
    ++refined;
    return stage < stages;
  }
  std::vector<NeuronRange> ranges_at(std::span<const double>, const Deadline&) const override {
    return std::vector<NeuronRange>(static_cast<std::size_t>(neurons), {1, 1});
  }
  std::vector<std::int32_t> layers() const override { return {0, 2}; }
  std::int64_t bytes_per_subproblem() const override { return bytes; }
  std::int64_t held_bytes() const override { return held; }
  // Bounds are better by this much within splits; none: there is nothing to be gained.
  std::optional<double> per_scope;
  std::shared_ptr<std::atomic<int>> scopes = std::make_shared<std::atomic<int>>(0);
  std::shared_ptr<std::atomic<std::int64_t>> alive = std::make_shared<std::atomic<std::int64_t>>(0);
  std::unique_ptr<SplitBounder> within(std::span<const NeuronSplit> splits) const override {
    EXPECT_FALSE(splits.empty());
    if (!per_scope) return nullptr;
    auto result = std::make_unique<CountingBounder>();
    result->neurons = neurons;
    result->start = start + *per_scope;
    result->per_split = per_split;
    result->per_scope = per_scope;
    result->scopes = scopes;
    result->held = held;
    // They live as long as the scopes that wait.
    result->alive = alive;
    *alive = std::max<std::int64_t>(*alive, alive.use_count() - 1);
    ++*scopes;
    return result;
  }
};

struct Case {
  CountingBounder bounder;
  IdentityEvaluator evaluator;
  ActivationOptions options;
  ActivationStatistics statistics;
  Property property = identity_property(1, "(assert (<= Y_0 -0.5))");
  int accepted = 0;
  bool accept = false;
  std::function<void(const ActivationStatistics&)> progress = nullptr;

  ActivationEnd run(const Deadline& deadline = Deadline(5)) {
    const Specification specification = make_specification(property.regions[0], 1, 1);
    std::vector<std::int32_t> clauses;
    for (std::size_t c = 0; c < specification.clauses.size(); ++c) clauses.push_back(static_cast<std::int32_t>(c));
    const ActivationTools tools{bounder, evaluator,
                                [&](std::span<const double>) {
                                  ++accepted;
                                  return accept;
                                },
                                progress};
    return search_activations(specification, clauses, tools, options, deadline, statistics);
  }
};

TEST(ActivationSearch, ClosesWhatIsRefutedAtOnce) {
  Case setup;
  setup.bounder.start = 0.1;
  EXPECT_EQ(setup.run(), ActivationEnd::Closed);
  EXPECT_EQ(setup.statistics.closed, 1);
  EXPECT_EQ(setup.statistics.splits, 0);
}

TEST(ActivationSearch, SplitsUntilEveryLeafIsRefuted) {
  Case setup;
  setup.bounder.start = -0.9;
  EXPECT_EQ(setup.run(), ActivationEnd::Closed);
  EXPECT_EQ(setup.statistics.splits, 3);  // the root and both halves
  EXPECT_EQ(setup.statistics.closed, 4);
  EXPECT_EQ(setup.statistics.depth, 1);  // of open subproblems
  EXPECT_EQ(setup.statistics.open, 0);
  EXPECT_EQ(setup.statistics.worst_bound, kInf);
}

TEST(ActivationSearch, ItsTreeIsCountedByDepthAndLayer) {
  Case setup;
  setup.bounder.neurons = 4;
  setup.bounder.start = -1.4;
  EXPECT_EQ(setup.run(), ActivationEnd::Closed);
  const TreeStatistics& tree = setup.statistics.tree;
  ASSERT_EQ(tree.depths().size(), 4u);
  std::int64_t splits = 0, closed = 0;
  for (std::size_t d = 0; d < 4; ++d) {
    const auto halves = std::int64_t{1} << d;
    EXPECT_EQ(tree.depths()[d].opened, halves);
    EXPECT_EQ(tree.depths()[d].splits, d < 3 ? halves : 0);
    EXPECT_EQ(tree.depths()[d].closed, d < 3 ? 0 : halves);
    splits += tree.depths()[d].splits;
    closed += tree.depths()[d].closed;
  }
  EXPECT_EQ(splits, setup.statistics.splits);
  EXPECT_EQ(closed, setup.statistics.closed);
  // All candidates look alike, so that the first one is taken: 0 and 1 are the first layer's.
  EXPECT_EQ(tree.layer_splits(), (std::vector<std::int64_t>{3, 4}));
  EXPECT_GT(tree.seconds(SearchPhase::Halves), 0);
  EXPECT_GT(tree.seconds(SearchPhase::Roots), 0);
}

// What is left after a few splits is cut into scopes, whose bounds are refined: fewer splits are enough then, and every
// subproblem is accounted for.
TEST(ActivationSearch, CutsItsTreeIntoScopes) {
  const auto splits_of = [](std::optional<double> per_scope) {
    Case setup;
    setup.bounder.neurons = 12;
    setup.bounder.start = -3.9;
    setup.bounder.per_scope = per_scope;
    setup.options.splits_between = 1;
    setup.options.splits_per_scope = 5;
    setup.options.queries_per_round = 1;
    setup.options.subproblems_per_query = 4;
    std::int64_t most_open = 0;
    setup.progress = [&](const ActivationStatistics& now) { most_open = std::max(most_open, now.open); };
    EXPECT_EQ(setup.run(), ActivationEnd::Closed);
    EXPECT_EQ(*setup.bounder.scopes > 0, per_scope.has_value());
    EXPECT_EQ(setup.statistics.open, 0);
    EXPECT_EQ(setup.statistics.worst_bound, kInf);
    EXPECT_GT(most_open, 4);
    std::int64_t opened = 0, ended = 0;
    for (const TreeStatistics::Depth& depth : setup.statistics.tree.depths()) {
      opened += depth.opened;
      ended += depth.closed + depth.splits;
    }
    EXPECT_GE(opened, ended);
    EXPECT_LE(opened, ended + 2);  // the roots before the last refinement
    return setup.statistics.splits;
  };
  const std::int64_t without = splits_of(std::nullopt), equal = splits_of(0), better = splits_of(0.4);
  EXPECT_GE(without, 255);  // a whole tree of depth 8
  EXPECT_EQ(equal, without);
  EXPECT_LT(better, without / 2);
}

// What cannot be closed stays open, wherever it waits.
TEST(ActivationSearch, ScopesStayOpenWhereTimeOrMemoryEnds) {
  for (const bool by_time : {true, false}) {
    Case setup;
    setup.bounder.neurons = 60;
    setup.bounder.start = -3.9;
    setup.bounder.per_split = 0;
    setup.bounder.per_scope = 0;
    setup.options.splits_per_scope = 3;
    if (!by_time) setup.options.memory_bytes = 1 << 20;
    EXPECT_EQ(setup.run(Deadline(by_time ? 0.3 : 20)), by_time ? ActivationEnd::Stopped : ActivationEnd::Memory);
    EXPECT_GT(*setup.bounder.scopes, 2);
    EXPECT_EQ(setup.statistics.open, setup.statistics.splits + 1);
    EXPECT_NEAR(setup.statistics.worst_bound, -3.9, 1e-6);
  }
}

// Half of the memory is for what is open, bounders of scopes included: where it does not hold them, scopes are not cut.
TEST(ActivationSearch, ScopesTakeMemoryToo) {
  const auto most_alive = [](std::int64_t held) {
    Case setup;
    setup.bounder.neurons = 14;
    setup.bounder.start = -5.9;
    setup.bounder.per_scope = 0.1;
    setup.bounder.held = held;
    setup.options.splits_between = 1;
    setup.options.splits_per_scope = 3;
    setup.options.queries_per_round = 1;
    setup.options.subproblems_per_query = 4;
    setup.options.memory_bytes = 1 << 24;
    EXPECT_EQ(setup.run(), ActivationEnd::Closed);
    return setup.bounder.alive->load();
  };
  EXPECT_GT(most_alive(0), 3);
  EXPECT_EQ(most_alive(1 << 22), 1);
  EXPECT_EQ(most_alive(1 << 24), 0);
}

TEST(ActivationSearch, ReportsWhileItRefines) {
  Case setup;
  setup.bounder.start = 0.1;
  std::vector<ActivationStatistics> reports;
  setup.progress = [&](const ActivationStatistics& now) { reports.push_back(now); };
  setup.run();
  ASSERT_GE(reports.size(), 2u);
  EXPECT_EQ(reports[0].phase, SearchPhase::Refinement);
  EXPECT_EQ(reports[0].open, 1);
  EXPECT_EQ(reports.back().open, 0);
}

TEST(ActivationSearch, RefinesAgainWhereFewSplitsAreNotEnough) {
  Case setup;
  setup.bounder.neurons = 12;
  setup.bounder.start = -5.9;
  setup.bounder.stages = 2;
  setup.options.splits_between = 4;
  EXPECT_EQ(setup.run(), ActivationEnd::Closed);
  EXPECT_EQ(setup.bounder.refined, 3);
}

TEST(ActivationSearch, StagesEndByTheClockOrByCounts) {
  for (const bool deterministic : {false, true}) {
    Case setup;
    setup.bounder.start = -0.9;
    setup.options.deterministic = deterministic;
    EXPECT_EQ(setup.run(Deadline(100)), ActivationEnd::Closed);
    ASSERT_EQ(setup.bounder.visits_allowed.size(), 1u);
    if (deterministic) {
      EXPECT_EQ(setup.bounder.visits_allowed[0], setup.options.refine_visits);
      EXPECT_GT(setup.bounder.time_allowed[0], 50);
    } else {
      EXPECT_EQ(setup.bounder.visits_allowed[0], std::numeric_limits<std::int64_t>::max());
      EXPECT_LE(setup.bounder.time_allowed[0], 20);
    }
  }
}

TEST(ActivationSearch, StopsWhereItsRootsAreBoundedAgain) {
  Case setup;
  setup.bounder.neurons = 12;
  setup.bounder.start = -5.9;
  setup.bounder.stages = 2;
  setup.options.splits_between = 4;
  std::atomic<bool> interrupt{false};
  setup.bounder.interrupt_in = 1;
  setup.bounder.interrupt = &interrupt;
  EXPECT_EQ(setup.run(Deadline(100, Clock::now(), &interrupt)), ActivationEnd::Stopped);
  // What three rounds of the first stage have left.
  EXPECT_EQ(setup.statistics.open, 8);
  EXPECT_NEAR(setup.statistics.worst_bound, -4.4, 1e-9);
}

TEST(ActivationSearch, WithoutRefinementNothingCountsAsClosed) {
  Case setup;
  setup.bounder.stages = 0;
  setup.bounder.neurons = 0;
  EXPECT_EQ(setup.run(), ActivationEnd::Stuck);
}

TEST(ActivationSearch, ZeroRefutesNothing) {
  Case setup;
  setup.bounder.start = 0;
  setup.bounder.neurons = 0;
  EXPECT_EQ(setup.run(), ActivationEnd::Stuck);
}

TEST(ActivationSearch, ErrorsNaNAndInfinityRefuteNothing) {
  Case setup;
  setup.bounder.neurons = 0;
  setup.bounder.start = 1;
  setup.bounder.error = 1;
  EXPECT_EQ(setup.run(), ActivationEnd::Stuck);
  setup.bounder.error = 0;
  for (const double bound : {kInf, std::numeric_limits<double>::quiet_NaN(), -kInf}) {
    setup.bounder.start = bound;
    EXPECT_EQ(setup.run(), ActivationEnd::Stuck) << bound;
  }
}

// The rows are y + 0.5 and y + 0.7, which the sweep sees at 1.0 and 1.2: weights move to the second.
TEST(ActivationSearch, FindsWeightsForTheRowsOfAClause) {
  Case setup;
  setup.property = identity_property(1, "(assert (and (<= Y_0 -0.5) (<= Y_0 -0.7)))");
  setup.bounder.neurons = 0;
  setup.bounder.of_constant = 1;
  setup.bounder.start = -0.69;
  EXPECT_EQ(setup.run(), ActivationEnd::Closed);
  setup.bounder.start = -0.71;
  EXPECT_EQ(setup.run(), ActivationEnd::Stuck);
}

TEST(ActivationSearch, EveryClauseMustClose) {
  Case setup;
  setup.property = identity_property(1, "(assert (or (<= Y_0 -0.5) (<= Y_0 -0.7)))");
  setup.bounder.neurons = 0;
  setup.bounder.of_constant = 1;
  setup.bounder.start = -0.6;
  EXPECT_EQ(setup.run(), ActivationEnd::Stuck);
  setup.bounder.start = -0.4;
  EXPECT_EQ(setup.run(), ActivationEnd::Closed);
}

TEST(ActivationSearch, OffersMinimisersThatLookLikeViolations) {
  Case setup;
  setup.property = identity_property(1, "(assert (<= Y_0 0.6))");
  setup.accept = true;
  EXPECT_EQ(setup.run(), ActivationEnd::Violated);
  EXPECT_EQ(setup.accepted, 1);
}

// Where nothing is left to split, a leaf gets the multipliers of its linear program.
TEST(ActivationSearch, ClosesLeavesByTheirLinearPrograms) {
  Case setup;
  setup.bounder.neurons = 2;
  setup.bounder.start = -1.5;
  setup.bounder.per_multiplier = 0.3;
  EXPECT_EQ(setup.run(), ActivationEnd::Stuck);
  EXPECT_EQ(setup.bounder.optima, 4);
  setup.bounder.leaf_optimum = LeafOptimum{{1, 1}, {}, {0.5}, 3};
  EXPECT_EQ(setup.run(), ActivationEnd::Closed);
  // No multiplier makes a bound of what is none.
  setup.bounder.leaf_optimum->multipliers = {std::numeric_limits<float>::quiet_NaN(), 1};
  EXPECT_EQ(setup.run(), ActivationEnd::Stuck);
  EXPECT_EQ(setup.accepted, 0);
}

TEST(ActivationSearch, OffersThePointsOfLinearPrograms) {
  Case setup;
  setup.bounder.neurons = 1;
  setup.bounder.start = -1.5;
  setup.bounder.leaf_optimum = LeafOptimum{{1}, {}, {-0.6}, 2};  // violates y <= -0.5
  setup.accept = true;
  EXPECT_EQ(setup.run(), ActivationEnd::Violated);
  EXPECT_EQ(setup.accepted, 1);
}

TEST(ActivationSearch, StopsWithItsDeadline) {
  Case setup;
  setup.bounder.neurons = 1000;
  setup.bounder.per_split = 0;
  EXPECT_EQ(setup.run(Deadline(0.1)), ActivationEnd::Stopped);
  EXPECT_GT(setup.statistics.open, 0);
  EXPECT_NEAR(setup.statistics.worst_bound, -1, 1e-9);
  EXPECT_EQ(setup.run(Deadline(1e-9)), ActivationEnd::Stopped);
}

TEST(ActivationSearch, DivesAndEndsWithItsMemory) {
  Case setup;
  setup.bounder.neurons = 40;
  setup.bounder.per_split = 0;
  setup.options.memory_bytes = 1 << 16;
  EXPECT_EQ(setup.run(), ActivationEnd::Memory);
  // A dive in half of the memory is enough where each leaf closes some levels below.
  Case dive;
  dive.bounder.neurons = 40;
  dive.bounder.start = -5.9;
  dive.options.memory_bytes = 1 << 17;
  dive.options.subproblems_per_query = 2;
  dive.options.queries_per_round = 1;
  EXPECT_EQ(dive.run(), ActivationEnd::Closed);
}

// 16 MiB for open subproblems are plenty here, but not beside queries of 1 MiB for each of theirs.
TEST(ActivationSearch, QueriesTakeMemoryToo) {
  std::vector<std::size_t> largest;
  for (const std::int64_t bytes : {std::int64_t{0}, std::int64_t{1} << 16, std::int64_t{1} << 20}) {
    Case setup;
    setup.bounder.neurons = 12;
    setup.bounder.start = -3.9;
    setup.bounder.bytes = bytes;
    setup.options.memory_bytes = std::int64_t{16} << 20;
    EXPECT_EQ(setup.run(), ActivationEnd::Closed) << bytes;
    EXPECT_LE(static_cast<std::int64_t>(setup.bounder.largest) * bytes, setup.options.memory_bytes / 4);
    largest.push_back(setup.bounder.largest);
  }
  EXPECT_GT(largest[0], largest[1]);
  EXPECT_GT(largest[1], largest[2]);
  Case none;
  none.bounder.bytes = std::int64_t{8} << 20;
  none.options.memory_bytes = std::int64_t{16} << 20;
  EXPECT_EQ(none.run(), ActivationEnd::Memory);
}

TEST(ActivationSearch, AClosedViolationIsAnInternalError) {
  Case setup;
  setup.bounder.start = -0.9;
  setup.options.observed = {0.5};
  setup.options.observed_clause = 0;
  EXPECT_THROW(setup.run(), InternalError);
  setup.options.observed_clause = 1;
  EXPECT_EQ(setup.run(), ActivationEnd::Closed);
}

TEST(ActivationSearch, TheTreeDoesNotDependOnTheThreads) {
  ActivationStatistics first;
  for (const int threads : {1, 2, 4}) {
    Case setup;
    setup.bounder.neurons = 40;
    setup.bounder.start = -4.9;
    tbb::task_arena arena(threads);
    arena.execute([&] { EXPECT_EQ(setup.run(), ActivationEnd::Closed); });
    if (threads == 1) first = setup.statistics;
    EXPECT_EQ(setup.statistics.splits, first.splits);
    EXPECT_EQ(setup.statistics.walks, first.walks);
    EXPECT_EQ(setup.statistics.peak_open, first.peak_open);
  }
}

}  // namespace
}  // namespace boundflow
