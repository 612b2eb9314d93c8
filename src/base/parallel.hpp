#pragma once
// The parallel loop of all rooms, on oneTBB. ThreadSanitizer cannot see into Debian's oneTBB, which is built without
// it: it would take the hand-over of every loop for a race. In such builds the loop says itself what its scheduler
// guarantees, that what was done before it comes before every body, and every body before what is done after it; bodies
// stay unordered, so that races between them are found.

#include <tbb/parallel_for.h>

#include <cstdint>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#include <sanitizer/tsan_interface.h>
#define BOUNDFLOW_THREAD_SANITIZER
#endif
#endif

namespace boundflow {

// body(i) for 0 <= i < count, on the threads of the arena that the caller is in; returns when all are done. The first
// exception of a body is thrown again here.
template <class Body>
void parallel_for(std::int64_t count, const Body& body) {
#if defined(BOUNDFLOW_THREAD_SANITIZER)
  char begun = 0;
  char ended = 0;
  __tsan_release(&begun);
  tbb::parallel_for(std::int64_t{0}, count, [&](std::int64_t i) {
    __tsan_acquire(&begun);
    body(i);
    __tsan_release(&ended);
  });
  __tsan_acquire(&ended);
#else
  tbb::parallel_for(std::int64_t{0}, count, body);
#endif
}

}  // namespace boundflow
