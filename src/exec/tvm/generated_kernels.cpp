#include "exec/tvm/generated_kernels.hpp"

#include <fmt/format.h>

#include <utility>

#include "exec/tvm/known_answers.hpp"

namespace boundflow::generated {

namespace {

// To be changed with whatever makes other code of the same description: a template, its schedule, the passes.
constexpr std::string_view kPipelineVersion = "boundflow kernels 8";

}  // namespace

void KernelCounter::add_kernels(const KernelUse& again) {
  made_.compiled += again.compiled;
  made_.from_disk += again.from_disk;
  made_.from_memory += again.from_memory;
  made_.compile_s += again.compile_s;
  made_.load_s += again.load_s;
}

KernelUse KernelCounter::use() const {
  KernelUse use = made_;
  use.calls = calls_.load(std::memory_order_relaxed);
  use.multiplications = static_cast<double>(multiplications_.load(std::memory_order_relaxed));
  use.total_s = static_cast<double>(nanoseconds_.load(std::memory_order_relaxed)) * 1e-9;
  return use;
}

std::string describe(const ProductKernel& kernel) {
  // By structured binding, which does not compile once the struct has another field: whoever adds one adds it here.
  const auto [width, lanes, rows, panels, listed, spans] = kernel;
  return fmt::format("product float32 width={} lanes={} rows={} panels={} listed={} spans={}", width, lanes, rows,
                     panels, listed, spans);
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

GeneratedKernels::GeneratedKernels(Plugin& plugin, std::string cpu, std::shared_ptr<const ArtifactStore> store)
    : plugin_(plugin), cpu_(std::move(cpu)), store_(std::move(store)) {}

std::shared_ptr<const LoadedKernel> GeneratedKernels::get(const ProductKernel& kernel, KernelUse& use) {
  const std::string description = describe(kernel);
  const std::lock_guard lock(mutex_);
  std::shared_ptr<const LoadedKernel>& entry = kernels_[description];
  if (entry) {
    ++use.from_memory;
    return entry;
  }
  const Digest key = artifact_key(description, cpu_, plugin_.versions());
  std::optional<std::string> object = store_ ? store_->read(key) : std::nullopt;
  if (object) {
    ++use.from_disk;
  } else {
    const auto begin = Clock::now();
    object = plugin_.compile(kernel, cpu_);
    use.compile_s += seconds_between(begin, Clock::now());
    ++use.compiled;
    if (store_) store_->write(key, *object);
  }
  const auto begin = Clock::now();
  std::shared_ptr<const LoadedKernel> loaded = plugin_.load(*object);
  check_answers(kernel, *loaded);
  use.load_s += seconds_between(begin, Clock::now());
  return entry = std::move(loaded);
}

std::shared_ptr<KernelCounter> KernelCounters::add(const KernelUse& use) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<KernelCounter>& entry = counters_[{use.node, use.map, use.direction, use.op}];
  if (entry) {
    entry->add_kernels(use);
  } else {
    entry = std::make_shared<KernelCounter>(use);
  }
  return entry;
}

std::vector<KernelUse> KernelCounters::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<KernelUse> uses;
  for (const auto& [key, counter] : counters_) uses.push_back(counter->use());
  return uses;
}

}  // namespace boundflow::generated
