#pragma once
// TaskGraph: which tasks of a program wait for which. Tasks of one level are independent of each other and may run at
// the same time.

#include <cstddef>
#include <vector>

#include "program/bound_program.hpp"

namespace boundflow {

// Orders the tasks of a program, which stand in an order in which they may run, by level and within a level as they
// stood, and writes `after` and `level` of each: a task waits for those whose results it reads, and where it tightens
// bounds also for those that read them before.
void order_tasks(std::vector<Task>& tasks, std::size_t buffers);

}  // namespace boundflow
