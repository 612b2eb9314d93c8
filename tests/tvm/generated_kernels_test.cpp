// Which kernels are compiled, found in memory, or found on disk; with a plugin that only says what it is asked.
#include "exec/tvm/generated_kernels.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>

#include "exec/tvm/known_answers.hpp"
#include "support/temp_folder.hpp"

namespace boundflow::generated {
namespace {

class PlainKernel final : public LoadedKernel {
 public:
  // `spoil` does what a kernel ought not to do.
  explicit PlainKernel(const ProductKernel& kernel, std::function<void(const TensorArgument& c)> spoil = nullptr)
      : kernel_(kernel), spoil_(std::move(spoil)) {}
  void run(std::span<const TensorArgument> arguments) const override {
    run_plainly(kernel_, arguments);
    if (spoil_) spoil_(arguments.back());
  }

 private:
  ProductKernel kernel_;
  std::function<void(const TensorArgument&)> spoil_;
};

class CountingPlugin final : public Plugin {
 public:
  std::string versions() const override { return version; }
  std::string compile(const ProductKernel& kernel, const std::string& cpu) override {
    if (fails) throw std::runtime_error("no compiler");
    ++compiled;
    std::string object = describe(kernel) + cpu;
    kernels[object] = kernel;
    return object;
  }
  std::unique_ptr<LoadedKernel> load(const std::string& object) override {
    loaded.push_back(object);
    return std::make_unique<PlainKernel>(kernels.at(object), spoil);
  }

  std::string version = "1";
  bool fails = false;
  int compiled = 0;
  std::function<void(const TensorArgument& c)> spoil = nullptr;
  std::map<std::string, ProductKernel> kernels;  // by object code
  std::vector<std::string> loaded;
};

constexpr ProductKernel kKernel{.width = 16, .lanes = 16, .rows = 6, .panels = 1};

std::string sources(const KernelUse& use) {
  return fmt::format("{} compiled, {} from disk, {} from memory", use.compiled, use.from_disk, use.from_memory);
}

class Generated : public testing::Test {
 protected:
  GeneratedKernels process(const std::string& cpu = "cpu") {
    return GeneratedKernels(plugin_, cpu, std::make_shared<const ArtifactStore>(folder_.path("cache")));
  }

