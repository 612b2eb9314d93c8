#pragma once
// How much memory compiled programs hold, for whoever keeps many of them.

#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "program/bound_program.hpp"
#include "program/storage_plan.hpp"

namespace boundflow {

// Bytes of arrays, without what the allocator adds and without objects of a fixed size that stand alone. What several
// programs share is counted once.
class HeldBytes {
 public:
  std::int64_t total() const { return total_; }
  // True for the first question about the object.
  bool first(const void* object) { return object != nullptr && seen_.insert(object).second; }
  void add(std::int64_t bytes) { total_ += bytes; }
  // The elements, without what they hold in turn.
  template <class T>
  void add(const std::vector<T>& elements) {
    total_ += static_cast<std::int64_t>(elements.capacity() * sizeof(T));
  }
  void add(const std::vector<bool>& elements) { total_ += static_cast<std::int64_t>(elements.capacity() / 8); }
  template <class T>
  void add_shared(const std::shared_ptr<const std::vector<T>>& elements) {
    if (first(elements.get())) add(*elements);
  }
  // With their maps, whose weights are double.
  void add(const BoundProgram& program);
  void add(const StoragePlan& plan);

 private:
  void add(const TaskOp& op);
  void add(const LinearMap& map);

  std::int64_t total_ = 0;
  std::set<const void*> seen_;
};

}  // namespace boundflow
