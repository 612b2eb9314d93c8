#pragma once
// GeneratedKernels: kernels by what they compute, from memory, from disk, or compiled; and the maps that use them.

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "base/deadline.hpp"
#include "base/kernel_use.hpp"
#include "base/trace.hpp"
#include "exec/tvm/artifact_store.hpp"
#include "exec/tvm/plugin.hpp"

namespace boundflow::generated {

// A map of a network in one direction and the count of its calls. Safe to count from several threads.
class MapUse {
 public:
  explicit MapUse(KernelUse made) : made_(std::move(made)) {}

  template <class Call>
  void count(const Call& call) {
    const double before = executed_products;
    const auto begin = Clock::now();
    call();
    nanoseconds_.fetch_add((Clock::now() - begin) / std::chrono::nanoseconds(1), std::memory_order_relaxed);
    multiplications_.fetch_add(static_cast<std::int64_t>(executed_products - before), std::memory_order_relaxed);
    calls_.fetch_add(1, std::memory_order_relaxed);
  }
  // The map was prepared once more.
  void add_kernels(const KernelUse& again);
  KernelUse use() const;

 private:
  KernelUse made_;
  std::atomic<std::int64_t> calls_{0};
  std::atomic<std::int64_t> multiplications_{0};
  std::atomic<std::int64_t> nanoseconds_{0};
};

// The maps that an executor has prepared. Safe to use from several threads.
class MapUses {
 public:
  // The map's counter from now on: what was prepared before for the same node, map and direction is counted with it.
  std::shared_ptr<MapUse> add(const KernelUse& use);
  std::vector<KernelUse> all() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::tuple<std::string, std::string, std::string>, std::shared_ptr<MapUse>> uses_;
};

// All that tells one kernel's code from another's, as text. What is hashed on disk.
std::string describe(const ProductKernel& kernel);
Digest artifact_key(const std::string& description, const std::string& cpu, const std::string& versions);

class GeneratedKernels {
 public:
  // `cpu` as LLVM calls it; `store` may be nullptr: nothing is kept on disk then. The plugin outlives this.
  GeneratedKernels(Plugin& plugin, std::string cpu, std::shared_ptr<const ArtifactStore> store);

  // Notes in `use` where the kernel was and what that took. Throws what the plugin throws, and std::runtime_error where
  // a kernel computes anything else than it should (check_answers).
  std::shared_ptr<const LoadedKernel> get(const ProductKernel& kernel, KernelUse& use);
  const std::string& cpu() const { return cpu_; }

 private:
  Plugin& plugin_;
  const std::string cpu_;
  const std::shared_ptr<const ArtifactStore> store_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const LoadedKernel>> kernels_;  // by description
};

}  // namespace boundflow::generated
