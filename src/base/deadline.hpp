#pragma once
// Time limits and interruption. Everything that can run long holds a `const Deadline&` and asks it at least every
// 50 ms, inside chunks too.

#include <atomic>
#include <chrono>
#include <limits>

#include "base/error.hpp"

namespace boundflow {

using Clock = std::chrono::steady_clock;

inline double seconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

class Deadline {
 public:
  // `seconds` from `start`; infinite if not finite. `interrupt`, if given, is raised by a signal handler.
  explicit Deadline(double seconds = std::numeric_limits<double>::infinity(), Clock::time_point start = Clock::now(),
                    const std::atomic<bool>* interrupt = nullptr)
      : start_(start), seconds_(seconds), interrupt_(interrupt) {}

  double elapsed() const { return seconds_between(start_, Clock::now()); }
  double remaining() const { return seconds_ - elapsed(); }
  bool interrupted() const { return interrupt_ != nullptr && interrupt_->load(std::memory_order_relaxed); }
  bool expired() const { return remaining() <= 0; }
  // True when work should be left as it is: out of time or interrupted.
  bool should_stop() const { return interrupted() || expired(); }
  // For work without a partial result: StoppedError when it should be left.
  void check() const {
    if (should_stop()) throw StoppedError(interrupted());
  }
  // The same start and interrupt with a limit at most `seconds` from now.
  Deadline sooner(double seconds) const {
    const double limit = elapsed() + seconds;
    return Deadline(limit < seconds_ ? limit : seconds_, start_, interrupt_);
  }

 private:
  Clock::time_point start_;
  double seconds_;
  const std::atomic<bool>* interrupt_;
};

}  // namespace boundflow
