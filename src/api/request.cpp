#include "api/request.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <set>
#include <string_view>
#include <thread>

#include "base/error.hpp"
#include "exec/native/native_executor.hpp"
#include "exec/reference/reference_executor.hpp"
#include "exec/tvm/auto_executor.hpp"
#include "exec/tvm/tvm_executor.hpp"

namespace boundflow {

namespace {

// Of the machine, or of the container where that has less.
std::int64_t find_physical_memory() {
  const auto machine =
      static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::int64_t>(sysconf(_SC_PAGESIZE));
  std::ifstream file("/sys/fs/cgroup/memory.max");  // a number, or "max"
  std::int64_t container = 0;
  return file >> container && container > 0 ? std::min(machine, container) : machine;
}

// The names in a list such as "fuse-bias,merge-equal"; all passes for "all". UsageError for others.
std::set<std::string, std::less<>> pass_names(std::string_view flag, const std::string& list) {
  std::set<std::string, std::less<>> known, names;
  if (list.empty()) return names;
  std::string all;  // in the order in which they run
  const auto add = [&](const auto& pass) {
    known.emplace(pass.name);
    all += fmt::format(", {}", pass.name);
  };
  for (const Pass& pass : pass_table()) add(pass);
  for (const ProgramPass& pass : program_pass_table()) add(pass);
  for (std::size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) {
    end = list.find(',', begin);
    const std::string name = list.substr(begin, end == std::string::npos ? end : end - begin);
    if (name == "all") return known;
    if (!known.contains(name)) {
      throw UsageError(fmt::format("{}: there is no pass '{}'; expected all{}", flag, name, all));
    }
    names.insert(name);
  }
  return names;
}

std::shared_ptr<const Executor> make_executor(const Options& options, Workload workload) {
  if (options.backend == "tvm") return make_tvm_executor(options.cache_dir);
  if (options.backend == "reference") return make_reference_executor();
  if (options.backend == "auto") return make_auto_executor(options.cache_dir, workload == Workload::Search ? 1000 : 1);
  return make_native_executor();
}

// Asked once: to ask the system takes as long as to bound a small network.
std::int64_t physical_memory() {
  static const std::int64_t bytes = find_physical_memory();
  return bytes;
}

int core_count() {
  static const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  return static_cast<int>(cores);
}

template <class Ir>
PassOptions<Ir> pass_options(const Options& options, const std::shared_ptr<Trace>& trace, const TextSink& sink) {
  PassOptions<Ir> passes{
      .disabled = pass_names("--disable-pass", options.disable_pass), .limit = options.pass_limit, .trace = trace};
  const auto printed = pass_names("--print-after", options.print_after);
  if (printed.empty()) return passes;
  passes.after = [printed, sink](std::string_view pass, const Ir& result) {
    if (printed.contains(pass)) sink(fmt::format("=== after {}\n{}", pass, print(result)));
  };
  return passes;
}

}  // namespace

std::int64_t resident_memory() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t total_pages = 0;
  std::int64_t resident_pages = 0;
  if (!(statm >> total_pages >> resident_pages)) return 0;
  return resident_pages * static_cast<std::int64_t>(sysconf(_SC_PAGESIZE));
}

std::int64_t peak_resident_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;
}

void to_standard_error(const std::string& text) {
  std::fputs(text.c_str(), stderr);
}

// Up to so many, halving a box mostly helps more than the sign of a neuron; above the second number it is hopeless.
// Measured in docs/benchmarks.md.
constexpr std::int64_t kMostInputsToSplit = 8, kMostInputsToSplitLate = 24;
// Subproblems that take about as long as to get ready for splitting signs.
constexpr std::int64_t kFirstTryOfSigns = 2000;

Request validate(const Options& options, Workload workload, const TextSink& printed) {
  Request request;
  if (!(options.timeout > 0)) throw UsageError("--timeout: expected a positive number of seconds");
  if (options.threads < 0 || options.threads > 1024)
    throw UsageError("--threads: expected 1 to 1024, or 0 for all cores");
  if (options.memory.bytes < 0) throw UsageError("--memory: expected a positive size");
  if (options.semantics == "real") {
    request.semantics = Semantics::Real;
  } else if (options.semantics == "nominal") {
    request.semantics = Semantics::Nominal;
  } else if (options.semantics != "float32") {
    throw UsageError("--semantics: expected float32, real or nominal, found '" + options.semantics + "'");
  }
  if (options.branching == "auto") {
    request.most_inputs_to_split = kMostInputsToSplit;
    request.most_inputs_to_split_late = kMostInputsToSplitLate;
    request.first_try_of_signs = kFirstTryOfSigns;
  } else if (options.branching == "input") {
    request.most_inputs_to_split = std::numeric_limits<std::int64_t>::max();
  } else if (options.branching != "activation") {
    throw UsageError("--branching: expected auto, input or activation, found '" + options.branching + "'");
  }
  const auto level = spdlog::level::from_str(options.log_level);
  if (level == spdlog::level::off && options.log_level != "off") {
    throw UsageError("--log-level: expected trace, debug, info, warn, error or off, found '" + options.log_level + "'");
  }
  request.threads = options.threads > 0 ? options.threads : core_count();
  request.memory_bytes = options.memory.bytes > 0 ? options.memory.bytes : physical_memory() / 4 * 3;
  if (!options.profile.empty()) {
    request.trace = std::make_shared<Trace>();
  } else if (!options.report.empty()) {
    request.trace = std::make_shared<Trace>(0);
  }
  if (options.pass_limit < 0) throw UsageError("--pass-limit: expected a number of rewrites, 0 or more");
  request.network_passes = pass_options<Network>(options, request.trace, printed);
  request.program_passes = pass_options<BoundProgram>(options, request.trace, printed);
  if (!std::set<std::string_view>{"native", "tvm", "reference", "auto"}.contains(options.backend)) {
    throw UsageError("--backend: expected native, tvm, reference or auto, found '" + options.backend + "'");
  }
  if (options.deterministic && options.backend == "auto") {
    throw UsageError("--deterministic: --backend auto decides by measured times; choose native, tvm or reference");
  }
  if (workload != Workload::None) request.executor = make_executor(options, workload);
  return request;
}

}  // namespace boundflow
