#pragma once
// An executor that counts how often it compiles, and may do something else before.

#include <atomic>
#include <functional>

#include "exec/native/native_executor.hpp"

namespace boundflow {

class CountingExecutor final : public Executor {
 public:
  explicit CountingExecutor(std::function<void(const Deadline&)> before = nullptr) : before_(std::move(before)) {}
  std::string_view name() const override { return "counting"; }
  std::int64_t element_bytes() const override { return native_->element_bytes(); }
  std::vector<std::shared_ptr<const CompiledProgram>> compile(std::span<const PlannedProgram> programs,
                                                              const Deadline& deadline) const override {
    ++compiled_;
    if (before_) before_(deadline);
    return native_->compile(programs, deadline);
  }
  int compiled() const { return compiled_; }

 private:
  std::function<void(const Deadline&)> before_;
  std::shared_ptr<const Executor> native_ = make_native_executor();
  mutable std::atomic<int> compiled_{0};
};

}  // namespace boundflow
