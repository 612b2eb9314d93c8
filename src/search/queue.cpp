#include "search/queue.hpp"

#include <memory>
#include <new>

namespace boundflow {

void* SubproblemQueue::Counted::do_allocate(std::size_t bytes, std::size_t alignment) {
  void* pointer = std::pmr::new_delete_resource()->allocate(bytes, alignment);
  bytes_ += static_cast<std::int64_t>(bytes);
  return pointer;
}

void SubproblemQueue::Counted::do_deallocate(void* pointer, std::size_t bytes, std::size_t alignment) {
  bytes_ -= static_cast<std::int64_t>(bytes);
  std::pmr::new_delete_resource()->deallocate(pointer, bytes, alignment);
}

std::int64_t SubproblemQueue::bytes() const {
  return memory_.bytes() + static_cast<std::int64_t>(heap_.capacity() * sizeof(Entry));
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
  auto* packed = new (pools_.allocate(head.bytes(), alignof(Packed))) Packed(head);
  std::uninitialized_copy(subproblem.lower.begin(), subproblem.lower.end(), packed->ends());
  std::uninitialized_copy(subproblem.upper.begin(), subproblem.upper.end(), packed->ends() + packed->inputs);
  std::uninitialized_copy(subproblem.clauses.begin(), subproblem.clauses.end(), packed->clause_list());
  std::uninitialized_copy(subproblem.lambdas.begin(), subproblem.lambdas.end(), packed->lambda_list());
  heap_.push_back({subproblem.bound, next_age_++, packed});
  std::push_heap(heap_.begin(), heap_.end(), later);
}

Subproblem SubproblemQueue::pop() {
  std::pop_heap(heap_.begin(), heap_.end(), later);
  const Entry entry = heap_.back();
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
  pools_.deallocate(packed, packed->bytes(), alignof(Packed));
}

void SubproblemQueue::give_back_if_empty() {
  if (!heap_.empty()) return;
  pools_.release();
  std::vector<Entry>().swap(heap_);
}

}  // namespace boundflow
