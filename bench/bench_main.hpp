#pragma once
// What the benchmarks' main functions share.

#include <fmt/format.h>

#include <cstdio>
#include <exception>

namespace boundflow::bench {

// What `run` returns; 1 with the message on standard error if it throws.
template <class Run>
int run_main(const char* name, const Run& run) {
  try {
    return run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", name, error.what());
    return 1;
  }
}

}  // namespace boundflow::bench
