#pragma once
// The lines of a relaxation for a batch of subproblems as kernels read them: arrays [subproblems, ld].

#include <cstdint>

namespace boundflow {

template <class T>
struct RelaxationLines {
  const T* lower_slope;
  const T* lower_intercept;  // nullptr: all zero
  const T* upper_slope;
  const T* upper_intercept;
  const float* error_weight;
  std::int64_t ld;
};

}  // namespace boundflow
