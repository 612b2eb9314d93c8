#pragma once
// The reference executor: plain loops in double over LinearMap's own meaning. Slow, obvious, and as sound as the others
// (its error terms are those of double arithmetic); the native executor is tested against it.

#include <memory>

#include "exec/executor.hpp"

namespace boundflow {

std::unique_ptr<Executor> make_reference_executor();

}  // namespace boundflow
