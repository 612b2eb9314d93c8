#pragma once
// GeneratedKernels: kernels by what they compute, from memory, from disk, or compiled.

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/kernel_use.hpp"
#include "exec/tvm/artifact_store.hpp"
#include "exec/tvm/plugin.hpp"

namespace boundflow::generated {

// A loaded kernel and the count of its calls. Safe to call from several threads.
class GeneratedKernel {
 public:
  GeneratedKernel(KernelUse made, std::unique_ptr<const LoadedKernel> loaded)
      : made_(std::move(made)), loaded_(std::move(loaded)) {}

  void run(std::span<const TensorArgument> arguments) const {
    const auto begin = std::chrono::steady_clock::now();
    loaded_->run(arguments);
    calls_.fetch_add(1, std::memory_order_relaxed);
    nanoseconds_.fetch_add((std::chrono::steady_clock::now() - begin) / std::chrono::nanoseconds(1),
                           std::memory_order_relaxed);
  }
  void add_map() { ++made_.maps; }
  KernelUse use() const;

 private:
  KernelUse made_;
  std::unique_ptr<const LoadedKernel> loaded_;
  mutable std::atomic<std::int64_t> calls_{0};
  mutable std::atomic<std::int64_t> nanoseconds_{0};
};

// All that tells one kernel's code from another's, as text. What is hashed on disk.
std::string describe(const ProductKernel& kernel);
Digest artifact_key(const std::string& description, const std::string& cpu, const std::string& versions);

class GeneratedKernels {
 public:
  // `cpu` as LLVM calls it; `store` may be nullptr: nothing is kept on disk then. The plugin outlives this.
  GeneratedKernels(Plugin& plugin, std::string cpu, std::unique_ptr<const ArtifactStore> store);

  // Throws what the plugin throws.
  std::shared_ptr<const GeneratedKernel> get(const ProductKernel& kernel);
  // Notes that a map has no generated kernel.
  void leave_to_native(const std::string& map, const std::string& reason);
  std::vector<KernelUse> uses() const;
  const std::string& cpu() const { return cpu_; }

 private:
  Plugin& plugin_;
  const std::string cpu_;
  const std::unique_ptr<const ArtifactStore> store_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<GeneratedKernel>> kernels_;  // by description
  std::map<std::string, KernelUse> native_;                          // by map and reason
};

}  // namespace boundflow::generated
