#pragma once
/// @file
/// A network in memory: read once, asked often.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "boundflow/export.hpp"
#include "boundflow/hooks.hpp"
#include "boundflow/numbers.hpp"
#include "boundflow/options.hpp"

namespace boundflow {

class ModelState;

/// The input or the output of a network.
struct TensorInfo {
  std::string name;                 ///< As the file has it.
  std::string dtype;                ///< "float32" or "float64".
  std::vector<std::int64_t> shape;  ///< Static; a symbolic batch has become 1.
  std::int64_t size = 0;            ///< The product of `shape`.
};

/// Outputs at points, with gradients there.
struct GradientResult {
  std::vector<double> outputs;    ///< [B, outputs]
  std::vector<double> gradients;  ///< [B, inputs]
};

/// A network with one input and one output. Copies are cheap and mean the same network, which never changes; any number
/// of threads may ask one at the same time. What is compiled for a question is kept for the next ones.
class BOUNDFLOW_API Model {
 public:
  /// Reads a file.
  /// @param network_path  ONNX file (.onnx, .onnx.gz)
  /// @param options       limits, and passes over networks
  /// @param hooks         interrupt
  /// @return the network
  /// @throws Error BadInput for missing or malformed files, Unsupported for operators that BoundFlow does not have;
  ///   a StoppedError when a limit or an interrupt stops it
  static Model load(const std::string& network_path, const Options& options = {}, const VerifyHooks& hooks = {});

  /// Reads a file's content.
  /// @param bytes    of an ONNX file, gzip undone
  /// @param name     what messages and reports call it
  /// @param options  limits, and passes over networks
  /// @param hooks    interrupt
  /// @return the network
  /// @throws Error as load()
  static Model parse(std::string_view bytes, const std::string& name = "<memory>", const Options& options = {},
                     const VerifyHooks& hooks = {});

  /// For the library's own use: of what its rooms have made.
  /// @param state  not null
  explicit Model(std::shared_ptr<const ModelState> state);

  /// @return the path that it was loaded from, or the name that it was given
  const std::string& name() const;
  /// @return the network's input
  TensorInfo input() const;
  /// @return the network's output
  TensorInfo output() const;
  /// @return how many floating-point numbers its constants have
  std::int64_t parameters() const;

  /// @param normal  of the normal form that is compiled, instead of the network as it was read
  /// @return one line per value or node; long constants by size and checksum
  std::string text(bool normal = false) const;

  /// What `boundflow inspect` prints of it.
  /// @return the text, with a newline at its end
  std::string inspect() const;

  /// A digest of the normal form's operators, attributes, topology, shapes and element types, which neither names nor
  /// the order of nodes nor the weights change: the same for one architecture, from whichever exporter.
  /// @return 64 hexadecimal digits
  std::string structural_hash() const;
  /// The same with the weights, bit for bit.
  /// @return 64 hexadecimal digits
  std::string content_hash() const;

  /// Runs the network as it was read, operator by operator in the element type of its input, sums in ascending order.
  /// @param points   [B, inputs], each coordinate rounded to the element type first
  /// @param options  limits
  /// @param hooks    interrupt
  /// @return the outputs, [B, outputs]
  /// @throws Error BadInput for a number of elements that is no multiple of the network's inputs, Usage for options out
  ///   of range; a StoppedError when a limit or an interrupt stops it
  std::vector<double> evaluate(const Numbers& points, const Options& options = {}, const VerifyHooks& hooks = {}) const;

  /// Outputs at points and gradients of cotangents . outputs, compiled, in float32 and not rigorous: for attacks.
  /// @param points      [B, inputs]
  /// @param cotangents  [B, outputs]
  /// @param options     limits
  /// @param hooks       interrupt
  /// @return both
  /// @throws Error as evaluate()
  GradientResult gradient(const Numbers& points, const Numbers& cotangents, const Options& options = {},
                          const VerifyHooks& hooks = {}) const;

  /// For the library's own use.
  /// @return what it stands for
  const ModelState& state() const { return *state_; }

 private:
  std::shared_ptr<const ModelState> state_;
};

}  // namespace boundflow
