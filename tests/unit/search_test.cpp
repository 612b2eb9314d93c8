#include "search/search.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tbb/task_arena.h>

#include <limits>
#include <new>
#include <thread>

#include "base/error.hpp"
#include "support/search_mocks.hpp"

namespace boundflow {
namespace {

using testing::StartsWith;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

const std::string kFalse = "(assert (<= Y_0 -0.5))";  // y >= 0 refutes it by 0.5

struct Mocks {
  IdentityBounder bounder;
  IdentityBounder precise;
  IdentityEvaluator evaluator;
  FixedReplayer replayer{ReplayResult::Refuted};
  SearchOptions options;

  SearchResult run(const Property& property, const Deadline& deadline = Deadline(2)) const {
    return search(property, {bounder, precise, evaluator, replayer}, options, deadline);
  }
  // Neither bounder ever closes anything.
  void never_close() {
    const auto spoil = [](const BoundQuery&, const Deadline&, BoundAnswer& answer) {
      for (double& nominal : answer.nominal) nominal -= 10;
      for (double& constant : answer.form_constant) constant -= 10;
    };
    bounder.spoil = spoil;
    precise.spoil = spoil;
  }
};

TEST(Search, OneGoodBoundIsAProof) {
  Mocks setup;
  const SearchResult result = setup.run(identity_property(1, kFalse));
  EXPECT_EQ(result.verdict, Verdict::Unsat);
  EXPECT_EQ(result.statistics.subproblems, 1);
  EXPECT_EQ(result.statistics.closed, 1);
  EXPECT_EQ(result.statistics.open, 0);
  EXPECT_EQ(result.statistics.worst_bound, kInf);
}

TEST(Search, EveryClauseAndRegionMustClose) {
  Mocks setup;
  setup.options.attack_share = 0;
  EXPECT_EQ(setup.run(identity_property(1, "(assert (or (<= Y_0 -0.5) (>= Y_0 1.5)))")).verdict, Verdict::Unsat);
  EXPECT_NE(setup.run(identity_property(1, "(assert (or (<= Y_0 -0.5) (>= Y_0 0.5)))"), Deadline(0.1)).verdict,
            Verdict::Unsat);
  const std::string regions = "(assert (or (and (<= X_0 0.4) (>= Y_0 0.5)) (and (>= X_0 0.6) (<= Y_0 0.61))))";
  EXPECT_NE(setup.run(identity_property(1, regions), Deadline(0.1)).verdict, Verdict::Unsat);
}

TEST(Search, SplittingProvesWhatOneBoundDoesNot) {
  Mocks setup;
  setup.bounder.looseness = setup.precise.looseness = 2;
  const SearchResult result = setup.run(identity_property(2, "(assert (<= (+ Y_0 Y_1) -0.5))"));
  EXPECT_EQ(result.verdict, Verdict::Unsat);
  EXPECT_GT(result.statistics.subproblems, 3);
  EXPECT_EQ(result.statistics.closed, result.statistics.splits + 1);
  const TreeStatistics& tree = result.statistics.tree;
  ASSERT_EQ(std::ssize(tree.depths()), result.statistics.depth + 1);
  std::int64_t splits = 0;
  for (std::size_t d = 0; d < tree.depths().size(); ++d) {
    const TreeStatistics::Depth& depth = tree.depths()[d];
    EXPECT_EQ(depth.opened, d == 0 ? 1 : 2 * tree.depths()[d - 1].splits);
    EXPECT_EQ(depth.opened, depth.closed + depth.splits);
    splits += depth.splits;
  }
  EXPECT_EQ(splits, result.statistics.splits);
  EXPECT_EQ(tree.input_splits().at(0) + tree.input_splits().at(1), splits);
  EXPECT_GT(tree.seconds(SearchPhase::Boxes), 0);
  const std::vector<BoundHistory::Sample> samples = result.statistics.history.samples();
  ASSERT_GE(samples.size(), 2u);
  EXPECT_EQ(samples.front().open, 1);
  EXPECT_EQ(samples.back().open, 0);
}

TEST(Search, WitnessesComeFromTheReplayerOnly) {
  const Property property = identity_property(1, "(assert (>= Y_0 0.5))");
  {
    Mocks setup;
    SearchOptions options;
    const FixedReplayer accepting(ReplayResult::Violated);
    const SearchResult result =
        search(property, {setup.bounder, setup.precise, setup.evaluator, accepting}, options, Deadline(2));
    EXPECT_EQ(result.verdict, Verdict::Sat);
    ASSERT_TRUE(result.witness.has_value());
    EXPECT_GE(result.witness->input.at(0), Rational(1, 2));
    EXPECT_EQ(result.reason, "");
  }
  Mocks refusing;
  const SearchResult result = refusing.run(property, Deadline(0.2));
  EXPECT_GT(refusing.replayer.calls, 0);
  EXPECT_THAT(result.verdict, testing::AnyOf(Verdict::Timeout, Verdict::Unknown));
  EXPECT_FALSE(result.witness.has_value());
}

TEST(Search, AViolationOfTheRealsAloneIsTheLastResort) {
  Mocks setup;
  const FixedReplayer reals(ReplayResult::ViolatedInRealsOnly);
  const SearchResult result = search(identity_property(1, "(assert (>= Y_0 0.5))"),
                                     {setup.bounder, setup.precise, setup.evaluator, reals}, {}, Deadline(0.2));
  EXPECT_EQ(result.verdict, Verdict::Sat);
  EXPECT_TRUE(result.witness.has_value());
}

// Works for a second, in slices, as an executor does between blocks.
void work_slowly(const BoundQuery&, const Deadline& deadline, BoundAnswer& answer) {
  for (int slice = 0; slice < 50; ++slice) {
    if (deadline.should_stop()) {
      answer = BoundAnswer();
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

TEST(Search, TheDeadlineHoldsInsideASlowQuery) {
  Mocks setup;
  setup.bounder.spoil = work_slowly;
  const auto start = Clock::now();
  const SearchResult result = setup.run(identity_property(1, kFalse), Deadline(0.3));
  const double elapsed = seconds_between(start, Clock::now());
  EXPECT_EQ(result.verdict, Verdict::Timeout);
  EXPECT_GT(elapsed, 0.25);
  EXPECT_LT(elapsed, 0.6);
  EXPECT_EQ(result.statistics.open, 1);
}

TEST(Search, AnInterruptStopsASlowQuery) {
  Mocks setup;
  setup.bounder.spoil = work_slowly;
  std::atomic<bool> interrupt{false};
  std::thread user([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    interrupt = true;
  });
  const SearchResult result = setup.run(identity_property(1, kFalse), Deadline(60, Clock::now(), &interrupt));
  user.join();
  EXPECT_EQ(result.verdict, Verdict::Unknown);
  EXPECT_EQ(result.reason, "interrupted");
}

TEST(Search, TheMemoryLimitEndsInUnknown) {
  Mocks setup;
  setup.never_close();
  setup.options.memory_bytes = 50'000;
  const SearchResult result = setup.run(identity_property(2, kFalse), Deadline(20));
  EXPECT_EQ(result.verdict, Verdict::Unknown);
  EXPECT_EQ(result.reason, "memory");
  EXPECT_GT(result.statistics.open, 10);
  EXPECT_LT(result.statistics.worst_bound, 0);
}

// An allocation fails in the middle of a round: its subproblems are lost to the search, but not to its answer.
TEST(Search, RunningOutOfMemoryEndsInUnknown) {
  Mocks setup;
  setup.never_close();
  setup.bounder.spoil = [never_close = setup.bounder.spoil, &calls = setup.bounder.calls](
                            const BoundQuery& query, const Deadline& deadline, BoundAnswer& answer) {
    if (calls > 20) throw std::bad_alloc();
    never_close(query, deadline, answer);
  };
  const SearchResult result = setup.run(identity_property(2, kFalse), Deadline(20));
  EXPECT_EQ(result.verdict, Verdict::Unknown);
  EXPECT_EQ(result.reason, "memory");
  EXPECT_GT(result.statistics.open, 0);
  EXPECT_LT(result.statistics.worst_bound, 0);
}

// What is set aside takes memory too.
TEST(Search, TheMemoryLimitCountsWhatCannotBeSplit) {
  Mocks setup;
  setup.options.memory_bytes = 3000;
  const auto blocked = [](const BoundQuery& query, const Deadline&, BoundAnswer& answer) {
    for (std::size_t n = 0; n < answer.error.size(); ++n) {
      answer.nominal[n] = 0.5;
      answer.error[n] = query.subproblems == 0 ? 0 : 1;
    }
    for (double& constant : answer.form_constant) constant -= 1;
  };
  setup.bounder.spoil = setup.precise.spoil = blocked;
  const SearchResult result = setup.run(identity_property(4, kFalse), Deadline(20));
  EXPECT_EQ(result.verdict, Verdict::Unknown);
  EXPECT_EQ(result.reason, "memory");
}

// A query's answer has a form per row: many inputs make for few subproblems at once.
TEST(Search, LargeAnswersAreAskedForOneByOne) {
  for (const std::int64_t bytes : {std::int64_t{1}, std::int64_t{64} << 20}) {
    Mocks setup;
    setup.never_close();
    setup.options.answer_bytes = bytes;
    setup.options.memory_bytes = 50'000;
    std::atomic<std::int64_t> largest{0};
    setup.bounder.spoil = [&, never_close = setup.bounder.spoil](const BoundQuery& query, const Deadline& deadline,
                                                                 BoundAnswer& answer) {
      std::int64_t seen = largest;
      while (seen < query.subproblems && !largest.compare_exchange_weak(seen, query.subproblems)) {
      }
      never_close(query, deadline, answer);
    };
    EXPECT_EQ(setup.run(identity_property(2, kFalse), Deadline(20)).reason, "memory");
    EXPECT_EQ(largest > 1, bytes > 1);
  }
}

TEST(Search, AStoppedReplayIsNoWitness) {
  Mocks setup;
  const FixedReplayer stopped(ReplayResult::Stopped);
  const SearchResult result = search(identity_property(1, "(assert (>= Y_0 0.5))"),
                                     {setup.bounder, setup.precise, setup.evaluator, stopped}, {}, Deadline(0.2));
  EXPECT_GT(stopped.calls, 0);
  EXPECT_NE(result.verdict, Verdict::Sat);
  EXPECT_NE(result.verdict, Verdict::Unsat);
}

// Each fault alone must not become a proof: not through the bound, not through clipping, not through combinations.
TEST(Search, FaultyNumbersNeverProveAnything) {
  struct Fault {
    const char* name;
    std::function<void(BoundAnswer&)> apply;
  };
  const auto fill = [](std::vector<double>& values, double value) { std::fill(values.begin(), values.end(), value); };
  const std::vector<Fault> faults = {
      {"all NaN",
       [&](BoundAnswer& a) {
         for (auto* values : {&a.nominal, &a.error, &a.form, &a.form_constant}) fill(*values, kNaN);
       }},
      {"all infinite",
       [&](BoundAnswer& a) {
         for (auto* values : {&a.nominal, &a.error, &a.form, &a.form_constant}) fill(*values, kInf);
       }},
      {"infinite bound without error",
       [&](BoundAnswer& a) {
         fill(a.nominal, kInf);
         fill(a.form_constant, kInf);
       }},
      {"NaN error",
       [&](BoundAnswer& a) {
         fill(a.error, kNaN);
         fill(a.form_constant, kNaN);
       }},
      {"infinite error",
       [&](BoundAnswer& a) {
         fill(a.error, kInf);
         fill(a.form_constant, -kInf);
       }},
      {"NaN form",
       [&](BoundAnswer& a) {
         fill(a.nominal, kNaN);
         fill(a.form, kNaN);
       }},
      {"infinite form",
       [&](BoundAnswer& a) {
         fill(a.nominal, kInf);
         fill(a.form, kInf);
       }},
  };
  for (const Fault& fault : faults) {
    for (const std::string& assertions :
         {std::string(kFalse), std::string("(assert (<= Y_0 -0.5))(assert (>= Y_1 1.5))"),
          std::string("(assert (or (and (<= Y_0 -0.5) (<= Y_1 -0.5)) (>= Y_1 1.5)))")}) {
      SCOPED_TRACE(std::string(fault.name) + assertions);
      Mocks setup;
      const auto spoil = [&](const BoundQuery&, const Deadline&, BoundAnswer& answer) { fault.apply(answer); };
      setup.bounder.spoil = spoil;
      setup.precise.spoil = spoil;
      setup.options.attack_share = 0;
      const SearchResult result = setup.run(identity_property(2, assertions), Deadline(0.05));
      EXPECT_NE(result.verdict, Verdict::Unsat);
      EXPECT_NE(result.verdict, Verdict::Sat);
    }
  }
}

TEST(Search, AnIncompleteAnswerIsNotRead) {
  Mocks setup;
  setup.bounder.spoil = [](const BoundQuery&, const Deadline&, BoundAnswer& answer) { answer.complete = false; };
  EXPECT_EQ(setup.run(identity_property(1, kFalse), Deadline(0.1)).verdict, Verdict::Timeout);
}

TEST(Search, TheTreeDoesNotDependOnTheThreads) {
  const Property property = identity_property(
      2,
      "(assert (or (<= (+ Y_0 Y_1) -0.1) (>= (+ Y_0 Y_1) 2.1) (and (<= Y_0 0.1) (<= Y_1 0.1) (>= (+ Y_0 Y_1) 0.3))))");
  std::vector<SearchStatistics> runs;
  for (const int threads : {1, 2, 2}) {
    Mocks setup;
    setup.bounder.looseness = setup.precise.looseness = 1.5;
    tbb::task_arena arena(threads);
    SearchResult result;
    arena.execute([&] { result = setup.run(property, Deadline(10)); });
    EXPECT_EQ(result.verdict, Verdict::Unsat);
    runs.push_back(result.statistics);
  }
  EXPECT_GT(runs[0].subproblems, 100);
  for (const SearchStatistics& run : runs) {
    EXPECT_EQ(run.subproblems, runs[0].subproblems);
    EXPECT_EQ(run.rows, runs[0].rows);
    EXPECT_EQ(run.splits, runs[0].splits);
    EXPECT_EQ(run.depth, runs[0].depth);
    EXPECT_EQ(run.peak_open, runs[0].peak_open);
  }
}

void spoil_with_error(IdentityBounder& bounder, double float32_error, double real_error) {
  bounder.spoil = [=](const BoundQuery& query, const Deadline&, BoundAnswer& answer) {
    add_error(answer, query.semantics == Semantics::Float32 ? float32_error : real_error);
  };
}

TEST(Search, WhatOnlyTheErrorKeepsOpenIsBoundedPrecisely) {
  Mocks setup;
  spoil_with_error(setup.bounder, 1, 1);
  const SearchResult result = setup.run(identity_property(1, kFalse));
  EXPECT_EQ(result.verdict, Verdict::Unsat);
  EXPECT_EQ(result.statistics.precise, 1);
  EXPECT_EQ(setup.precise.calls, 1);
}

TEST(Search, AGapOfTheDeployedSemanticsIsNamed) {
  Mocks setup;
  spoil_with_error(setup.bounder, 1, 1);
  spoil_with_error(setup.precise, 1, 0);
  const SearchResult result = setup.run(identity_property(1, kFalse));
  EXPECT_EQ(result.verdict, Verdict::Unknown);
  EXPECT_THAT(result.reason, StartsWith("proved for real arithmetic, float32 gap"));
  setup.options.semantics = Semantics::Real;
  EXPECT_EQ(setup.run(identity_property(1, kFalse)).verdict, Verdict::Unsat);
}

TEST(Search, AGapOfTheAnalysisItselfIsNotCalledProved) {
  Mocks setup;
  spoil_with_error(setup.bounder, 1, 1);
  spoil_with_error(setup.precise, 1, 1);
  const SearchResult result = setup.run(identity_property(1, kFalse), Deadline(1));
  EXPECT_EQ(result.verdict, Verdict::Unknown);
  EXPECT_THAT(result.reason, StartsWith("precision"));
}

TEST(Search, AThrowingBounderIsNoVerdict) {
  for (const bool in_precise : {false, true}) {
    Mocks setup;
    const auto fail = [](const BoundQuery&, const Deadline&, BoundAnswer&) { throw InternalError("broken"); };
    if (in_precise) {
      spoil_with_error(setup.bounder, 1, 1);
      setup.precise.spoil = fail;
    } else {
      setup.bounder.spoil = fail;
    }
    EXPECT_THROW(setup.run(identity_property(1, kFalse)), InternalError);
  }
}

// A bounder that lies is caught by a point that is known to violate the property.
TEST(Search, TheObserverCatchesADroppedViolation) {
  const Property property = identity_property(1, "(assert (>= Y_0 0.5))");
  const auto lie = [](const BoundQuery& query, const Deadline&, BoundAnswer& answer) {
    for (std::size_t n = 0; n < answer.nominal.size(); ++n) {
      // Only in small boxes, so that the fault is met deep in the tree.
      if (query.upper[static_cast<std::size_t>(query.owners[n])] -
              query.lower[static_cast<std::size_t>(query.owners[n])] <
          0.01) {
        answer.nominal[n] += 10;
        answer.form_constant[n] += 10;
      }
    }
  };
  Mocks setup;
  setup.bounder.spoil = lie;
  setup.options.attack_share = 0;
  EXPECT_EQ(setup.run(property).verdict, Verdict::Unsat);  // the lie, unobserved
  setup.options.observed = ObservedViolation{{0.75}, 0, 0};
  EXPECT_THROW(setup.run(property), InternalError);
}

// Two regions of two inputs, whose bounds are -0.5 and -1.5, for splitting the signs of neurons.
struct TwoRegions : Mocks {
  Property property =
      identity_property(2, "(assert (or (and (<= X_0 0.4) (<= Y_1 -0.5)) (and (>= X_0 0.6) (<= Y_1 0.5))))");
  std::function<std::unique_ptr<SplitBounder>()> make;

  TwoRegions() {
    bounder.looseness = precise.looseness = 1;
    options.most_inputs_to_split = 1;
  }
  SearchResult run(const Deadline& deadline) const {
    const auto split_bounder = [&](const InputBox&, const Deadline&) { return make(); };
    return search(property, {bounder, precise, evaluator, replayer, split_bounder}, options, deadline);
  }
};

TEST(Search, RegionsThatWaitForSplittingNeuronsAreOpen) {
  TwoRegions setup;
  // The time limit passes before the first one's bounder is made.
  setup.make = []() -> std::unique_ptr<SplitBounder> { throw StoppedError(false); };
  const SearchResult result = setup.run(Deadline(20));
  EXPECT_EQ(result.statistics.subproblems, 2);
  EXPECT_EQ(result.statistics.open, 2);
  EXPECT_NEAR(result.statistics.worst_bound, -1.5, 1e-6);
  EXPECT_EQ(result.statistics.peak_open, 2);
}

// Never ready, and stopped in its first stage of refinement.
class SlowToRefine final : public SplitBounder {
 public:
  bool bound(const LinearSpec&, std::span<SplitSubproblem* const>, const SplitEffort&, const Deadline&,
             std::vector<SplitAnswer>&) const override {
    return false;
  }
  std::vector<Narrowed> narrow_halves(const LinearSpec&, const SplitSubproblem&, std::span<const SplitPoint>,
                                      const Deadline&) const override {
    return {};
  }
  bool refine(int, const RefinementLimit& limit) override {
    while (!limit.until.should_stop()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return true;
  }
  std::vector<NeuronRange> ranges_at(std::span<const double>, const Deadline&) const override { return {}; }
  std::vector<std::int32_t> layers() const override { return {}; }
  std::int64_t bytes_per_subproblem() const override { return 0; }
};

TEST(Search, ARegionIsOpenWhileItsBoundsAreRefined) {
  TwoRegions setup;
  setup.make = [] { return std::make_unique<SlowToRefine>(); };
  std::atomic<bool> interrupt{false};
  std::thread user([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    interrupt = true;
  });
  const SearchResult result = setup.run(Deadline(20, Clock::now(), &interrupt));
  user.join();
  EXPECT_EQ(result.reason, "interrupted");
  EXPECT_EQ(result.statistics.open, 2);
  EXPECT_NEAR(result.statistics.worst_bound, -1.5, 1e-6);
}

// One bound for every row, and nothing to split.
class OneBound final : public SplitBounder {
 public:
  explicit OneBound(double value) : value_(value) {}
  bool bound(const LinearSpec& spec, std::span<SplitSubproblem* const> subproblems, const SplitEffort&, const Deadline&,
             std::vector<SplitAnswer>& answers) const override {
    answers.assign(subproblems.size(), {});
    for (SplitAnswer& answer : answers) {
      answer.nominal = value_;
      answer.minimizer.assign(static_cast<std::size_t>(spec.inputs), 0.5);
    }
    return true;
  }
  std::vector<Narrowed> narrow_halves(const LinearSpec&, const SplitSubproblem&, std::span<const SplitPoint>,
                                      const Deadline&) const override {
    return {};
  }
  bool refine(int, const RefinementLimit&) override { return false; }
  std::vector<NeuronRange> ranges_at(std::span<const double>, const Deadline&) const override { return {}; }
  std::vector<std::int32_t> layers() const override { return {}; }
  std::int64_t bytes_per_subproblem() const override { return 0; }

 private:
  double value_;
};

// Their inputs are split, without any headway.
struct RegionsWithoutHeadway : TwoRegions {
  RegionsWithoutHeadway() {
    never_close();
    options.most_inputs_to_split = 2;
    options.first_try_of_signs = 64;
    options.attack_share = 0;
  }
};

TEST(Search, RegionsWithoutHeadwayAreTriedBySplittingSigns) {
  RegionsWithoutHeadway setup;
  int tries = 0;
  setup.make = [&] {
    ++tries;
    return std::make_unique<OneBound>(1);
  };
  const SearchResult result = setup.run(Deadline(20));
  EXPECT_EQ(result.verdict, Verdict::Unsat);
  EXPECT_EQ(tries, 2);
  const SearchStatistics& statistics = result.statistics;
  EXPECT_EQ(statistics.open, 0);
  // Boxes of the two regions, and the two roots of the tries.
  EXPECT_EQ(statistics.closed, 2 + statistics.splits + 2);
  std::int64_t opened = 0, ended = 0;
  for (const TreeStatistics::Depth& depth : statistics.tree.depths()) {
    opened += depth.opened;
    ended += depth.closed + depth.splits;
  }
  EXPECT_EQ(opened, ended);
}

// Where signs decide nothing in their half of the time, boxes are halved, of every region.
TEST(Search, FewInputsAreSplitAfterSigns) {
  TwoRegions setup;
  int begun = 0;
  setup.make = [&] {
    ++begun;
    return std::make_unique<SlowToRefine>();
  };
  const SearchResult never = setup.run(Deadline(0.3));
  EXPECT_EQ(begun, 1);  // and it has all of the time
  EXPECT_EQ(never.verdict, Verdict::Timeout);
  EXPECT_EQ(never.statistics.splits, 0);
  begun = 0;
  setup.options.most_inputs_to_split_late = 2;
  const SearchResult late = setup.run(Deadline(0.6));
  EXPECT_EQ(begun, 2);
  EXPECT_EQ(late.verdict, Verdict::Timeout);  // the second region is violated, as the replayer does not say
  EXPECT_GT(late.statistics.splits, 0);
  EXPECT_GT(late.statistics.closed, 0);
}

TEST(Search, ATryThatDecidesNothingLeavesTheBoxesAsTheyWere) {
  RegionsWithoutHeadway setup;
  int tries = 0;
  setup.make = [&] {
    ++tries;
    return std::make_unique<OneBound>(-1);
  };
  setup.options.deterministic = true;
  const SearchResult result = setup.run(Deadline(1));
  EXPECT_EQ(result.verdict, Verdict::Timeout);
  EXPECT_EQ(tries, 2);  // without neurons to split, one for each region
  EXPECT_GT(result.statistics.open, 64);
}

TEST(Search, TriesTakeNoMoreTimeThanTheBoxes) {
  RegionsWithoutHeadway setup;
  int tries = 0;
  setup.make = [&] {
    ++tries;
    return std::make_unique<SlowToRefine>();
  };
  const SearchResult result = setup.run(Deadline(1.5));
  EXPECT_EQ(result.verdict, Verdict::Timeout);
  EXPECT_GE(tries, 1);
  EXPECT_LT(result.statistics.tree.seconds(SearchPhase::Refinement), 1.4);
  EXPECT_GT(result.statistics.open, 64);
  setup.options.first_try_of_signs = std::numeric_limits<std::int64_t>::max();
  tries = 0;
  EXPECT_EQ(setup.run(Deadline(0.2)).verdict, Verdict::Timeout);
  EXPECT_EQ(tries, 0);
}

TEST(Search, NothingIsKnownBeforeTheFirstBound) {
  Mocks setup;
  const SearchResult result = setup.run(identity_property(2, kFalse), Deadline(1e-9));
  EXPECT_EQ(result.verdict, Verdict::Timeout);
  EXPECT_EQ(result.statistics.open, 1);
  EXPECT_EQ(result.statistics.worst_bound, -kInf);
}

TEST(Search, ProgressIsReportedWhileItRuns) {
  Mocks setup;
  setup.never_close();
  int reports = 0;
  double last = 0;
  setup.options.progress = [&](const SearchProgress& progress) {
    ++reports;
    EXPECT_GE(progress.elapsed_s, last);
    EXPECT_GE(progress.open, 1);
    last = progress.elapsed_s;
  };
  setup.run(identity_property(2, kFalse), Deadline(0.5));
  EXPECT_GE(reports, 2);
  EXPECT_LE(reports, 6);
}

TEST(Search, APropertyWithoutRegionsHolds) {
  Mocks setup;
  Property property;
  property.input_count = property.output_count = 1;
  EXPECT_EQ(setup.run(property).verdict, Verdict::Unsat);
  EXPECT_EQ(setup.bounder.calls, 0);
}

}  // namespace
}  // namespace boundflow
