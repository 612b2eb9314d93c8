#include "exec/tvm/auto_executor.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <map>
#include <mutex>
#include <utility>

#include "base/error.hpp"
#include "exec/native/native_kernels.hpp"
#include "exec/op_driver.hpp"
#include "exec/tvm/counted_program.hpp"
#include "exec/tvm/generated_interval.hpp"
#include "exec/tvm/generated_map.hpp"
#include "exec/tvm/generated_multiplier.hpp"
#include "exec/tvm/machine.hpp"
#include "exec/tvm/map_costs.hpp"
#include "exec/tvm/open_plugin.hpp"

namespace boundflow {

namespace {

using generated::ArtifactStore;
using generated::GeneratedKernels;
using generated::GeneratedMultiplier;
using generated::MapCosts;
using native::Direction;
using native::MapKernel;

// What things take, roughly: all that is decided by them is whether it is worth to look closer.
constexpr double kOpen_s = 0.02;            // the plugin
constexpr double kCompile_s = 2;            // all kernels, if none of them is on disk
constexpr double kMeasure_s = 0.02;         // a map in one direction
constexpr double kNativeOperations = 5e10;  // per second
constexpr double kLargestGain = 0.1;        // of native time
constexpr double kClearly = 0.97;           // of native time: less is more than noise

// Which kernels a map takes for few rows and for many.
struct Choice {
  bool few_tvm = false;
  bool many_tvm = false;
  generated::Tile tile;
  std::string reason;
};

class ByRows final : public MapKernel<float> {
 public:
  using Map = std::unique_ptr<const MapKernel<float>>;
  ByRows(Map few, Map many) : few_(std::move(few)), many_(std::move(many)) {}

  void apply(const float* in, std::int64_t ld_in, std::int64_t n, float* out, std::int64_t ld_out,
             bool accumulate) const override {
    choose(n).apply(in, ld_in, n, out, ld_out, accumulate);
  }
  void apply_windows(const float* in, std::int64_t ld_in, std::int64_t n, const Window& from, float* out,
                     std::int64_t ld_out, const Window& to, bool accumulate) const override {
    choose(n).apply_windows(in, ld_in, n, from, out, ld_out, to, accumulate);
  }
  void apply_interval(const float* in, std::int64_t spans, std::int64_t n, float* out, std::int64_t ld_out,
                      bool accumulate) const override {
    choose(n).apply_interval(in, spans, n, out, ld_out, accumulate);
  }
  void count(HeldBytes& held) const override {
    few_->count(held);
    many_->count(held);
  }

 private:
  const MapKernel<float>& choose(std::int64_t n) const { return n < generated::kManyRows ? *few_ : *many_; }

  Map few_;
  Map many_;
};

// The same for a matrix's rows: one packed matrix serves both, where two would drive each other out of the caches.
class MultiplierByRows final : public native::Multiplier<float> {
 public:
  using Part = std::shared_ptr<const native::Multiplier<float>>;
  MultiplierByRows(Part few, Part many) : few_(std::move(few)), many_(std::move(many)) {}

  void multiply(std::span<const native::ProductPart<float>> parts, std::int64_t lda, std::int64_t m, float* c,
                std::int64_t ldc, bool accumulate, const native::Places& places) const override {
    (m < generated::kManyRows ? *few_ : *many_).multiply(parts, lda, m, c, ldc, accumulate, places);
  }

 private:
  Part few_;
  Part many_;
};

class AutoExecutor final : public Executor {
 public:
  AutoExecutor(std::shared_ptr<const ArtifactStore> store, double expected_queries)
      : store_(std::move(store)), expected_queries_(expected_queries) {}

  std::string_view name() const override { return "auto"; }
  std::int64_t element_bytes() const override { return sizeof(float); }
  std::vector<std::shared_ptr<const CompiledProgram>> compile(std::span<const PlannedProgram> programs,
                                                              const Deadline& deadline) const override {
    const std::lock_guard lock(mutex_);
    std::map<MapKey, Choice> choices = decide(programs, deadline);
    NativeKernels<float>::Packed packed;
    packed.instead = [&](const std::string& node, const LinearMap& map, Direction direction) {
      deadline.check();
      const bool composed = generated::kernel_directions(map, direction).size() > 1;
      return composed ? nullptr : make(node, map, direction, choices.at({&map, direction}));
    };
    return generated::translate_errors([&] {
      return generated::count_ops(compile_together<NativeKernels<float>>(programs, deadline, std::move(packed)),
                                  programs, counters_);
    });
  }
  std::vector<KernelUse> kernel_uses() const override { return counters_.all(); }

 private:
  using MapKey = std::pair<const LinearMap*, Direction>;
  struct Candidate {
    double calls = 0;  // expected, at least
    std::optional<MapCosts> costs;
  };

  static bool has_many_rows(const MapKey& key) { return key.second == Direction::Transpose; }
  static double native_estimate(const MapKey& key) {
    const LinearMap& map = *key.first;
    return 2 * static_cast<double>(map.terms() * map.out_size() * generated::measured_rows(has_many_rows(key))) /
           kNativeOperations;
  }

  // Opens TVM, if it is there; the reason why not is said once.
  bool open() const {
    if (kernels_ || !missing_.empty()) return missing_.empty();
    try {
      kernels_ = std::make_unique<GeneratedKernels>(generated::open_plugin(), generated::cpu_level(), store_);
    } catch (const UsageError& error) {
      missing_ = error.what();
    }
    return missing_.empty();
  }

