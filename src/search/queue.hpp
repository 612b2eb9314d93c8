#pragma once
// Open subproblems: best-first by the worst bound, ties by age, so that the order is the same run after run.
//
// There may be millions of them when the time is up, and then they have to go at once: each lies in one piece, in
// chunks that are given back as a whole. (The pools of <memory_resource> would do, but libstdc++'s are left in a state
// that crashes where memory runs out in them.)

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
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
  std::uint64_t age = 0;     // given by the queue

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
  void push(const Subproblem& subproblem);
  Subproblem pop();
  bool empty() const { return heap_.empty(); }
  std::int64_t size() const { return static_cast<std::int64_t>(heap_.size()); }
  // What it holds: as much as it ever needed, until it is empty.
  std::int64_t bytes() const;
  double worst_bound() const { return heap_.front().bound; }

  // Of a subproblem where it lies.
  struct View {
    double bound = 0;
    std::int32_t region = 0;
    std::int32_t depth = 0;
    std::span<const double> lower;
    std::span<const double> upper;
    std::span<const std::int32_t> clauses;
  };
  // All of them, in no order.
  void visit(const std::function<void(const View&)>& see) const;
  // Takes out all subproblems of a region.
  void remove(std::int32_t region);

 private:
  // In front of a subproblem's ends, clauses and combinations, which follow in one piece.
  struct Packed {
    double blocked_gap = 0;
    std::int32_t region = 0;
    std::int32_t depth = 0;
    std::int32_t stalled = 0;
    std::int32_t inputs = 0;
    std::int32_t clauses = 0;
    std::int32_t lambdas = 0;
    bool inputs_only = false;

    std::size_t bytes() const {
      return sizeof(Packed) + 2 * sizeof(double) * static_cast<std::size_t>(inputs) +
             sizeof(std::int32_t) * static_cast<std::size_t>(clauses) +
             sizeof(float) * static_cast<std::size_t>(lambdas);
    }
    double* ends() { return reinterpret_cast<double*>(this + 1); }
    std::int32_t* clause_list() { return reinterpret_cast<std::int32_t*>(ends() + 2 * inputs); }
    float* lambda_list() { return reinterpret_cast<float*>(clause_list() + clauses); }
  };
  struct Entry {
    double bound = 0;
    std::uint64_t age = 0;
    Packed* packed = nullptr;
  };
  // Heap order: the smallest bound on top. A NaN bound counts as smallest.
  static bool later(const Entry& a, const Entry& b) {
    const bool a_nan = a.bound != a.bound;
    const bool b_nan = b.bound != b.bound;
    if (a_nan != b_nan) return b_nan;
    if (!a_nan && a.bound != b.bound) return a.bound > b.bound;
    return a.age > b.age;
  }
  // A place for a piece, and what is free again behind one that has gone: in a list through the pieces themselves.
  void* place(std::size_t bytes);
  void release(Packed* packed);
  void give_back_if_empty();
  struct Free {
    Free* next = nullptr;
  };

  std::vector<std::unique_ptr<std::byte[]>> chunks_;
  std::size_t chunk_left_ = 0;  // at the end of the last chunk
  std::byte* chunk_end_ = nullptr;
  std::int64_t chunk_bytes_ = 0;       // of all
  std::map<std::size_t, Free*> free_;  // by bytes
  std::vector<Entry> heap_;
  std::uint64_t next_age_ = 0;
};

}  // namespace boundflow
