#pragma once
// Three judges of a query, for fuzzers and for the files that fuzzing has left in the corpus. What is wrong is a
// failure of googletest; everything random comes from a hash of the files, so that they alone repeat it.

#include "fuzz/graph_case.hpp"

namespace boundflow {

// Which executors and lowerings check_bounds runs: one of each, which the case's bytes select, or all.
enum class Extent { One, All };

// Bounds of ibp, crown-ibp and crown, of rows and of every neuron, under float32 and real semantics: they hold at
// sampled points and at points that descend towards them, for the real-valued network (enclosed by check/) and for
// float32 executions in random orders.
void check_bounds(const GraphCase& files, Extent extent);

// The native executors against the reference executor, over boxes and at points: no bound from below may pass a bound
// from above. At a point that leaves as much room as the stated errors.
void check_executors(const GraphCase& files);

// The verdict of verify(), under both semantics: after `unsat` no point of a grid, no sample, no descent and no float32
// execution is a violation; after `sat` the printed witness is one. Piecewise linear networks are judged over the
// rationals, others by check/.
void check_verdict(const GraphCase& files);

}  // namespace boundflow
