// One allocation after the other fails: whatever it was for, the answer is the right one, or `unknown` because of
// memory, or std::bad_alloc leaves the call; never another verdict, another exception or the end of the process.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <new>

#include "support/verify_case.hpp"

namespace {

// Allocations that succeed before one fails; negative: none fails.
std::atomic<std::int64_t> left{-1};
std::atomic<std::int64_t> allocations{0};

void* allocate(std::size_t size, std::size_t alignment) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (left.load(std::memory_order_relaxed) >= 0 && left.fetch_sub(1) == 0) throw std::bad_alloc();
  const std::size_t rounded = (std::max<std::size_t>(size, 1) + alignment - 1) / alignment * alignment;
  void* result = std::aligned_alloc(alignment, rounded);
  if (result == nullptr) throw std::bad_alloc();
  return result;
}

}  // namespace

void* operator new(std::size_t size) {
  return allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* p) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}
void operator delete(void* p, std::align_val_t) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
  std::free(p);
}

namespace boundflow {
namespace {

OnnxModel small_model() {
  return dense_model(2, {{{1, -1, 0.5F, 1, 2, -0.5F}, {0.1F, 0, -0.2F}}, {{1, -1, 0.5F}, {0}, false}});
}

struct Outcome {
  std::int64_t thrown = 0;
  std::int64_t unknown = 0;
  std::int64_t decided = 0;
};

// Calls `attempt` with the allocation failing that comes after `first`, `first` + 1, ... `tries` of them, spread over
// all that one call makes. It returns the verdict.
template <class Attempt>
Outcome fail_one_by_one(const std::string& expected, const Attempt& attempt) {
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

}  // namespace
}  // namespace boundflow
