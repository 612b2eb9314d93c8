#pragma once
// The parallel loop of all rooms, on oneTBB.

#include <tbb/parallel_for.h>

#include <cstdint>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#include "base/ordered_loop.hpp"
#define BOUNDFLOW_THREAD_SANITIZER
#endif
#endif

namespace boundflow {

// body(i) for 0 <= i < count, on the threads of the arena that the caller is in; returns when all are done. The first
// exception of a body is thrown again here.
template <class Body>
void parallel_for(std::int64_t count, const Body& body) {
#if defined(BOUNDFLOW_THREAD_SANITIZER)
  ordered_parallel_for(count, body);
#else
  tbb::parallel_for(std::int64_t{0}, count, body);
#endif
}

}  // namespace boundflow
