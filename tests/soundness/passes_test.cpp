// Every pass, and all of them together, on random networks: the function stays, nominal bounds do not get looser, and
// sound bounds after the passes contain the values and the float32 executions of the network before them.
#include <gtest/gtest.h>

#include "support/pass_checks.hpp"
#include "support/random_image_network.hpp"
#include "support/random_network.hpp"

namespace boundflow {
namespace {

// Networks with scales and shifts around products, shuffles, constants and branches.
Network some_network(Random& random, int seed) {
  if (seed % 3 == 0) return random_network(random, {.extreme_scales = false});
  if (seed % 3 == 1) return random_image_network(random, {.max_elements = 60, .blocks = 2});
  const auto all = operator_table().all();
  for (;;) {
    const Operator& op = all[static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(all.size()) - 1))];
    if (op.sample != nullptr) return surrounded(random, op.sample(random));
  }
}

class EveryPass : public testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(, EveryPass, testing::ValuesIn([] {
                           std::vector<std::string> names{"all"};
                           for (const Pass& pass : pass_table()) names.emplace_back(pass.name);
                           return names;
                         }()),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_P(EveryPass, KeepsFunctionBoundsAndExecutions) {
  int rewritten = 0, finite = 0;
  for (int seed = 0; seed < 240 / kSanitizerShare && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(static_cast<std::uint64_t>(7000 + seed));
    const Network before = some_network(random, seed);
    const Network after = GetParam() == "all" ? run_passes(before, operator_table()) : run_pass(before, GetParam());
    if (print(before, kAllElements) == print(after, kAllElements)) continue;
    ++rewritten;
    finite += expect_pass_keeps(before, after, random);
  }
  if (rewritten > 0) EXPECT_GT(finite, 0);
  if (GetParam() == "all") EXPECT_GT(rewritten, 60 / kSanitizerShare);
}

}  // namespace
}  // namespace boundflow
