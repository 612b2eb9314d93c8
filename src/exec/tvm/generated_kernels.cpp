#include "exec/tvm/generated_kernels.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <stdexcept>

namespace boundflow::generated {

namespace {

// To be changed with whatever makes other code of the same description: a template, its schedule, the passes.
constexpr std::string_view kPipelineVersion = "boundflow kernels 1";

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

KernelUse GeneratedKernel::use() const {
  KernelUse use = made_;
  use.calls = calls_.load(std::memory_order_relaxed);
  use.total_s = static_cast<double>(nanoseconds_.load(std::memory_order_relaxed)) * 1e-9;
  return use;
}

std::string describe(const ProductKernel& kernel) {
  // By structured binding, which does not compile once the struct has another field: whoever adds one adds it here.
  const auto [k, panels, width, rows, panels_at_once, live] = kernel;
  return fmt::format("product float32 k={} panels={} width={} rows={} panels_at_once={} live={}", k, panels, width,
                     rows, panels_at_once, live);
}

Digest artifact_key(const std::string& description, const std::string& cpu, const std::string& versions) {
  Sha256 hash;
  for (const std::string_view line :
       {kPipelineVersion, std::string_view(description), std::string_view(cpu), std::string_view(versions)}) {
    hash.update(std::as_bytes(std::span(line)));
    hash.update(std::as_bytes(std::span("\n", 1)));  // which none of them holds
  }
  return hash.finish();
}

GeneratedKernels::GeneratedKernels(Plugin& plugin, std::string cpu, std::unique_ptr<const ArtifactStore> store)
    : plugin_(plugin), cpu_(std::move(cpu)), store_(std::move(store)) {}

std::shared_ptr<const GeneratedKernel> GeneratedKernels::get(const ProductKernel& kernel) {
  const std::string description = describe(kernel);
  const std::lock_guard lock(mutex_);
  std::shared_ptr<GeneratedKernel>& entry = kernels_[description];
  if (!entry) {
    KernelUse made{.kernel = description, .source = "disk"};
    const Digest key = artifact_key(description, cpu_, plugin_.versions());
    std::optional<std::string> object = store_ ? store_->read(key) : std::nullopt;
    if (!object) {
      made.source = "compiled";
      const auto begin = std::chrono::steady_clock::now();
      object = plugin_.compile(kernel, cpu_);
      made.compile_s = seconds_since(begin);
      if (store_) store_->write(key, *object);
    }
    const auto begin = std::chrono::steady_clock::now();
    auto loaded = plugin_.load(*object);
    made.load_s = seconds_since(begin);
    entry = std::make_shared<GeneratedKernel>(std::move(made), std::move(loaded));
  }
  entry->add_map();
  return entry;
}

void GeneratedKernels::leave_to_native(const std::string& map, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  KernelUse& use = native_[map + '\n' + reason];
  if (use.maps++ == 0) {
    use.kernel = map;
    use.source = "native";
    use.reason = reason;
  }
}

std::vector<KernelUse> GeneratedKernels::uses() const {
  const std::lock_guard lock(mutex_);
  std::vector<KernelUse> uses;
  for (const auto& [description, kernel] : kernels_) {
    if (kernel) uses.push_back(kernel->use());  // nothing where compiling it failed
  }
  for (const auto& [key, use] : native_) uses.push_back(use);
  return uses;
}

}  // namespace boundflow::generated
