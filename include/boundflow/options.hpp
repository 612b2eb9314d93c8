#pragma once
/// @file
/// The options of BoundFlow.

#include <cstdint>
#include <limits>
#include <string>

namespace boundflow {

/// A number of bytes; on the command line with a binary suffix: 512M, 4G.
struct ByteSize {
  std::int64_t bytes = 0;  ///< 0: the default of the option.
};

/// One line per option: type, member, flag, default, help. The members of Options, the flags of the command line and
/// the documentation of both all come from this table.
// clang-format off
#define BOUNDFLOW_OPTIONS(OPTION)                                                                                      \
  OPTION(double,        timeout,        "--timeout",        std::numeric_limits<double>::infinity(),                   \
         "Time limit in seconds, start-up included")                                                                   \
  OPTION(ByteSize,      memory,         "--memory",         ByteSize{},                                                \
         "Memory limit with K, M or G (binary); default: three quarters of what the machine or the container has")     \
  OPTION(int,           threads,        "--threads",        0,                                                         \
         "Worker threads; default: all cores")                                                                         \
  OPTION(std::uint64_t, seed,           "--seed",           0,                                                         \
         "Seed of all randomness")                                                                                     \
  OPTION(bool,          deterministic,  "--deterministic",  false,                                                     \
         "Counts of work, not the clock, end the parts of verify: equal runs do the same, with any number of threads")  \
  OPTION(std::string,   semantics,      "--semantics",      "float32",                                                 \
         "What holds: float32 (for the real-valued network and every float32 execution), real, or nominal (bounds only)") \
  OPTION(std::string,   branching,      "--branching",      "auto",                                                    \
         "What verify splits: input (the box), activation (hidden neurons), or auto (by how many inputs vary)") \
  OPTION(std::string,   backend,        "--backend",        "native",                                                  \
         "Whose kernels bound in float32: native, tvm (generated for this CPU), auto (what takes less time), or reference (slow)") \
  OPTION(std::string,   cache_dir,      "--cache-dir",      "",                                                        \
         "Folder that keeps generated kernels, yours alone; default: boundflow in the user's cache folder")            \
  OPTION(std::string,   json,           "--json",           "",                                                        \
         "Write the result and its statistics to this file as JSON")                                                   \
  OPTION(std::string,   counterexample, "--counterexample", "",                                                        \
         "On sat, write the assignment to this file")                                                                  \
  OPTION(std::string,   observe,        "--observe",        "",                                                        \
         "Check every bound against the activations of this input (.npy); an internal error if one excludes them")     \
  OPTION(std::string,   profile,        "--profile",        "",                                                        \
         "Write what ran when to this file, in the trace format of Chrome's browsers")                                  \
  OPTION(std::string,   report,         "--report",         "",                                                        \
         "Write a page to read in a browser to this file: network, tasks, memory and times (HTML, nothing outside it)") \
  OPTION(std::string,   print_after,    "--print-after",    "",                                                        \
         "Print the network, or the program, after these passes (names with commas between, or all): compile into its output, else on stderr") \
  OPTION(std::string,   disable_pass,   "--disable-pass",   "",                                                        \
         "Passes that do not run (names with commas between, or all)")                                                 \
  OPTION(std::int64_t,  pass_limit,     "--pass-limit",     std::numeric_limits<std::int64_t>::max(),                  \
         "Rewrites that the passes may make, of the network and of each program, to find the one that matters")                              \
  OPTION(std::string,   log_level,      "--log-level",      "warn",                                                    \
         "Messages on stderr: trace, debug, info, warn, error, off")
// clang-format on

/// The options of verify() and bounds(). What is out of range raises an Error of code Usage.
struct Options {
#define BOUNDFLOW_DECLARE_OPTION(type, member, flag, otherwise, help) type member = otherwise;
  BOUNDFLOW_OPTIONS(BOUNDFLOW_DECLARE_OPTION)
#undef BOUNDFLOW_DECLARE_OPTION
};

}  // namespace boundflow
