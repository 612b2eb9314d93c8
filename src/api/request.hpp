#pragma once
// From the public options to the types of the rooms below: validated once, here.

#include <functional>
#include <limits>
#include <memory>
#include <string>

#include "base/deadline.hpp"
#include "base/trace.hpp"
#include "boundflow/options.hpp"
#include "exec/executor.hpp"
#include "ir/query.hpp"
#include "passes/passes.hpp"
#include "program/program_passes.hpp"

namespace boundflow {

// How many queries a command is expected to ask about one network: what is made for them pays by so many.
enum class Workload { None, Once, Search };

struct Request {
  Semantics semantics = Semantics::Float32;
  // As in SearchOptions, of --branching.
  std::int64_t most_inputs_to_split = 0;
  std::int64_t most_inputs_to_split_late = 0;
  std::int64_t first_try_of_signs = std::numeric_limits<std::int64_t>::max();
  int threads = 1;
  std::shared_ptr<const Executor> executor;  // of --backend, for what is bounded in float32; nullptr for no queries
  std::int64_t memory_bytes = 0;
  std::shared_ptr<Trace> trace;  // if a profile or a report is asked for
  NetworkPassOptions network_passes;
  ProgramPassOptions program_passes;
};

using TextSink = std::function<void(const std::string& text)>;
void to_standard_error(const std::string& text);

// `printed` takes what --print-after asks for. UsageError that names the flag.
Request validate(const Options& options, Workload workload, const TextSink& printed = to_standard_error);

// The physical memory that this process occupies now, in bytes; 0 where the system does not tell.
std::int64_t resident_memory();
// The most that it has occupied.
std::int64_t peak_resident_memory();

}  // namespace boundflow
