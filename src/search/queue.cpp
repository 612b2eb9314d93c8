#include "search/queue.hpp"

#include <memory>
#include <new>

namespace boundflow {

namespace {

constexpr std::size_t kPiece = 32;  // sizes are rounded up to a multiple of this
constexpr std::size_t kSmallestChunk = std::size_t{16} << 10, kLargestChunk = std::size_t{1} << 20;

std::size_t rounded(std::size_t bytes) {
  return (bytes + kPiece - 1) / kPiece * kPiece;
}

}  // namespace

std::int64_t SubproblemQueue::bytes() const {
  return chunk_bytes_ + static_cast<std::int64_t>(heap_.capacity() * sizeof(Entry));
}

void* SubproblemQueue::place(std::size_t bytes) {
  Free*& free = free_[bytes];
  if (free != nullptr) {
    Free* const found = free;
    free = found->next;
    return found;
  }
  if (chunk_left_ < bytes) {
    // As large as all that there is, so that chunks are few and not much is unused.
    const std::size_t size =
        std::max(bytes, std::clamp<std::size_t>(static_cast<std::size_t>(chunk_bytes_), kSmallestChunk, kLargestChunk));
    chunks_.push_back(std::unique_ptr<std::byte[]>(new std::byte[size]));
    chunk_end_ = chunks_.back().get() + size;
    chunk_left_ = size;
    chunk_bytes_ += static_cast<std::int64_t>(size);
  }
  std::byte* const found = chunk_end_ - chunk_left_;
  chunk_left_ -= bytes;
  return found;
}

void SubproblemQueue::push(const Subproblem& subproblem) {
  Packed head{.blocked_gap = subproblem.blocked_gap,
              .region = subproblem.region,
              .depth = subproblem.depth,
              .stalled = subproblem.stalled,
              .inputs = static_cast<std::int32_t>(subproblem.lower.size()),
              .clauses = static_cast<std::int32_t>(subproblem.clauses.size()),
              .lambdas = static_cast<std::int32_t>(subproblem.lambdas.size()),
              .inputs_only = subproblem.inputs_only};
  auto* packed = new (place(rounded(head.bytes()))) Packed(head);
  std::uninitialized_copy(subproblem.lower.begin(), subproblem.lower.end(), packed->ends());
  std::uninitialized_copy(subproblem.upper.begin(), subproblem.upper.end(), packed->ends() + packed->inputs);
  std::uninitialized_copy(subproblem.clauses.begin(), subproblem.clauses.end(), packed->clause_list());
  std::uninitialized_copy(subproblem.lambdas.begin(), subproblem.lambdas.end(), packed->lambda_list());
  heap_.push_back({subproblem.bound, next_age_++, packed});
  std::push_heap(heap_.begin(), heap_.end(), later);
}

Subproblem SubproblemQueue::pop() {
  const Entry entry = heap_.front();
  Packed& packed = *entry.packed;
  Subproblem result;
  result.lower.assign(packed.ends(), packed.ends() + packed.inputs);
  result.upper.assign(packed.ends() + packed.inputs, packed.ends() + 2 * packed.inputs);
  result.clauses.assign(packed.clause_list(), packed.clause_list() + packed.clauses);
  result.lambdas.assign(packed.lambda_list(), packed.lambda_list() + packed.lambdas);
  result.region = packed.region;
  result.depth = packed.depth;
  result.bound = entry.bound;
  result.blocked_gap = packed.blocked_gap;
  result.stalled = packed.stalled;
  result.inputs_only = packed.inputs_only;
  result.age = entry.age;
  std::pop_heap(heap_.begin(), heap_.end(), later);  // nothing throws any more
  heap_.pop_back();
  release(&packed);
  give_back_if_empty();
  return result;
}

void SubproblemQueue::visit(const std::function<void(const View&)>& see) const {
  for (const Entry& entry : heap_) {
    Packed& packed = *entry.packed;
    const auto inputs = static_cast<std::size_t>(packed.inputs);
    see({.bound = entry.bound,
         .region = packed.region,
         .depth = packed.depth,
         .lower = {packed.ends(), inputs},
         .upper = {packed.ends() + inputs, inputs},
         .clauses = {packed.clause_list(), static_cast<std::size_t>(packed.clauses)}});
  }
}

void SubproblemQueue::remove(std::int32_t region) {
  const auto gone =
      std::partition(heap_.begin(), heap_.end(), [&](const Entry& entry) { return entry.packed->region != region; });
  for (auto entry = gone; entry != heap_.end(); ++entry) release(entry->packed);
  heap_.erase(gone, heap_.end());
  std::make_heap(heap_.begin(), heap_.end(), later);
  give_back_if_empty();
}

void SubproblemQueue::release(Packed* packed) {
  Free*& free = free_.find(rounded(packed->bytes()))->second;
  free = new (packed) Free{free};
}

void SubproblemQueue::give_back_if_empty() {
  if (!heap_.empty()) return;
  free_.clear();
  chunks_.clear();
  chunk_left_ = 0;
  chunk_end_ = nullptr;
  chunk_bytes_ = 0;
  std::vector<Entry>().swap(heap_);
}

}  // namespace boundflow
