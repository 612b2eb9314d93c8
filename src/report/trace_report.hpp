#pragma once
// A Trace as a file that browsers show: Chrome's trace event format, one object with `traceEvents` in microseconds, to
// be opened in chrome://tracing or ui.perfetto.dev. `boundflow` beside them holds the totals.

#include <string>

#include "base/trace.hpp"

namespace boundflow {

// `wall_s`: how long the command ran; `threads`: on how many workers. Totals say per kind and name how often and how
// long, and the share of all worker time that lies outside products and row kernels.
std::string to_chrome_trace(const Trace& trace, double wall_s, int threads);

}  // namespace boundflow
