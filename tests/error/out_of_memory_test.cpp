// One allocation after the other fails: whatever it was for, the answer is the right one, or `unknown` because of
// memory, or std::bad_alloc leaves the call; never another verdict, another exception or the end of the process.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <new>

#include "api/process_plans.hpp"
#include "ir/network.hpp"
#include "support/replaced_new.hpp"
#include "support/verify_case.hpp"

#if defined(__SANITIZE_ADDRESS__)
// Debian's protobuf loses a string where appending it to a repeated field fails.
extern "C" [[gnu::visibility("default")]] const char* __lsan_default_suppressions() {
  return "leak:libprotobuf-lite\n";
}
#endif

namespace boundflow {
namespace {

using replaced_new::allocations;
using replaced_new::left;

OnnxModel small_model() {
  return dense_model(2, {{{1, -1, 0.5F, 1, 2, -0.5F}, {0.1F, 0, -0.2F}}, {{1, -1, 0.5F}, {0}, false}});
}

struct Outcome {
  std::int64_t thrown = 0;
  std::int64_t unknown = 0;
  std::int64_t decided = 0;
};

// Calls `attempt`, without the plans of earlier calls, with the allocation failing that comes after `first`, `first` +
// 1, ... `tries` of them, spread over all that one call makes. It returns the verdict.
template <class Attempt>
Outcome fail_one_by_one(const std::string& expected, const Attempt& with_plans) {
  const auto attempt = [&] {
    process_plans(0);
    return with_plans();
  };
  EXPECT_EQ(attempt(), expected);
  allocations = 0;
  EXPECT_EQ(attempt(), expected);
  const std::int64_t all = allocations;
  constexpr std::int64_t kTries = 400;
  Outcome outcome;
  for (std::int64_t k = 0; k < kTries; ++k) {
    std::string verdict = "thrown";
    left = all * k / kTries;
    try {
      verdict = attempt();
    } catch (const std::bad_alloc&) {
    } catch (const std::exception& error) {
      ADD_FAILURE() << "allocation " << all * k / kTries << " of " << all << ": " << error.what();
    }
    left = -1;
    EXPECT_THAT(verdict, testing::AnyOf("thrown", "memory", expected));
    ++(verdict == "thrown" ? outcome.thrown : verdict == "memory" ? outcome.unknown : outcome.decided);
  }
  return outcome;
}

// The verdict, or why it is unknown.
std::string verdict_of(const std::string& network, const std::string& property) {
  Options options;
  options.timeout = 30;
  options.threads = 2;
  const VerifyResult result = verify(network, property, options);
  return result.reason.empty() ? result.verdict : result.reason;
}

TEST(OutOfMemory, VerifyGivesNoOtherVerdict) {
  const TempFolder folder;
  const std::string network = folder.write("net.onnx", small_model().bytes());
  const std::string box = declarations(2, 1) + input_bounds(0, "-1", "1") + input_bounds(1, "-1", "1");
  for (const auto& [assertion, verdict] :
       {std::pair("(assert (>= Y_0 3.55))", "unsat"), std::pair("(assert (>= Y_0 0.5))", "sat")}) {
    const std::string property = folder.write("p.vnnlib", box + assertion);
    const Outcome outcome = fail_one_by_one(verdict, [&] { return verdict_of(network, property); });
    EXPECT_GT(outcome.unknown, 100) << verdict;
  }
}

TEST(OutOfMemory, BoundsKnowLessOrThrow) {
  const TempFolder folder;
  const std::string network = folder.write("net.onnx", small_model().bytes());
  BoundsRequest request;
  request.lower = {-1, -1, 0, 0, -0.5, 0};
  request.upper = {1, 1, 0.5, 1, 0.5, 0.25};
  Options options;
  options.threads = 2;
  const BoundsResult expected = bounds(network, request, options);
  const Outcome outcome = fail_one_by_one("all", [&]() -> std::string {
    const BoundsResult result = bounds(network, request, options);
    for (std::size_t k = 0; k < result.lower.size(); ++k) {
      EXPECT_TRUE(result.lower[k] == expected.lower[k] || result.lower[k] == -HUGE_VAL);
      EXPECT_TRUE(result.upper[k] == expected.upper[k] || result.upper[k] == HUGE_VAL);
    }
    EXPECT_EQ(result.reason.empty(), result.queries == 3 && result.complete == 3);
    return result.reason.empty() ? "all" : result.reason;
  });
  EXPECT_GT(outcome.unknown, 100);
}

// Copies of what a variant holds, too: see Attribute in ir/network.hpp. What goes wrong there, sanitizers report.
TEST(OutOfMemory, NetworksAreCopiedWholeOrNotAtAll) {
  Network network;
  const ValueId x = network.add_input("x", {DType::Float32, {1, 2}});
  network.add_constant("a constant with a long name", Tensor({2}, std::vector<double>{1, 2}));
  network.add_node("Relu", "n", {x}, {"y"}, {{DType::Float32, {1, 2}}},
                   {{"text", std::string(100, 'a')},
                    {"integers", std::vector<std::int64_t>{1, 2}},
                    {"numbers", std::vector<double>{1, 2}},
                    {"tensor", Tensor({1}, std::vector<bool>{true})}});
  const auto copy = [&] {
    const Network copied = network;
    Attributes attributes = copied.node(0).attributes;
    attributes.at("text") = attributes.at("numbers");
    return copied.values().at(1).constant->reshaped({2, 1}).gathered({1}, {1}).at(0);
  };
  allocations = 0;
  ASSERT_EQ(copy(), 2);
  const std::int64_t all = allocations;
  for (std::int64_t k = 0; k < all; ++k) {
    left = k;
    EXPECT_THROW(copy(), std::bad_alloc) << "allocation " << k << " of " << all;
    left = -1;
  }
}

}  // namespace
}  // namespace boundflow
