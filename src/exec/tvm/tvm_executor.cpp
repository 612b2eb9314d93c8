#include "exec/tvm/tvm_executor.hpp"

#include <spdlog/spdlog.h>

#include <map>
#include <mutex>
#include <stdexcept>

#include "base/error.hpp"
#include "exec/native/native_kernels.hpp"
#include "exec/op_driver.hpp"
#include "exec/tvm/counted_program.hpp"
#include "exec/tvm/generated_map.hpp"
#include "exec/tvm/machine.hpp"
#include "exec/tvm/map_costs.hpp"
#include "exec/tvm/open_plugin.hpp"

namespace boundflow {

namespace {

using generated::ArtifactStore;
using generated::GeneratedKernels;
using native::Direction;
using Map = std::unique_ptr<const native::MapKernel<float>>;

class TvmExecutor final : public Executor {
 public:
  TvmExecutor(generated::Plugin& plugin, std::string cpu, std::shared_ptr<const ArtifactStore> store)
      : store_(std::move(store)), kernels_(plugin, std::move(cpu), store_) {}

  std::string_view name() const override { return "tvm"; }
  std::int64_t element_bytes() const override { return sizeof(float); }
  std::vector<std::shared_ptr<const CompiledProgram>> compile(std::span<const PlannedProgram> programs,
                                                              const Deadline& deadline) const override {
    NativeKernels<float>::Packed packed;
    packed.instead = [&](const std::string& node, const LinearMap& map, Direction direction) {
      deadline.check();  // a kernel takes a tenth of a second to compile
      return generated::kernel_directions(map, direction).size() > 1 ? nullptr : make(node, map, direction);
    };
    return generated::translate_errors([&] {
      return generated::count_ops(compile_together<NativeKernels<float>>(programs, deadline, std::move(packed)),
                                  programs, counters_);
    });
  }
  std::vector<KernelUse> kernel_uses() const override { return counters_.all(); }

 private:
  Map make(const std::string& node, const LinearMap& map, Direction direction) const {
    KernelUse use{.node = node, .map = map.print(), .direction = to_string(direction), .executor = "native"};
    Map made;
    if (const char* reason = native::why_no_multiplier(map)) {
      use.reason = reason;
      made = native::make_map_kernel<float>(map, direction);
    } else {
      use.executor = "tvm";
      const std::optional<generated::MapCosts> costs = find_costs(store_.get(), map, direction);
      made = make_generated_map(map, direction, kernels_, costs ? costs->tile : generated::Tile(), use);
    }
    return count_calls(std::move(made), counters_.add(use));
  }

  std::shared_ptr<const ArtifactStore> store_;
  mutable GeneratedKernels kernels_;
  mutable generated::KernelCounters counters_;
};

}  // namespace

std::shared_ptr<const Executor> make_tvm_executor(const std::string& cache_folder) {
  static std::mutex mutex;
  // Never destroyed, as what it holds: see codegen/registry.cpp.
  static auto& executors = *new std::map<std::string, std::shared_ptr<const Executor>>;
  const std::lock_guard lock(mutex);
  std::shared_ptr<const Executor>& executor = executors[cache_folder];
  if (!executor) {
    const std::string cpu = generated::cpu_level();
    generated::Plugin& plugin = generated::open_plugin();
    executor = std::make_shared<const TvmExecutor>(plugin, cpu, generated::open_store(cache_folder));
  }
  return executor;
}

}  // namespace boundflow
