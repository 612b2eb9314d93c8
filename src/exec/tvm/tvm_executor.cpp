#include "exec/tvm/tvm_executor.hpp"

#include <spdlog/spdlog.h>

#include <cstdlib>
#include <map>
#include <mutex>
#include <stdexcept>

#include "base/error.hpp"
#include "exec/native/native_kernels.hpp"
#include "exec/op_driver.hpp"
#include "exec/tvm/generated_map.hpp"
#include "exec/tvm/open_plugin.hpp"
#include "hwy/targets.h"

namespace boundflow {

namespace {

using generated::ArtifactStore;
using generated::GeneratedKernels;

class TvmExecutor final : public Executor {
 public:
  TvmExecutor(generated::Plugin& plugin, std::string cpu, std::unique_ptr<const ArtifactStore> store)
      : kernels_(plugin, std::move(cpu), std::move(store)) {}

  std::string_view name() const override { return "tvm"; }
  std::int64_t element_bytes() const override { return sizeof(float); }
  std::vector<std::shared_ptr<const CompiledProgram>> compile(std::span<const PlannedProgram> programs,
                                                              const Deadline& deadline) const override {
    NativeKernels<float>::Packed packed;
    packed.instead = [&](const std::string& node, const LinearMap& map, native::Direction direction) {
      deadline.check();  // a kernel takes a tenth of a second to compile
      return generated::make_generated_map(node, map, direction, kernels_);
    };
    try {
      return compile_together<NativeKernels<float>>(programs, deadline, std::move(packed));
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const Error&) {
      throw;
    } catch (const std::runtime_error& error) {
      throw UsageError(std::string("--backend tvm: ") + error.what());
    }
  }
  std::vector<KernelUse> kernel_uses() const override { return kernels_.uses(); }

 private:
  mutable GeneratedKernels kernels_;
};

// The level of x86-64 that this CPU and its operating system have: code for it runs here, and on others of the level.
std::string this_cpu() {
  if ((hwy::SupportedTargets() & HWY_AVX2) != 0) return "x86-64-v3";
  throw UsageError("--backend tvm: kernels are generated for x86-64 with AVX2, which this CPU lacks");
}

std::string user_cache_folder() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && cache[0] == '/') {
    return std::string(cache) + "/boundflow";
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && home[0] == '/') {
    return std::string(home) + "/.cache/boundflow";
  }
  return "";
}

}  // namespace

std::shared_ptr<const Executor> make_tvm_executor(const std::string& cache_folder) {
  const std::string folder = cache_folder.empty() ? user_cache_folder() : cache_folder;
  static std::mutex mutex;
  // Never destroyed, as what it holds: see codegen/registry.cpp.
  static auto& executors = *new std::map<std::string, std::shared_ptr<const Executor>>;
  const std::lock_guard lock(mutex);
  std::shared_ptr<const Executor>& executor = executors[folder];
  if (!executor) {
    const std::string cpu = this_cpu();
    generated::Plugin& plugin = generated::open_plugin();
    if (folder.empty()) spdlog::warn("there is no user's cache folder: generated kernels are not kept (--cache-dir)");
    executor = std::make_shared<const TvmExecutor>(
        plugin, cpu, folder.empty() ? nullptr : std::make_unique<const ArtifactStore>(folder));
  }
  return executor;
}

}  // namespace boundflow
