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

// What a thread's counted calls have taken that have ended.
struct Counted {
  std::int64_t nanoseconds = 0;
  std::int64_t multiplications = 0;
};

// A map of a network in one direction, or the ops of one kind, and the count of its calls. A call within another one
// is not counted with it. Safe to count from several threads.
class KernelCounter {
 public:
  explicit KernelCounter(KernelUse made) : made_(std::move(made)) {}

  template <class Call>
  void count(const Call& call) {
    const Counted before = counted_;
    const double products = executed_products;
    const auto begin = Clock::now();
    call();
    const Counted all = {(Clock::now() - begin) / std::chrono::nanoseconds(1),
                         static_cast<std::int64_t>(executed_products - products)};
    nanoseconds_.fetch_add(all.nanoseconds - (counted_.nanoseconds - before.nanoseconds), std::memory_order_relaxed);
    multiplications_.fetch_add(all.multiplications - (counted_.multiplications - before.multiplications),
                               std::memory_order_relaxed);
    calls_.fetch_add(1, std::memory_order_relaxed);
    counted_ = {before.nanoseconds + all.nanoseconds, before.multiplications + all.multiplications};
  }
  // The map was prepared once more.
  void add_kernels(const KernelUse& again);
  KernelUse use() const;

 private:
  static inline thread_local Counted counted_;

  KernelUse made_;
  std::atomic<std::int64_t> calls_{0};
  std::atomic<std::int64_t> multiplications_{0};
  std::atomic<std::int64_t> nanoseconds_{0};
};

// The counters of an executor. Safe to use from several threads.
class KernelCounters {
 public:
  // The counter of a map or of ops from now on: what was prepared before of the same name is counted with it.
  std::shared_ptr<KernelCounter> add(const KernelUse& use);
  std::vector<KernelUse> all() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::tuple<std::string, std::string, std::string, std::string>, std::shared_ptr<KernelCounter>> counters_;
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
