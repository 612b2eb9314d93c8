#pragma once
// A Trace as a file that browsers show: Chrome's trace event format, one object with `traceEvents` in microseconds, to
// be opened in chrome://tracing or ui.perfetto.dev. `boundflow` beside them holds the totals.

#include <string>

#include "base/trace.hpp"

namespace boundflow {

// `wall_s`: how long the command ran; `threads`: on how many workers. Totals say per kind and name how often and how
// long, and the share of all worker time that lies outside products and row kernels. Of products they say how much they
// did: a multiplication and its addition are 2 FLOP; useful ones are those with an entry of the rows that is not zero,
// executed ones all that the kernels went through, empty lanes of vectors included.
std::string to_chrome_trace(const Trace& trace, double wall_s, int threads);

}  // namespace boundflow
