#include "engine/plan_cache.hpp"

#include <algorithm>

namespace boundflow {

Digest PlanCache::digest_of(const std::shared_ptr<const Network>& network, const Deadline& deadline) {
  if (network.use_count() == 0) return network_digest(*network, deadline);  // nothing tells when its life ends
  const NetworkObject object{network, network.get()};
  {
    const std::lock_guard lock(mutex_);
    const auto known = digests_.find(object);
    if (known != digests_.end()) return known->second;
  }
  const Digest digest = network_digest(*network, deadline);
  const std::lock_guard lock(mutex_);
  std::erase_if(digests_, [](const auto& known) { return known.first.owner.expired(); });
  digests_.emplace(object, digest);
  return digest;
}

PlanCache::Found PlanCache::find_or_compile(const PlanSource& source, const Deadline& deadline) {
  // How often a caller that waits looks at its deadline.
  constexpr std::chrono::milliseconds kPatience(20);
  const Digest key = plan_key(source, digest_of(source.network, deadline));
  std::unique_lock lock(mutex_);
  for (auto found = entries_.find(key); found != entries_.end(); found = entries_.find(key)) {
    const std::shared_ptr<Entry> entry = found->second;
    while (!entry->compiled) {
      deadline.check();
      settled_.wait_for(lock, kPatience);
    }
    if (!entry->plan) continue;
    entry->last_use = ++uses_;
    ++statistics_.hits;
    return {entry->plan, key, true};
  }
  const auto entry = std::make_shared<Entry>();
  entries_.emplace(key, entry);
  ++statistics_.misses;
  lock.unlock();
  std::shared_ptr<const CompiledPlan> plan;
  try {
    plan = std::make_shared<const CompiledPlan>(compile_plan(source, operator_table(), deadline));
  } catch (...) {
    settle(key, *entry, nullptr);
    throw;
  }
  settle(key, *entry, plan);
  return {std::move(plan), key, false};
}

// Ends the compilation of an entry, with its plan or without.
void PlanCache::settle(const Digest& key, Entry& entry, std::shared_ptr<const CompiledPlan> plan) {
  const std::lock_guard lock(mutex_);
  entry.plan = std::move(plan);
  entry.compiled = true;
  entry.last_use = ++uses_;
  settled_.notify_all();
  if (entry.plan) {
    ++statistics_.plans;
    statistics_.bytes += entry.plan->bytes;
    // What does not fit alone must not drive out everything else first.
    if (entry.plan->bytes > most_bytes_) erase(entries_.find(key));
    evict();
  } else {
    entries_.erase(key);
  }
}

void PlanCache::erase(std::map<Digest, std::shared_ptr<Entry>>::iterator entry) {
  ++statistics_.evictions;
  --statistics_.plans;
  statistics_.bytes -= entry->second->plan->bytes;
  entries_.erase(entry);
}

void PlanCache::evict() {
  while (statistics_.bytes > most_bytes_) {
    erase(std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
      // What is being compiled has no bytes yet.
      const auto age = [](const Entry& entry) { return std::pair(!entry.plan, entry.last_use); };
      return age(*a.second) < age(*b.second);
    }));
  }
}

void PlanCache::limit(std::int64_t most_bytes) {
  const std::lock_guard lock(mutex_);
  most_bytes_ = most_bytes;
  evict();
}

PlanCache::Statistics PlanCache::statistics() const {
  const std::lock_guard lock(mutex_);
  return statistics_;
}

}  // namespace boundflow
