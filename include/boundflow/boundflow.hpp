#pragma once
/// @file
/// BoundFlow's public interface: decide a property of a network, bound its outputs, look inside.
///
/// Arrays are flat and row-major; a shape such as [B, rows] is given with each. Times are seconds of the wall clock.
/// Errors are boundflow::Error, whose code says which kind; expected outcomes, verdicts and missing bounds, are values.

#include <cstdint>
#include <string>
#include <vector>

#include "boundflow/error.hpp"
#include "boundflow/export.hpp"
#include "boundflow/hooks.hpp"
#include "boundflow/model.hpp"
#include "boundflow/numbers.hpp"
#include "boundflow/options.hpp"

/// The library's namespace.
namespace boundflow {

/// The library's version.
/// @return "major.minor.patch"
BOUNDFLOW_API std::string version();

/// A counterexample in decimals. The input lies in the property's box exactly; the violation is proved for it over the
/// reals, by interval arithmetic with outward rounding.
struct Counterexample {
  std::vector<std::string> input;   ///< [inputs], exact decimals, row-major order of the network's input.
  std::vector<std::string> output;  ///< [outputs], of one float32 execution of that input.
};

/// The assignment in the form of the VNN competition, `((X_0 v) ... (Y_0 v) ...)`, one variable per line.
/// @param counterexample  of a VerifyResult
/// @return the text, with a newline at its end
BOUNDFLOW_API std::string assignment(const Counterexample& counterexample);

/// The answer of verify().
struct VerifyResult {
  std::string verdict;            ///< "unsat" (proved: no input violates), "sat", "unknown" or "timeout".
  std::string reason;             ///< Why it is unknown; empty otherwise.
  bool interrupted = false;       ///< True if VerifyHooks::interrupt ended the query.
  Counterexample counterexample;  ///< For "sat"; empty otherwise.
  double time_s = 0;              ///< Seconds, import included.
  Progress progress;              ///< How far the search has come when it ended.
  std::string json;     ///< The whole result as a JSON object, schema 1 (docs/architecture.md lists its keys).
  std::string profile;  ///< A trace in Chrome's format, if Options::profile names a file for it.
  std::string report;   ///< A page of HTML about the query, if Options::report names a file for it.
};

/// What verify() is asked of a Model: a property, in one of three forms. The first two describe a violation in VNN-LIB
/// 1.0, over the network's inputs X_i and outputs Y_i.
///
/// The third is a box and rows C: the property holds where C y + offset > 0 in every row, for all x of the box. The box
/// goes from `lower` to `upper`, or from `center` - eps to `center` + eps, as real numbers: nothing is rounded.
struct VerifyRequest {
  std::string property_path;   ///< A file (.vnnlib, .vnnlib.gz).
  std::string property_text;   ///< A file's content.
  Numbers lower;               ///< [inputs]: lower ends of the box. Finite.
  Numbers upper;               ///< [inputs]: upper ends, none below its lower end. Finite.
  Numbers center;              ///< [inputs]: the middle of the box, instead of its ends. Finite.
  double eps = 0;              ///< Half of its width, in the units of the input; finite, at least 0.
  NumericArray specification;  ///< C: one row [outputs], or [rows, outputs]. Finite.
  Numbers offset;              ///< [rows]; none: zero. Finite.
};

/// Decides a property of a network: is there an input in the property's region that violates it?
///
/// "unsat" is sound in floating point under Options::semantics, and "sat" is given for a proved violation only.
/// @param network_path   ONNX file with one input and one output (.onnx, .onnx.gz)
/// @param property_path  VNN-LIB 1.0 file over that network's inputs X_i and outputs Y_i (.vnnlib, .vnnlib.gz)
/// @param options        limits, semantics, seed, observe; what names files to write, and the log level, are for the
///                       command and ignored here
/// @param hooks          progress and interrupt
/// @return the verdict; a time or memory limit that is reached is one of them
/// @throws Error Usage for options out of range, BadInput for missing or malformed files, Unsupported for operators and
///   properties that BoundFlow does not have, Internal for a bug of BoundFlow
BOUNDFLOW_API VerifyResult verify(const std::string& network_path, const std::string& property_path,
                                  const Options& options, const VerifyHooks& hooks = {});

/// Decides a property of a network that is in memory.
/// @param network  the network
/// @param request  the property
/// @param options  as for files
/// @param hooks    progress and interrupt
/// @return the verdict; its `time_s` does not have the import
/// @throws Error as for files; Usage also for a request that has no property, or more than one
BOUNDFLOW_API VerifyResult verify(const Model& network, const VerifyRequest& request, const Options& options,
                                  const VerifyHooks& hooks = {});

/// What bounds() is asked: an input set per query, rows of a specification, and a method. B is the number of queries.
///
/// The input sets are either boxes from `lower` to `upper` or balls around `center` with one radius. Their sizes have
/// to be a multiple of the network's number of inputs; the multiple is B.
struct BoundsRequest {
  Numbers lower;             ///< [B, inputs]: lower ends of boxes. Finite.
  Numbers upper;             ///< [B, inputs]: upper ends of boxes, none below its lower end. Finite.
  Numbers center;            ///< [B, inputs]: centres of balls, instead of boxes. Finite.
  double eps = 0;            ///< The radius of all balls, in the units of the input; finite, at least 0.
  std::string norm = "inf";  ///< Of the radius: "inf", "2" or "1".
  /// C: one row [outputs], [rows, outputs] for all queries, or [B, rows, outputs]. Empty: the identity, one row per
  /// output.
  NumericArray specification;
  /// "ibp" (intervals), "crown-ibp" (linear bounds over intervals of the hidden neurons), "crown" (linear bounds
  /// throughout) or "alpha-crown" (the same with optimised slopes: for boxes, without linear form).
  std::string method = "crown";
  int steps = 20;  ///< Of method "alpha-crown": steps of optimisation for each row, at least 1.
  /// Of methods "crown" and "alpha-crown" only: which neurons get linear bounds, "adaptive" (those that are not known
  /// to be stable on the way) or "auto-lirpa" (those that interval bounds leave unstable, as that library does).
  std::string intermediate = "adaptive";
  bool json = true;          ///< Also write BoundsResult::json.
  bool linear_form = false;  ///< Also return linear bounds in the input; not with "ibp", which has none.
};

/// Bounds of the rows C y, per query and row. `lower` and `upper` are sound under the semantics asked for: the nominal
/// bound less (plus) its error term.
struct BoundsResult {
  std::int64_t queries = 0;         ///< B.
  std::int64_t rows = 0;            ///< Rows of the specification.
  std::int64_t inputs = 0;          ///< Elements of the network's input.
  std::vector<double> lower;        ///< [B, rows]; -infinity where nothing is known.
  std::vector<double> upper;        ///< [B, rows]; +infinity where nothing is known.
  std::vector<double> lower_error;  ///< [B, rows]: what `lower` has less than the nominal bound, for rounding.
  std::vector<double> upper_error;  ///< [B, rows]: what `upper` has more than the nominal bound.
  /// [B, rows, inputs], on request: C y >= lower_form . x + lower_form_constant for every x of the input set. For an
  /// execution, x is the float32 input that it was fed with.
  std::vector<double> lower_form;
  std::vector<double> lower_form_constant;  ///< [B, rows]; -infinity where nothing is known.
  std::vector<double> upper_form;           ///< [B, rows, inputs]: the same from above.
  std::vector<double> upper_form_constant;  ///< [B, rows]; +infinity where nothing is known.
  std::int64_t complete = 0;                ///< Queries that were bounded; nothing is known of the rest.
  std::string reason;        ///< Why that is not all of them: "timeout", "interrupted" or "memory"; else empty.
  bool interrupted = false;  ///< True if VerifyHooks::interrupt ended the call.
  double import_s = 0;       ///< Seconds of reading and compiling.
  double bounding_s = 0;     ///< Seconds of bounding.
  std::string profile;       ///< A trace in Chrome's format, if Options::profile names a file for it.
  std::string report;        ///< A page of HTML about the query, if Options::report names a file for it.
  std::string
      json;  ///< All but the forms as a JSON object, schema 1 (docs/architecture.md lists its keys), on request.
};

/// Bounds the rows C y of a network's outputs y over input sets.
/// @param network_path  ONNX file with one input and one output (.onnx, .onnx.gz)
/// @param request       input sets, specification, method
/// @param options       limits and semantics; "nominal" leaves the error terms out
/// @param hooks         interrupt
/// @return the bounds; those that a limit has left out are infinite. Stopped before the network is read, when it is not
///   known how many outputs there are, the result has no queries and no rows
/// @throws Error Usage for options or methods that are not known or exclude each other, BadInput for files that are
///   missing or malformed and arrays that do not fit the network, Unsupported for operators that BoundFlow does not
///   have, Internal for a bug of BoundFlow
BOUNDFLOW_API BoundsResult bounds(const std::string& network_path, const BoundsRequest& request, const Options& options,
                                  const VerifyHooks& hooks = {});

/// Bounds the rows C y of the outputs y of a network that is in memory.
/// @param network  the network
/// @param request  input sets, specification, method
/// @param options  limits and semantics; passes over networks have run when it was loaded
/// @param hooks    interrupt
/// @return the bounds; its `import_s` does not have the import
/// @throws Error as for files
BOUNDFLOW_API BoundsResult bounds(const Model& network, const BoundsRequest& request, const Options& options,
                                  const VerifyHooks& hooks = {});

/// Bounds of what one activation reads.
struct LayerBounds {
  std::string name;                 ///< Of the value, in the normal form.
  std::vector<std::int64_t> shape;  ///< Of the value.
  std::vector<double> lower;        ///< [B, elements], sound like those of bounds().
  std::vector<double> upper;        ///< [B, elements]
};

/// Bounds of what the activations read, which bounds() finds on its way: how wide each layer is by a method.
/// @param network  the network
/// @param request  input sets and method, "alpha-crown" excepted; its specification does not matter
/// @param options  limits and semantics
/// @param hooks    interrupt
/// @return an entry per activation, in the network's order
/// @throws Error as bounds(); a StoppedError when a limit or an interrupt stops it
BOUNDFLOW_API std::vector<LayerBounds> layer_bounds(const Model& network, const BoundsRequest& request,
                                                    const Options& options, const VerifyHooks& hooks = {});

/// Reads a NumPy array.
/// @param path  x.npy, x.npz with one array, or "x.npz:NAME" for one of several
/// @return the array, its numbers converted to double
/// @throws Error BadInput if there is none, or one of something else than numbers
BOUNDFLOW_API NumericArray read_array(const std::string& path);

/// A result as an .npz archive of float64 arrays: lower, upper, lower_error, upper_error, and the forms where they were
/// asked for, shaped as in BoundsResult.
/// @param result  of bounds()
/// @return the bytes of the archive
BOUNDFLOW_API std::string to_npz(const BoundsResult& result);

/// A result as a table to read; printed bounds are rounded outward.
/// @param result     of bounds()
/// @param max_lines  at most so many lines of bounds
/// @return the text, with a newline at its end
BOUNDFLOW_API std::string to_table(const BoundsResult& result, std::int64_t max_lines = 40);

/// What `boundflow inspect` prints: the network's input, output and counts, which domain supports which of its
/// operators, and its nodes.
/// @param network_path  ONNX file; empty: all operators and the domains that support them
/// @param options       limits
/// @param hooks         interrupt
/// @return the text, with a newline at its end
/// @throws Error BadInput or Unsupported for networks that cannot be read; a StoppedError when a limit or an
///   interrupt stops it
BOUNDFLOW_API std::string inspect(const std::string& network_path, const Options& options = {},
                                  const VerifyHooks& hooks = {});

/// Measures a network's products with native and with generated kernels of several tile sizes, and keeps what is best
/// in Options::cache_dir, where the backends tvm and auto find it.
/// @param network_path  ONNX file
/// @param options       limits, and the folder
/// @param hooks         interrupt
/// @return what was found, a line per product and direction, with a newline at its end
/// @throws Error Usage where TVM is not there, BadInput or Unsupported for networks that cannot be read; a
///   StoppedError when a limit or an interrupt stops it, and what was measured by then is kept
BOUNDFLOW_API std::string tune(const std::string& network_path, const Options& options = {},
                               const VerifyHooks& hooks = {});

/// What compile() makes of a network.
struct CompileResult {
  std::string text;    ///< What `boundflow compile` prints, with a newline at its end.
  std::string report;  ///< A page of HTML about it, if Options::report names a file for it.
  /// The program's tasks and where its buffers lie, as a JSON object (docs/architecture.md); empty for "network".
  std::string json;
};

/// Compiles a network for bound queries and shows a level of the result: the network, its bound program, or the storage
/// plan.
/// @param network_path  ONNX file
/// @param stop_after    "network", "program" or "plan"
/// @param options       limits
/// @param hooks         interrupt
/// @return the level as text, and the page; the page of "network" has no program
/// @throws Error Usage for another `stop_after`, BadInput or Unsupported for networks that cannot be read; a
///   StoppedError when a limit or an interrupt stops it
BOUNDFLOW_API CompileResult compile(const std::string& network_path, const std::string& stop_after,
                                    const Options& options, const VerifyHooks& hooks = {});

/// The same of a network that is in memory.
/// @param network     the network
/// @param stop_after  "network", "program" or "plan"
/// @param options     limits; passes over networks have run when it was loaded
/// @param hooks       interrupt
/// @return the level as text, JSON, and the page; the page of "network" has no program
/// @throws Error Usage for another `stop_after`; a StoppedError when a limit or an interrupt stops it
BOUNDFLOW_API CompileResult compile(const Model& network, const std::string& stop_after, const Options& options,
                                    const VerifyHooks& hooks = {});

}  // namespace boundflow
