// Which kernels are compiled, found in memory, or found on disk; with a plugin that only says what it is asked.
#include "exec/tvm/generated_kernels.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <stdexcept>

#include "support/temp_folder.hpp"

namespace boundflow::generated {
namespace {

class NoKernel final : public LoadedKernel {
 public:
  void run(std::span<const TensorArgument> /*arguments*/) const override {}
};

class CountingPlugin final : public Plugin {
 public:
  std::string versions() const override { return version; }
  std::string compile(const ProductKernel& kernel, const std::string& cpu) override {
    if (fails) throw std::runtime_error("no compiler");
    ++compiled;
    return describe(kernel) + cpu;
  }
  std::unique_ptr<LoadedKernel> load(const std::string& object) override {
    loaded.push_back(object);
    return std::make_unique<NoKernel>();
  }

  std::string version = "1";
  bool fails = false;
  int compiled = 0;
  std::vector<std::string> loaded;
};

constexpr ProductKernel kKernel{.k = 5, .panels = 2, .width = 16, .rows = 6, .panels_at_once = 1};

class Generated : public testing::Test {
 protected:
  GeneratedKernels process(const std::string& cpu = "cpu") {
    return GeneratedKernels(plugin_, cpu, std::make_unique<const ArtifactStore>(folder_.path("cache")));
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
  for (auto field : {&ProductKernel::k, &ProductKernel::panels, &ProductKernel::width, &ProductKernel::rows,
                     &ProductKernel::panels_at_once}) {
    ProductKernel other = kKernel;
    other.*field += 6;
    add(other);
  }
  ProductKernel live = kKernel;
  live.live = true;
  add(live);
  add(kKernel, "other");
  add(kKernel, "cpu", "2");
}

TEST_F(Generated, AProcessCompilesAKernelOnceAndTheNextOneNever) {
  GeneratedKernels first = process();
  const auto kernel = first.get(kKernel);
  EXPECT_EQ(first.get(kKernel), kernel);
  kernel->run({});
  ASSERT_EQ(first.uses().size(), 1U);
  const KernelUse use = first.uses()[0];
  EXPECT_EQ(use.source, "compiled");
  EXPECT_EQ(use.maps, 2);
  EXPECT_EQ(use.calls, 1);
  EXPECT_EQ(plugin_.compiled, 1);

  GeneratedKernels second = process();
  second.get(kKernel);
  EXPECT_EQ(second.uses()[0].source, "disk");
  EXPECT_EQ(plugin_.compiled, 1);
  EXPECT_EQ(plugin_.loaded[0], plugin_.loaded[1]);
}

TEST_F(Generated, OtherShapesCpusAndVersionsAreOtherKernels) {
  process().get(kKernel);
  ProductKernel wider = kKernel;
  wider.panels = 4;
  process().get(wider);
  process("other cpu").get(kKernel);
  plugin_.version = "2";
  process().get(kKernel);
  EXPECT_EQ(plugin_.compiled, 4);
  EXPECT_EQ(std::set<std::string>(plugin_.loaded.begin(), plugin_.loaded.end()).size(), 3U);
}

TEST_F(Generated, WhatIsDamagedIsCompiledAgain) {
  process().get(kKernel);
  for (const auto& file : std::filesystem::directory_iterator(folder_.path("cache"))) {
    std::fstream(file.path(), std::ios::in | std::ios::out | std::ios::binary).seekp(60).put('!');
  }
  GeneratedKernels second = process();
  second.get(kKernel);
  EXPECT_EQ(second.uses()[0].source, "compiled");
  EXPECT_EQ(plugin_.compiled, 2);
  EXPECT_EQ(plugin_.loaded[0], plugin_.loaded[1]);
}

TEST_F(Generated, AFailureLeavesNothing) {
  GeneratedKernels kernels = process();
  plugin_.fails = true;
  EXPECT_THROW(kernels.get(kKernel), std::runtime_error);
  EXPECT_TRUE(kernels.uses().empty());
  plugin_.fails = false;
  kernels.get(kKernel);
  EXPECT_EQ(plugin_.compiled, 1);
}

TEST_F(Generated, WhatIsLeftToNativeHasItsReason) {
  GeneratedKernels kernels(plugin_, "cpu", nullptr);
  kernels.leave_to_native("a map", "why");
  kernels.leave_to_native("a map", "why");
  ASSERT_EQ(kernels.uses().size(), 1U);
  const KernelUse use = kernels.uses()[0];
  EXPECT_EQ(use.kernel, "a map");
  EXPECT_EQ(use.source, "native");
  EXPECT_EQ(use.reason, "why");
  EXPECT_EQ(use.maps, 2);
}

}  // namespace
}  // namespace boundflow::generated
