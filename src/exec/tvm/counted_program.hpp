#pragma once
// Programs whose ops are counted: what they take besides multiplying by maps, which is counted map by map, and why no
// kernel is generated for that.

#include <memory>
#include <span>
#include <vector>

#include "exec/executor.hpp"
#include "exec/tvm/generated_kernels.hpp"

namespace boundflow::generated {

// Compiled programs with one counter for all ops of a kind; `planned` is what they were compiled from.
std::vector<std::shared_ptr<const CompiledProgram>> count_ops(
    std::vector<std::shared_ptr<const CompiledProgram>> compiled, std::span<const PlannedProgram> planned,
    KernelCounters& counters);

// Why the ops of a kind, or what they do around their maps, are not generated.
const char* why_not_generated(TaskOpKind kind);

}  // namespace boundflow::generated
