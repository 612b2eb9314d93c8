#include "base/trace.hpp"

namespace boundflow {

std::string_view to_string(SpanKind kind) {
  switch (kind) {
    case SpanKind::Phase:
      return "phase";
    case SpanKind::Pass:
      return "pass";
    case SpanKind::Op:
      return "op";
    case SpanKind::Step:
      return "step";
    case SpanKind::RowKernel:
      return "row kernel";
    case SpanKind::Product:
      return "product";
  }
  return "";
}

void Trace::add(SpanKind kind, std::string_view name, Clock::time_point begin, Clock::time_point end,
                const void* subject, double useful, double executed) {
  const double duration = seconds_between(begin, end);
  const std::lock_guard lock(mutex_);
  Total& total = totals_[{kind, name}];
  ++total.count;
  total.seconds += duration;
  total.useful += useful;
  total.executed += executed;
  if (subject != nullptr) {
    Total& own = subjects_[subject];
    ++own.count;
    own.seconds += duration;
  }
  const int thread = threads_.try_emplace(std::this_thread::get_id(), static_cast<int>(threads_.size())).first->second;
  if (spans_.size() < most_spans_) {
    spans_.push_back({kind, name, thread, seconds_between(begin_, begin), duration});
  } else {
    ++dropped_;
  }
}

Trace::Total Trace::total_of(const void* subject) const {
  const auto found = subjects_.find(subject);
  return found == subjects_.end() ? Total{} : found->second;
}

Trace::Total Trace::total_of(SpanKind kind) const {
  Total sum;
  for (const auto& [key, total] : totals_) {
    if (key.first != kind) continue;
    sum.count += total.count;
    sum.seconds += total.seconds;
    sum.useful += total.useful;
    sum.executed += total.executed;
  }
  return sum;
}

}  // namespace boundflow
