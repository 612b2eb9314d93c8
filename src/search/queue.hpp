#pragma once
// Open subproblems: best-first by the worst bound, ties by age, so that the order is the same run after run.

#include <algorithm>
#include <cstdint>
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
  std::uint64_t age = 0;

  std::int64_t bytes() const {
    return static_cast<std::int64_t>(sizeof(Subproblem) + 2 * lower.size() * sizeof(double) +
                                     clauses.size() * sizeof(std::int32_t) + lambdas.size() * sizeof(float));
  }
};

class SubproblemQueue {
 public:
  void push(Subproblem subproblem) {
    subproblem.age = next_age_++;
    bytes_ += subproblem.bytes();
    heap_.push_back(std::move(subproblem));
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  Subproblem pop() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    Subproblem result = std::move(heap_.back());
    heap_.pop_back();
    bytes_ -= result.bytes();
    return result;
  }
  bool empty() const { return heap_.empty(); }
  std::int64_t size() const { return static_cast<std::int64_t>(heap_.size()); }
  std::int64_t bytes() const { return bytes_; }
  double worst_bound() const { return heap_.front().bound; }

 private:
  // Heap order: the smallest bound on top. A NaN bound counts as smallest.
  static bool later(const Subproblem& a, const Subproblem& b) {
    const bool a_nan = a.bound != a.bound;
    const bool b_nan = b.bound != b.bound;
    if (a_nan != b_nan) return b_nan;
    if (!a_nan && a.bound != b.bound) return a.bound > b.bound;
    return a.age > b.age;
  }

  std::vector<Subproblem> heap_;
  std::uint64_t next_age_ = 0;
  std::int64_t bytes_ = 0;
};

}  // namespace boundflow
