#pragma once
// Level 3, StoragePlan: where each logical buffer of a program lies. Two arenas: one per query, whose buffers scale
// with the number of subproblems B, and one per worker, whose buffers scale with the number of rows N of a block.
// Within an arena every buffer scales with the same dimension, so offsets are packed once, in bytes per unit, and
// binding B or N is a multiplication.

#include <cstdint>
#include <string>
#include <vector>

#include "program/bound_program.hpp"

namespace boundflow {

struct Placement {
  std::int64_t offset = 0;      // bytes per unit of B or N, a multiple of 64
  std::int64_t bytes = 0;       // per unit, a multiple of 64
  std::int64_t first_use = -1;  // op numbers over the whole program, inclusive; -1: never used
  std::int64_t last_use = -1;
};

// A result that could have taken its operand's place, but for the reason given.
struct MissedReuse {
  BufferId operand = -1;
  BufferId result = -1;
  std::string reason;
};

struct StoragePlan {
  std::int64_t element_bytes = 4;     // of Rows, Points and Lines: the executor's precision
  std::vector<Placement> placements;  // one per buffer
  std::int64_t batch_bytes = 0;       // per subproblem, with reuse
  std::int64_t batch_bytes_without_reuse = 0;
  std::int64_t row_bytes = 0;  // per row, with reuse
  std::int64_t row_bytes_without_reuse = 0;
  std::vector<MissedReuse> missed;
};

// Elements from one row to the next, for rows of so many: whole cache lines of the narrowest type stored, and of long
// rows an odd number of them. Kernels read the same column of many rows at once, and rows that are a power of two apart
// would compete for the same few sets of the first-level cache.
std::int64_t padded_columns(std::int64_t columns);

// Elements from one entry (row or subproblem) of a buffer to the next.
std::int64_t leading_dimension(const Buffer& buffer);

// Buffers whose lifetimes overlap never share bytes, except where an op may write its result over its operand
// (ApplyRelaxation, ScaleByDerivative) and the operand dies there. Without `reuse` no two buffers share bytes.
StoragePlan plan_storage(const BoundProgram& program, std::int64_t element_bytes, bool reuse = true);

// Bytes per row that one task's buffers reach in the row arena; at most plan.row_bytes.
std::int64_t row_bytes(const BoundProgram& program, const StoragePlan& plan, const Task& task);

std::string print(const BoundProgram& program, const StoragePlan& plan);

}  // namespace boundflow
