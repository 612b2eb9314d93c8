#pragma once
// What ran when: spans of time per thread, recorded for `--profile` where someone holds a Trace, else at the cost of
// one comparison. Totals per category and name are complete; of the spans themselves the first `kMostSpans` are kept.

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

#include "base/deadline.hpp"

namespace boundflow {

// Spans nest: products and row kernels lie within ops, ops and passes within phases.
enum class SpanKind { Phase, Pass, Op, RowKernel, Product };

std::string_view to_string(SpanKind kind);

class Trace {
 public:
  static constexpr std::size_t kMostSpans = 1'000'000;

  struct Span {
    SpanKind kind;
    std::string_view name;
    int thread;      // numbered from 0 in the order of their first span
    double begin_s;  // since the trace began
    double duration_s;
  };
  struct Total {
    std::int64_t count = 0;
    double seconds = 0;  // of all threads
  };

  // `name` must outlive the trace: a literal.
  void add(SpanKind kind, std::string_view name, Clock::time_point begin, Clock::time_point end);

  const std::vector<Span>& spans() const { return spans_; }
  const std::map<std::pair<SpanKind, std::string_view>, Total>& totals() const { return totals_; }
  std::size_t dropped() const { return dropped_; }
  double seconds(SpanKind kind) const;  // all spans of a kind, all threads together

 private:
  const Clock::time_point begin_ = Clock::now();
  std::mutex mutex_;
  std::map<std::thread::id, int> threads_;
  std::vector<Span> spans_;
  std::map<std::pair<SpanKind, std::string_view>, Total> totals_;
  std::size_t dropped_ = 0;
};

// From construction to destruction, if there is a trace.
class TraceSpan {
 public:
  TraceSpan(Trace* trace, SpanKind kind, std::string_view name) : trace_(trace), kind_(kind), name_(name) {
    if (trace_ != nullptr) begin_ = Clock::now();
  }
  TraceSpan(const TraceSpan&) = delete;
  TraceSpan& operator=(const TraceSpan&) = delete;
  ~TraceSpan() {
    if (trace_ != nullptr) trace_->add(kind_, name_, begin_, Clock::now());
  }

 private:
  Trace* trace_;
  SpanKind kind_;
  std::string_view name_;
  Clock::time_point begin_;
};

}  // namespace boundflow
