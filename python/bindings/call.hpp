#pragma once
// A call of the library while Python goes on: without the GIL, on a thread of its own, so that the thread that waits
// can run Python's signal handlers (Ctrl-C among them) and callbacks.

#include <functional>
#include <map>
#include <string>
#include <utility>
#include "boundflow/hooks.hpp"

namespace boundflow::python {

// Runs `work` with hooks that it hands on. `progress`: called with the GIL on the calling thread; may be empty. What
// a signal's handler or `progress` raises ends the work and is raised once the work has stopped; what `work` throws is
// thrown here. The caller holds the GIL, and again afterwards.
void run_interruptibly(const std::function<void(const VerifyHooks&)>& work,
                       const std::function<void(const Progress&)>& progress = {});

// How long calls of a kind took when they were made last. Handing a call over to another thread takes some 20 us, which
// matters for short ones only; those are over before anybody could wish to interrupt them.
class CallTimes {
 public:
  static constexpr double kShort_s = 0.02;
  // A call that is taken for short is given up after so long, and made again so that it can be interrupted.
  static constexpr double kPatience_s = 0.2;

  // `asked`: the object that calls go to; that an address may be another's later does no harm. With the GIL.
  bool are_short(const void* asked, const std::string& kind) const;
  void note(const void* asked, const std::string& kind, double seconds);

 private:
  std::map<std::pair<const void*, std::string>, double> seconds_;
};

}  // namespace boundflow::python
