#pragma once
// What ran when: spans of time per thread, recorded for `--profile` and `--report` where someone holds a Trace, else at
// the cost of one comparison. Totals are complete; of the spans themselves the first ones are kept.
//
// Products say how much they did: kernels count the multiplications that they execute with count_products(), lanes that
// hold nothing included, and who calls them how many were useful.

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/deadline.hpp"

namespace boundflow {

// Spans nest: products and row kernels lie within ops; ops, passes and steps within phases. A step is what an engine
// does to all rows of a query between ops.
enum class SpanKind { Phase, Pass, Op, Step, RowKernel, Product };

std::string_view to_string(SpanKind kind);

// Multiplications that kernels have executed on this thread so far.
inline thread_local double executed_products = 0;

inline void count_products(std::int64_t products) {
  executed_products += static_cast<double>(products);
}

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
    // Multiplications of products.
    double useful = 0;
    double executed = 0;
  };

  // `most_spans`: 0 for totals alone.
  explicit Trace(std::size_t most_spans = kMostSpans) : most_spans_(most_spans) {}

  // `name` must outlive the trace: a literal. `subject`: what ran, by its address, if totals are wanted of it alone.
  void add(SpanKind kind, std::string_view name, Clock::time_point begin, Clock::time_point end,
           const void* subject = nullptr, double useful = 0, double executed = 0);

  const std::vector<Span>& spans() const { return spans_; }
  const std::map<std::pair<SpanKind, std::string_view>, Total>& totals() const { return totals_; }
  Total total_of(const void* subject) const;
  std::size_t dropped() const { return dropped_; }
  Total total_of(SpanKind kind) const;  // all spans of a kind, all threads together

 private:
  const Clock::time_point begin_ = Clock::now();
  const std::size_t most_spans_;
  std::mutex mutex_;
  std::map<std::thread::id, int> threads_;
  std::vector<Span> spans_;
  std::map<std::pair<SpanKind, std::string_view>, Total> totals_;
  std::unordered_map<const void*, Total> subjects_;
  std::size_t dropped_ = 0;
};

// From construction to destruction, if there is a trace.
class TraceSpan {
 public:
  // `useful`: of a product, multiplications with what is not zero.
  TraceSpan(Trace* trace, SpanKind kind, std::string_view name, const void* subject = nullptr, double useful = 0)
      : trace_(trace), kind_(kind), name_(name), subject_(subject), useful_(useful) {
    if (trace_ == nullptr) return;
    executed_before_ = executed_products;
    begin_ = Clock::now();
  }
  TraceSpan(const TraceSpan&) = delete;
  TraceSpan& operator=(const TraceSpan&) = delete;
  ~TraceSpan() {
    if (trace_ == nullptr) return;
    const double executed = kind_ == SpanKind::Product ? executed_products - executed_before_ : 0;
    trace_->add(kind_, name_, begin_, Clock::now(), subject_, useful_, executed);
  }

 private:
  Trace* trace_;
  SpanKind kind_;
  std::string_view name_;
  const void* subject_;
  double useful_;
  double executed_before_ = 0;
  Clock::time_point begin_;
};

}  // namespace boundflow
