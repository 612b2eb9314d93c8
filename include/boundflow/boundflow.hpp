#pragma once
// BoundFlow's public interface. Bad input raises exceptions derived from std::runtime_error whose message says what is
// wrong, where, and what was expected; a verdict is a value.

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "boundflow/options.hpp"

namespace boundflow {

// Library version, "major.minor.patch".
std::string version();

// A counterexample in decimals: the input lies in the property's box exactly, `output` is one float32 execution.
struct Counterexample {
  std::vector<std::string> input;  // [inputs], exact decimals, row-major order of the network's input
  std::vector<std::string> output;
};

// The assignment in the form of the VNN competition: ((X_0 v) ... (Y_0 v) ...).
std::string assignment(const Counterexample& counterexample);

struct VerifyResult {
  std::string verdict;  // "unsat" (proved), "sat", "unknown" or "timeout"
  std::string reason;   // why it is unknown; empty otherwise
  bool interrupted = false;
  Counterexample counterexample;  // for sat
  double time_s = 0;              // wall clock, import included
  std::string json;               // the whole result as a JSON object, schema 1 (docs/architecture.md)
};

// What the search reports while it runs, about ten times a second.
struct Progress {
  double elapsed_s = 0;
  std::int64_t open = 0;  // subproblems
  std::int64_t closed = 0;
  double worst_bound = 0;  // the smallest lower bound over open subproblems
  int depth = 0;
};

struct VerifyHooks {
  std::function<void(const Progress&)> progress;  // called on the calling thread
  const std::atomic<bool>* interrupt = nullptr;   // when it becomes true, verify returns with what it has
};

// Decides a VNN-LIB property (.vnnlib, .vnnlib.gz) of an ONNX network (.onnx, .onnx.gz).
VerifyResult verify(const std::string& network_path, const std::string& property_path, const Options& options,
                    const VerifyHooks& hooks = {});

// What `compile` prints: the network, its bound program, or the storage plan; everything up to `stop_after` where that
// is "network", "program" or "plan".
std::string compile(const std::string& network_path, const std::string& stop_after, const Options& options);

}  // namespace boundflow
