// A race between two bodies of a loop, in builds with ThreadSanitizer: what base/ordered_loop.hpp says of the order of
// a loop must not hide it. Relaxed flags, which order nothing, see to it that two threads run the bodies and that one
// access comes well behind the other: ThreadSanitizer misses accesses that happen at the very same time.
#include <tbb/global_control.h>

#include <atomic>
#include <chrono>
#include <iostream>
#include <thread>

#include "base/parallel.hpp"

namespace {

// Gives up after a minute, so that a loop on one thread ends without a race instead of never.
void wait_for(const std::atomic<bool>& flag) {
  const auto begun = std::chrono::steady_clock::now();
  while (!flag.load(std::memory_order_relaxed) && std::chrono::steady_clock::now() - begun < std::chrono::seconds(60)) {
    std::this_thread::yield();
  }
}

}  // namespace

int main() {
  // A second thread also where there is one core only.
  const tbb::global_control threads(tbb::global_control::max_allowed_parallelism, 2);
  std::atomic<bool> second_runs{false};
  std::atomic<bool> first_has_written{false};
  long shared = 0;
  boundflow::parallel_for(2, [&](std::int64_t body) {
    if (body == 0) {
      wait_for(second_runs);
      ++shared;
      first_has_written.store(true, std::memory_order_relaxed);
    } else {
      second_runs.store(true, std::memory_order_relaxed);
      wait_for(first_has_written);
      ++shared;
    }
  });
  std::cout << shared << "\n";
  return 0;
}
