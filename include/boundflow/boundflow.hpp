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
  std::string profile;            // a trace in Chrome's format, if Options::profile names a file for it
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
  const std::atomic<bool>* interrupt = nullptr;   // when it becomes true, the call returns with what it has
};

// Decides a VNN-LIB property (.vnnlib, .vnnlib.gz) of an ONNX network (.onnx, .onnx.gz). Running out of time or memory,
// at whatever stage, is an answer: "timeout", or "unknown" with the reason "memory".
VerifyResult verify(const std::string& network_path, const std::string& property_path, const Options& options,
                    const VerifyHooks& hooks = {});

// An array of numbers, row-major.
struct NumericArray {
  std::vector<std::int64_t> shape;
  std::vector<double> values;
};

// What `bounds` is asked: an input set per query, rows of a specification, and a method. Arrays are row-major and flat.
struct BoundsRequest {
  // The input sets: either boxes [B, inputs] from lower to upper, or centres [B, inputs] with one radius.
  std::vector<double> lower;
  std::vector<double> upper;
  std::vector<double> center;
  double eps = 0;
  std::string norm = "inf";  // of centre and radius: "inf", "2" or "1"
  // C: one row [outputs], [rows, outputs] for all queries, or [B, rows, outputs]; empty: the identity, one row per
  // output.
  NumericArray specification;
  std::string method = "crown";
  std::string intermediate = "adaptive";  // or "auto-lirpa"; of method "crown" only
  bool linear_form = false;               // not with "ibp", which has none
};

// Bounds of C y per query and row, [B, rows]. `lower` and `upper` are sound under the semantics asked for: the nominal
// bound less (plus) its error term. -infinity and +infinity where nothing is known.
struct BoundsResult {
  std::int64_t queries = 0;
  std::int64_t rows = 0;
  std::int64_t inputs = 0;
  std::vector<double> lower;
  std::vector<double> upper;
  std::vector<double> lower_error;
  std::vector<double> upper_error;
  // On request: C y >= lower_form . x + lower_form_constant for every x of the input set, and likewise above;
  // [B, rows, inputs] and [B, rows]. For an execution, x is the float32 input that it was fed with.
  std::vector<double> lower_form;
  std::vector<double> lower_form_constant;
  std::vector<double> upper_form;
  std::vector<double> upper_form_constant;
  std::int64_t complete = 0;  // queries that were bounded; nothing is known of the rest
  std::string reason;         // why that is not all of them: "timeout", "interrupted" or "memory"; else empty
  bool interrupted = false;
  double import_s = 0;  // reading and compiling
  double bounding_s = 0;
  std::string json;     // the whole result but for the forms as a JSON object, schema 1 (docs/architecture.md)
  std::string profile;  // a trace in Chrome's format, if Options::profile names a file for it
};

// Bounds the rows C y of an ONNX network over input sets. Methods: "ibp", "crown-ibp", "crown". Stopped before the
// network is read, when it is not known how many outputs there are, the result has no queries and no rows.
BoundsResult bounds(const std::string& network_path, const BoundsRequest& request, const Options& options,
                    const VerifyHooks& hooks = {});

// The NumPy array of numbers in x.npy, the only array of x.npz, or the one called NAME of "x.npz:NAME".
NumericArray read_array(const std::string& path);

// A result as an .npz archive of float64 arrays: lower, upper, lower_error, upper_error [B, rows], and the forms where
// they were asked for.
std::string to_npz(const BoundsResult& result);

// The same as a table to read, at most `max_lines` lines of bounds.
std::string to_table(const BoundsResult& result, std::int64_t max_lines = 40);

// What `inspect` prints: the network's input, output and counts, which domain supports which of its operators, and its
// nodes. With an empty path: all operators and the domains that support them. Throws when stopped by the time limit or
// an interrupt.
std::string inspect(const std::string& network_path, const Options& options = {}, const VerifyHooks& hooks = {});

// What `compile` prints: the network, its bound program, or the storage plan; everything up to `stop_after` where that
// is "network", "program" or "plan". Throws when stopped by the time limit or an interrupt.
std::string compile(const std::string& network_path, const std::string& stop_after, const Options& options,
                    const VerifyHooks& hooks = {});

}  // namespace boundflow