  CountingPlugin plugin_;
  TempFolder folder_;
};

TEST(ArtifactKey, TellsEveryDifferenceApart) {
  std::set<Digest> keys;
  const auto add = [&](const ProductKernel& kernel, const std::string& cpu = "cpu", const std::string& versions = "1") {
    EXPECT_TRUE(keys.insert(artifact_key(describe(kernel), cpu, versions)).second) << describe(kernel);
  };
  add(kKernel);
  for (auto field : {&ProductKernel::width, &ProductKernel::lanes, &ProductKernel::rows, &ProductKernel::panels,
                     &ProductKernel::spans}) {
    ProductKernel other = kKernel;
    other.*field += 6;
    add(other);
  }
  ProductKernel listed = kKernel;
  listed.listed = true;
  add(listed);
  add(kKernel, "other");
  add(kKernel, "cpu", "2");
}

TEST_F(Generated, AProcessCompilesAKernelOnceAndTheNextOneNever) {
  GeneratedKernels first = process();
  KernelUse use, again, later;
  const auto kernel = first.get(kKernel, use);
  EXPECT_EQ(first.get(kKernel, again), kernel);
  EXPECT_EQ(sources(use), "1 compiled, 0 from disk, 0 from memory");
  EXPECT_EQ(sources(again), "0 compiled, 0 from disk, 1 from memory");

  process().get(kKernel, later);
  EXPECT_EQ(sources(later), "0 compiled, 1 from disk, 0 from memory");
  EXPECT_EQ(plugin_.compiled, 1);
  EXPECT_EQ(plugin_.loaded[0], plugin_.loaded[1]);
}

TEST_F(Generated, OtherTilesCpusAndVersionsAreOtherKernels) {
  KernelUse use;
  process().get(kKernel, use);
  ProductKernel wider = kKernel;
  wider.panels = 4;
  process().get(wider, use);
  process("other cpu").get(kKernel, use);
  plugin_.version = "2";
  process().get(kKernel, use);
  EXPECT_EQ(plugin_.compiled, 4);
  EXPECT_EQ(std::set<std::string>(plugin_.loaded.begin(), plugin_.loaded.end()).size(), 3U);
}

TEST_F(Generated, WhatIsDamagedIsCompiledAgain) {
  KernelUse use, again;
  process().get(kKernel, use);
  for (const auto& file : std::filesystem::directory_iterator(folder_.path("cache"))) {
    std::fstream(file.path(), std::ios::in | std::ios::out | std::ios::binary).seekp(60).put('!');
  }
  process().get(kKernel, again);
  EXPECT_EQ(again.compiled, 1);
  EXPECT_EQ(plugin_.compiled, 2);
  EXPECT_EQ(plugin_.loaded[0], plugin_.loaded[1]);
}

TEST_F(Generated, AFailureLeavesNothing) {
  GeneratedKernels kernels = process();
  KernelUse use;
  plugin_.fails = true;
  EXPECT_THROW(kernels.get(kKernel, use), std::runtime_error);
  EXPECT_EQ(sources(use), "0 compiled, 0 from disk, 0 from memory");
  plugin_.fails = false;
  kernels.get(kKernel, use);
  EXPECT_EQ(plugin_.compiled, 1);
}

// Whatever a kernel leaves that it should not: a sum that is wrong, an entry between rows, a number for NaN.
TEST_F(Generated, AKernelIsTriedBeforeItIsUsed) {
  const std::function<void(const TensorArgument& c)> faults[] = {
      [](const TensorArgument& c) { static_cast<float*>(c.data)[1] += 1; },
      [](const TensorArgument& c) { static_cast<float*>(c.data)[c.strides[3] - 1] = 0; },
      [](const TensorArgument& c) {
        float& first = *static_cast<float*>(c.data);
        first = std::isnan(first) ? 0 : first;
      }};
  GeneratedKernels kernels = process();
  KernelUse use;
  for (const auto& fault : faults) {
    plugin_.spoil = fault;
    // Nor is it kept.
    for (int i = 0; i < 2; ++i) {
      EXPECT_THAT([&] { kernels.get(kKernel, use); },
                  testing::ThrowsMessage<std::runtime_error>(testing::HasSubstr("fails its test")));
    }
  }
  plugin_.spoil = nullptr;
  for (const ProductKernel& kernel :
       {kKernel, ProductKernel{16, 8, 3, 1, true}, ProductKernel{16, 16, 2, 1, false, 2}}) {
    EXPECT_NE(kernels.get(kernel, use), nullptr);
  }
}

TEST(KernelCounters, CountCallsPerMap) {
  KernelCounters uses;
  const KernelUse made{.node = "node", .map = "a map", .direction = "forward", .executor = "native", .reason = "why"};
  KernelUse other = made;
  other.direction = "transpose";
  const auto use = uses.add(made);
  EXPECT_EQ(uses.add(made), use);  // of another engine of the same network
  EXPECT_NE(uses.add(other), use);
  use->count([] { count_products(7); });
  use->count([] {});
  ASSERT_EQ(uses.all().size(), 2U);
  const KernelUse counted = uses.all()[0];
  EXPECT_EQ(counted.node, "node");
  EXPECT_EQ(counted.reason, "why");
  EXPECT_EQ(counted.calls, 2);
  EXPECT_EQ(counted.multiplications, 7);
  EXPECT_EQ(uses.all()[1].calls, 0);
}

// The ops around the maps are counted without them.
TEST(KernelCounters, CountNestedCallsOnce) {
  KernelCounters counters;
  const auto map = counters.add({.node = "node", .map = "a map", .direction = "forward", .executor = "tvm"});
  const auto op = counters.add({.op = "transpose", .executor = "native", .reason = "why"});
  const auto begin = std::chrono::steady_clock::now();
  const auto wait = [](int microseconds) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(microseconds);
    while (std::chrono::steady_clock::now() < until) {
    }
  };
  op->count([&] {
    count_products(1);
    for (const int products : {10, 20}) {
      map->count([&] {
        count_products(products);
        wait(2000);
      });
    }
    wait(1000);
  });
  const std::chrono::duration<double> all = std::chrono::steady_clock::now() - begin;
  EXPECT_EQ(map->use().multiplications, 30);
  EXPECT_EQ(op->use().multiplications, 1);
  EXPECT_GE(map->use().total_s, 4e-3);
  EXPECT_GE(op->use().total_s, 1e-3);
  EXPECT_LE(map->use().total_s + op->use().total_s, all.count());
}

}  // namespace
}  // namespace boundflow::generated