  void measure(std::map<MapKey, Candidate>& candidates, const Deadline& deadline) const {
    double native_s = 0, effort_s = kCompile_s + kOpen_s;
    for (const auto& [key, candidate] : candidates) {
      if (candidate.costs) continue;
      native_s += candidate.calls * native_estimate(key);
      effort_s += kMeasure_s;
    }
    if (native_s * kLargestGain < effort_s || !open()) return;
    for (auto& [key, candidate] : candidates) {
      deadline.check();
      if (candidate.costs) continue;
      const LinearMap& map = *key.first;
      const auto which = key.second;
      candidate.costs = generated::translate_errors([&] { return measure_costs(map, which, *kernels_); });
      keep_costs(store_.get(), map, which, *candidate.costs);
    }
  }

  std::map<MapKey, Choice> decide(std::span<const PlannedProgram> programs, const Deadline& deadline) const {
    std::map<MapKey, Choice> choices;
    std::map<MapKey, Candidate> candidates;
    for (const PlannedProgram& planned : programs) {
      for (const Task& task : planned.program->tasks) {
        for (const TaskOp& op : task.ops) {
          for_each_map(op, [&](const LinearMap& map, Direction whole) {
            for (const Direction direction : generated::kernel_directions(map, whole)) {
              if (const char* reason = native::why_no_multiplier(map)) {
                choices[{&map, direction}].reason = reason;
              } else {
                candidates[{&map, direction}].calls += expected_queries_;
              }
            }
          });
        }
      }
    }
    for (auto& [key, candidate] : candidates) candidate.costs = find_costs(store_.get(), *key.first, key.second);
    measure(candidates, deadline);
    double gain_s = 0;
    for (const auto& [key, candidate] : candidates) {
      Choice& choice = choices[key] = choose(candidate);
      if (!candidate.costs) continue;
      const MapCosts::Call& call = has_many_rows(key) ? candidate.costs->many : candidate.costs->few;
      if (has_many_rows(key) ? choice.many_tvm : choice.few_tvm) {
        gain_s += candidate.calls * (call.native_s - call.tvm_s);
      }
    }
    const bool worthwhile = kernels_ != nullptr || gain_s > kOpen_s;
    if (!worthwhile || !open()) {
      for (auto& [key, choice] : choices) {
        if (!choice.few_tvm && !choice.many_tvm) continue;
        choice.few_tvm = choice.many_tvm = false;
        choice.reason += worthwhile ? "; " + missing_
                                    : fmt::format("; all of tvm would save {:.1f} ms, and takes {:.0f} ms to open",
                                                  1e3 * gain_s, 1e3 * kOpen_s);
      }
    }
    return choices;
  }

  static Choice choose(const Candidate& candidate) {
    if (!candidate.costs) return {.reason = "not measured: there is too little to do (boundflow tune measures)"};
    const MapCosts& costs = *candidate.costs;
    const auto text = [](const MapCosts::Call& call, bool many) {
      return fmt::format("{} rows: native {:.2f} us, tvm {:.2f} us", generated::measured_rows(many),
                         1e6 * call.native_s, 1e6 * call.tvm_s);
    };
    return {.few_tvm = costs.few.tvm_s < kClearly * costs.few.native_s,
            .many_tvm = costs.many.tvm_s < kClearly * costs.many.native_s,
            .tile = costs.tile,
            .reason = text(costs.few, false) + "; " + text(costs.many, true)};
  }

  std::unique_ptr<const MapKernel<float>> make(const std::string& node, const LinearMap& map, Direction direction,
                                               const Choice& choice) const {
    KernelUse use{.node = node, .map = map.print(), .direction = to_string(direction), .reason = choice.reason};
    const auto native = [&] { return native::make_map_kernel<float>(map, direction); };
    const auto tvm = [&] { return make_generated_map(map, direction, *kernels_, choice.tile, use); };
    const char* const mixed =
        choice.few_tvm ? "tvm for few rows, native for many" : "native for few rows, tvm for many";
    std::unique_ptr<const MapKernel<float>> made;
    if (choice.few_tvm == choice.many_tvm) {
      use.executor = choice.few_tvm ? "tvm" : "native";
      made = choice.few_tvm ? tvm() : native();
    } else if (direction != Direction::Interval && generated::has_interval_kernel(map)) {
      use.executor = mixed;
      MultiplierByRows::Part generated = std::make_shared<const GeneratedMultiplier>(*kernels_, choice.tile, use);
      MultiplierByRows::Part few = native::native_multiplier<float>();
      if (choice.few_tvm) std::swap(few, generated);
      made = native::make_map_kernel<float>(map, direction, std::make_shared<const MultiplierByRows>(few, generated));
    } else {
      use.executor = mixed;
      made = choice.few_tvm ? std::make_unique<ByRows>(tvm(), native()) : std::make_unique<ByRows>(native(), tvm());
    }
    spdlog::info("auto: {} {} {}: {} ({})", node, use.map, use.direction, use.executor, use.reason);
    return count_calls(std::move(made), counters_.add(use));
  }

  std::shared_ptr<const ArtifactStore> store_;
  const double expected_queries_;
  mutable std::mutex mutex_;  // one compilation at a time, so that measuring is not disturbed by another one
  mutable std::unique_ptr<GeneratedKernels> kernels_;  // once TVM is open
  mutable std::string missing_;                        // why it cannot be opened
  mutable generated::KernelCounters counters_;
};

}  // namespace

std::shared_ptr<const Executor> make_auto_executor(const std::string& cache_folder, double expected_queries) {
  static std::mutex mutex;
  // Never destroyed, as what it holds: see codegen/registry.cpp.
  static auto& executors = *new std::map<std::pair<std::string, double>, std::shared_ptr<const Executor>>;
  const std::lock_guard lock(mutex);
  std::shared_ptr<const Executor>& executor = executors[{cache_folder, expected_queries}];
  if (!executor) {
    executor = std::make_shared<const AutoExecutor>(generated::open_store(cache_folder), expected_queries);
  }
  return executor;
}

}  // namespace boundflow
