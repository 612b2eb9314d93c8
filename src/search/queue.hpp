#pragma once
// Open subproblems: best-first by the worst bound, ties by age, so that the order is the same run after run.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

namespace boundflow {

struct Subproblem {
  std::vector<double> lower;
  std::vector<double> upper;
  std::int32_t region = 0;
  std::int32_t depth = 0;
  std::vector<std::int32_t> clauses;  // those still open here
  std::vector<float> lambdas;  // per open clause with two rows or more: its parent's best combination, concatenated
  double bound = 0;            // the smallest lower bound over its clauses, as known from its parent
  double blocked_gap = 0;    // by how much only error keeps it open, as of the last split that reduced it; 0 if not so
  std::int32_t stalled = 0;  // splits since then
  bool inputs_only = false;  // splitting neurons has not decided it
  std::uint64_t age = 0;

  // What it takes on the heap, the allocator's own share included.
  std::int64_t bytes() const {
    const auto allocated = [](std::size_t size) {
      return size == 0 ? 0 : std::max<std::size_t>(32, (size + 23) / 16 * 16);
    };
    const auto of = [&](const auto& values) { return allocated(values.capacity() * sizeof(values[0])); };
    return static_cast<std::int64_t>(allocated(sizeof(Subproblem)) + of(lower) + of(upper) + of(clauses) + of(lambdas));
  }
};

class SubproblemQueue {
 public:
  void push(Subproblem subproblem) {
    subproblem.age = next_age_++;
    heap_.push_back(std::make_unique<Subproblem>(std::move(subproblem)));
    bytes_ += heap_.back()->bytes() + kSlotBytes;
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  Subproblem pop() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const std::unique_ptr<Subproblem> result = std::move(heap_.back());
    heap_.pop_back();
    bytes_ -= result->bytes() + kSlotBytes;
    return std::move(*result);
  }
  bool empty() const { return heap_.empty(); }
  std::int64_t size() const { return static_cast<std::int64_t>(heap_.size()); }
  std::int64_t bytes() const { return bytes_; }
  double worst_bound() const { return heap_.front()->bound; }

 private:
  using Entry = std::unique_ptr<Subproblem>;
  // A pointer's share of the heap's array, which is twice its size after it has grown, and thrice while it grows.
  static constexpr std::int64_t kSlotBytes = 3 * sizeof(Entry);

  // Heap order: the smallest bound on top. A NaN bound counts as smallest.
  static bool later(const Entry& a, const Entry& b) {
    const bool a_nan = a->bound != a->bound;
    const bool b_nan = b->bound != b->bound;
    if (a_nan != b_nan) return b_nan;
    if (!a_nan && a->bound != b->bound) return a->bound > b->bound;
    return a->age > b->age;
  }

  std::vector<Entry> heap_;
  std::uint64_t next_age_ = 0;
  std::int64_t bytes_ = 0;
};

}  // namespace boundflow
