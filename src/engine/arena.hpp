#pragma once
// Memory for frames: 64-byte aligned blocks that grow and are reused from query to query, so that the warm path does
// not allocate. A pool hands out one at a time to each thread that asks.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

namespace boundflow {

class Arena {
 public:
  // At least `bytes`; what it held before is lost when it grows.
  std::byte* reserve(std::size_t bytes) {
    if (bytes > size_) {
      data_.reset();
      data_.reset(static_cast<std::byte*>(::operator new(bytes, std::align_val_t(64))));
      size_ = bytes;
    }
    return data_.get();
  }
  std::int64_t bytes() const { return static_cast<std::int64_t>(size_); }
  void release() {
    data_.reset();
    size_ = 0;
  }

 private:
  struct Free {
    void operator()(std::byte* p) const { ::operator delete(p, std::align_val_t(64)); }
  };
  std::unique_ptr<std::byte, Free> data_;
  std::size_t size_ = 0;
};

template <class Item>
class Pool {
 public:
  class Lease {
   public:
    Lease(Pool& pool, std::unique_ptr<Item> item) : pool_(pool), item_(std::move(item)) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { pool_.give_back(std::move(item_)); }
    Item& operator*() { return *item_; }
    Item* operator->() { return item_.get(); }

   private:
    Pool& pool_;
    std::unique_ptr<Item> item_;
  };

  Lease take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) {
      free_.reserve(made_ + 1);  // a lease must be able to end without memory
      ++made_;
      return Lease(*this, std::make_unique<Item>());
    }
    std::unique_ptr<Item> item = std::move(free_.back());
    free_.pop_back();
    return Lease(*this, std::move(item));
  }

  // Visits the items that nobody has taken.
  template <class Visit>
  void for_each_free(const Visit& visit) {
    const std::lock_guard lock(mutex_);
    for (const std::unique_ptr<Item>& item : free_) visit(*item);
  }

 private:
  void give_back(std::unique_ptr<Item> item) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(item));
  }
  std::mutex mutex_;
  std::vector<std::unique_ptr<Item>> free_;
  std::size_t made_ = 0;
};

}  // namespace boundflow
