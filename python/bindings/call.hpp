#pragma once
// A call of the library while Python goes on: without the GIL, on a thread of its own, so that the thread that waits
// can run Python's signal handlers (Ctrl-C among them) and callbacks.

#include <functional>
#include "boundflow/hooks.hpp"

namespace boundflow::python {

// Runs `work` with hooks that it hands on. `progress`: called with the GIL on the calling thread; may be empty. What
// a signal's handler or `progress` raises ends the work and is raised once the work has stopped; what `work` throws is
// thrown here. The caller holds the GIL, and again afterwards.
void run_interruptibly(const std::function<void(const VerifyHooks&)>& work,
                       const std::function<void(const Progress&)>& progress = {});

}  // namespace boundflow::python
