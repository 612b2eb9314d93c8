#pragma once
// parallel_for in builds with ThreadSanitizer, which cannot see into Debian's oneTBB and would take the hand-over of
// every loop for a race. This loop says itself what its scheduler guarantees: what was done before it comes before
// every body, and every body before what is done after it. Bodies stay unordered, so that races between them are found.

#include <sanitizer/tsan_interface.h>
#include <tbb/parallel_for.h>

#include <cstdint>
#include <memory>

namespace boundflow {

// Destructors, since bodies may throw.
struct ReleaseAtEnd {
  char* place;
  ~ReleaseAtEnd() { __tsan_release(place); }
};
struct AcquireAtEnd {
  char* place;
  char* stack;
  // The last that a worker does is to count down in a node on the caller's stack, of which ThreadSanitizer sees the
  // atomic operation. The caller's answer to it is inside the library: it is acquired wherever the node may have been,
  // before other functions use that part of the stack.
  ~AcquireAtEnd() {
    __tsan_acquire(place);
    constexpr std::ptrdiff_t kFrames = 4096;  // bytes; those of oneTBB's headers take a few hundred
    for (std::ptrdiff_t below = 0; below < kFrames; below += 4) __tsan_acquire(stack - below);
  }
};

// Not inlined, so that its frame begins where those of oneTBB's headers follow.
template <class Body>
[[gnu::noinline]] void ordered_parallel_for(std::int64_t count, const Body& body) {
  // On the heap: a place on the stack would keep the order of earlier loops, and hide races with them.
  const auto begun = std::make_unique<char>(), ended = std::make_unique<char>();
  const AcquireAtEnd acquire_ended{ended.get(), static_cast<char*>(__builtin_frame_address(0))};
  __tsan_release(begun.get());
  // The function that oneTBB calls is not instrumented: it reads what it has captured, which another thread wrote,
  // before it can acquire.
  tbb::parallel_for(
      std::int64_t{0}, count,
      [&body, begun = begun.get(), ended = ended.get() ](std::int64_t i) __attribute__((no_sanitize("thread"))) {
        __tsan_acquire(begun);
        const ReleaseAtEnd release_ended{ended};
        body(i);
      });
}

}  // namespace boundflow
