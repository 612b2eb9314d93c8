// The funnel: order, rounds, what is disabled, how many rewrites, what is shown.
#include "passes/passes.hpp"

#include <gtest/gtest.h>

#include <set>

#include "ops/sample_network.hpp"
#include "support/pass_checks.hpp"

namespace boundflow {
namespace {

// Two identities in a row, and two equal reshapes of them.
Network with_identities() {
  Random random(1);
  SampleNetwork sample(random);
  const ValueId x = sample.input({2, 3});
  const ValueId once = sample.node("Identity", {x});
  const ValueId twice = sample.node("Identity", {once});
  const ValueId a = sample.node("Relu", {twice}), b = sample.node("Relu", {twice});
  return sample.finish("Add", {a, b});
}

TEST(Passes, TheTableHasUniqueNames) {
  std::set<std::string_view> names;
  for (const Pass& pass : pass_table()) EXPECT_TRUE(names.insert(pass.name).second) << pass.name;
  EXPECT_GE(names.size(), 8U);
}

TEST(Passes, RunUntilNothingIsLeft) {
  const Network after = run_passes(with_identities(), operator_table());
  EXPECT_EQ(after.nodes().size(), 2U);
  EXPECT_EQ(count_op(after, "Relu"), 1);
  EXPECT_EQ(print(run_passes(after, operator_table())), print(after));
}

TEST(Passes, WhatIsDisabledDoesNotRun) {
  const Network network = with_identities();
  const auto without = [&](std::set<std::string, std::less<>> names) {
    return run_passes(network, operator_table(), pass_table(), {.disabled = std::move(names)});
  };
  EXPECT_EQ(count_op(without({"compose-layouts"}), "Identity"), 2);
  EXPECT_EQ(count_op(without({"merge-equal"}), "Relu"), 2);
  std::set<std::string, std::less<>> all;
  for (const Pass& pass : pass_table()) all.emplace(pass.name);
  EXPECT_EQ(print(without(all)), print(network));
}

TEST(Passes, TheLimitCountsRewrites) {
  const Network network = with_identities();
  std::string previous = print(network);
  int steps = 0;
  for (std::int64_t limit = 0; limit < 10; ++limit) {
    const Network after = run_passes(network, operator_table(), pass_table(), {.limit = limit});
    const std::string text = print(after);
    if (limit == 0) {
      EXPECT_EQ(text, previous);
    } else if (text != previous) {
      ++steps;
    }
    previous = text;
  }
  EXPECT_EQ(steps, 3);  // the identities and the second Relu, one by one
  EXPECT_EQ(previous, print(run_passes(network, operator_table())));
}

TEST(Passes, EachIsShownAndTimed) {
  std::vector<std::string> shown;
  NetworkPassOptions options;
  options.after = [&](std::string_view pass, const Network&) { shown.emplace_back(pass); };
  options.trace = std::make_shared<Trace>();
  run_passes(with_identities(), operator_table(), pass_table(), options);
  ASSERT_GE(shown.size(), pass_table().size());
  for (std::size_t i = 0; i < pass_table().size(); ++i) EXPECT_EQ(shown[i], pass_table()[i].name);
  for (const Pass& pass : pass_table()) EXPECT_TRUE(options.trace->totals().contains({SpanKind::Pass, pass.name}));
}

TEST(Passes, ABrokenNetworkIsNoticedRightBehindItsPass) {
  const Pass broken{"broken", [](const Network& network, const OperatorTable&, RewriteBudget&) {
                      Network result = network;
                      result.set_outputs({});
                      return result;
                    }};
  EXPECT_THROW(run_passes(with_identities(), operator_table(), std::span(&broken, 1)), InternalError);
}

}  // namespace
}  // namespace boundflow
