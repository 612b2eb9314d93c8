#pragma once
// PlanCache: plans by their content, so that what is asked again about an equal network is compiled once. Safe from
// several threads. Whoever holds a plan keeps it, whether the cache still does or not.
//
// Built-in operators only: an operator is code, which no key describes, so that tables of one's own are compiled
// without a cache.

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "engine/compiled_plan.hpp"

namespace boundflow {

class PlanCache {
 public:
  // Keeps plans of at most so many bytes together, those used last.
  explicit PlanCache(std::int64_t most_bytes) : most_bytes_(most_bytes) {}

  struct Found {
    std::shared_ptr<const CompiledPlan> plan;
    Digest key;
    bool hit = false;  // false: this call has compiled it
  };
  // Of callers that ask for a plan at the same time, the first compiles and the others wait. An exception of its
  // compilation reaches that caller alone; the next one compiles. StoppedError when the deadline passes, waiting
  // included.
  // `source.network` never changes from now on: an object is hashed when it is seen first.
  Found find_or_compile(const PlanSource& source, const Deadline& deadline);

  // From now on so many bytes; what no longer fits is evicted.
  void limit(std::int64_t most_bytes);

  struct Statistics {
    std::int64_t hits = 0;
    std::int64_t misses = 0;
    std::int64_t evictions = 0;
    std::int64_t plans = 0;  // kept now
    std::int64_t bytes = 0;  // of these, as CompiledPlan::bytes
  };
  Statistics statistics() const;

 private:
  struct Entry {
    std::shared_ptr<const CompiledPlan> plan;  // nullptr while it is compiled, and where that has failed
    bool compiled = false;                     // or failed
    std::int64_t last_use = 0;
  };

  // An address alone may be another network's later, and an owner may hold several networks.
  struct NetworkObject {
    std::weak_ptr<const Network> owner;
    const Network* address;
    bool operator<(const NetworkObject& other) const {
      if (owner.owner_before(other.owner)) return true;
      return !other.owner.owner_before(owner) && address < other.address;
    }
  };

  Digest digest_of(const std::shared_ptr<const Network>& network, const Deadline& deadline);
  void settle(const Digest& key, Entry& entry, std::shared_ptr<const CompiledPlan> plan);
  void erase(std::map<Digest, std::shared_ptr<Entry>>::iterator entry);
  void evict();

  mutable std::mutex mutex_;
  std::condition_variable settled_;
  std::int64_t most_bytes_;
  std::int64_t uses_ = 0;
  std::map<Digest, std::shared_ptr<Entry>> entries_;
  Statistics statistics_;
  std::map<NetworkObject, Digest> digests_;  // of networks that were alive lately
};

}  // namespace boundflow
