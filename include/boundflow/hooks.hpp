#pragma once
/// @file
/// How a caller follows and ends a call.

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

namespace boundflow {

/// What the search reports while it runs, about ten times a second, and at its end.
struct Progress {
  double elapsed_s = 0;     ///< Seconds since the call.
  std::int64_t open = 0;    ///< Subproblems that are not decided yet.
  std::int64_t closed = 0;  ///< Subproblems that are proved.
  /// The smallest lower bound over open subproblems, above zero of what is proved: -infinity where one has none yet,
  /// +infinity where none is open.
  double worst_bound = 0;
  int depth = 0;                 ///< Splits above the deepest subproblem.
  double subproblems_per_s = 0;  ///< Bounded per second, on average since the search began.
  /// What the search is at: "boxes", or of the search over signs of neurons "refinement", "roots" or "halves". Empty at
  /// the end.
  std::string phase;
};

/// How a caller follows and ends a query.
struct VerifyHooks {
  /// Called on the calling thread, by verify() only. What it throws ends the query and reaches the caller.
  std::function<void(const Progress&)> progress;
  /// When it becomes true, the query returns with what it has. It must outlive the call.
  const std::atomic<bool>* interrupt = nullptr;
};

}  // namespace boundflow
