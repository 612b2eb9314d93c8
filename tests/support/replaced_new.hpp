#pragma once
// Every operator new and delete of the program, replaced: allocations are counted, and one of them can be made to fail.
// To be included by one file of an executable, since a program has one of each.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace boundflow::replaced_new {

inline std::atomic<std::int64_t> allocations{0};
// Allocations that succeed before one fails; negative: none fails.
inline std::atomic<std::int64_t> left{-1};

// Null where the allocation fails.
inline void* allocate(std::size_t size, std::size_t alignment) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (left.load(std::memory_order_relaxed) >= 0 && left.fetch_sub(1) == 0) return nullptr;
  // A multiple of the alignment, as aligned_alloc asks for.
  const std::size_t rounded = (std::max<std::size_t>(size, 1) + alignment - 1) / alignment * alignment;
  return std::aligned_alloc(alignment, rounded);
}

inline void* allocate_or_throw(std::size_t size, std::size_t alignment) {
  void* memory = allocate(size, alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace boundflow::replaced_new

void* operator new(std::size_t size) {
  return boundflow::replaced_new::allocate_or_throw(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return boundflow::replaced_new::allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
// The library's own would call these, but those of a sanitizer do not: memory must be freed as it was allocated.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return boundflow::replaced_new::allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return boundflow::replaced_new::allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size) {
  return operator new(size);
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return operator new(size, alignment);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}
