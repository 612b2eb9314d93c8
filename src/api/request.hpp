#pragma once
// From the public options to the types of the rooms below: validated once, here.

#include <memory>

#include "base/deadline.hpp"
#include "base/trace.hpp"
#include "boundflow/options.hpp"
#include "ir/query.hpp"

namespace boundflow {

struct Request {
  Semantics semantics = Semantics::Float32;
  int threads = 1;
  std::int64_t memory_bytes = 0;
  std::shared_ptr<Trace> trace;  // if a profile or a report is asked for
};

// UsageError that names the flag.
Request validate(const Options& options);

// The physical memory that this process occupies now, in bytes; 0 where the system does not tell.
std::int64_t resident_memory();
// The most that it has occupied.
std::int64_t peak_resident_memory();

}  // namespace boundflow
