#pragma once
// Open subproblems: best-first by the worst bound, ties by age, so that the order is the same run after run.
//
// There may be millions of them when the time is up, and then they have to go at once: each lies in one piece, in pools
// that are given back as a whole.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory_resource>
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
  // The memory that the pools have asked for.
  class Counted final : public std::pmr::memory_resource {
   public:
    std::int64_t bytes() const { return bytes_; }

   private:
    void* do_allocate(std::size_t bytes, std::size_t alignment) override;
    void do_deallocate(void* pointer, std::size_t bytes, std::size_t alignment) override;
    bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

    std::int64_t bytes_ = 0;
  };

  // Heap order: the smallest bound on top. A NaN bound counts as smallest.
  static bool later(const Entry& a, const Entry& b) {
    const bool a_nan = a.bound != a.bound;
    const bool b_nan = b.bound != b.bound;
    if (a_nan != b_nan) return b_nan;
    if (!a_nan && a.bound != b.bound) return a.bound > b.bound;
    return a.age > b.age;
  }
  void release(Packed* packed);
  void give_back_if_empty();

  // Chunks of pools are not to be much larger than what is in them.
  static constexpr std::size_t kMostBlocksPerChunk = 1024;

  Counted memory_;
  std::pmr::unsynchronized_pool_resource pools_{
      {.max_blocks_per_chunk = kMostBlocksPerChunk, .largest_required_pool_block = 0}, &memory_};
  std::vector<Entry> heap_;
  std::uint64_t next_age_ = 0;
};

}  // namespace boundflow
