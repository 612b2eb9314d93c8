// A race between two bodies of a loop, in builds with ThreadSanitizer: what base/ordered_loop.hpp says of the order of
// a loop must not hide it. Two bodies meet, so that they do run at the same time.
#include <tbb/global_control.h>

#include <atomic>
#include <chrono>
#include <iostream>
#include <thread>

#include "base/parallel.hpp"

int main() {
  // A second thread also where there is one core only.
  const tbb::global_control threads(tbb::global_control::max_allowed_parallelism, 2);
  std::atomic<int> arrived{0};
  long shared = 0;
  boundflow::parallel_for(2, [&](std::int64_t) {
    ++arrived;
    const auto begun = std::chrono::steady_clock::now();
    while (arrived < 2 && std::chrono::steady_clock::now() - begun < std::chrono::seconds(60)) {
      std::this_thread::yield();
    }
    ++shared;
  });
  std::cout << shared << "\n";
  return 0;
}
