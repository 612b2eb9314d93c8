#pragma once
// What is fuzzed. A target returns where the bytes are handled as they should be, errors that name a fault of the bytes
// included. What is wrong is a failure of googletest or an exception.

#include <cstdint>
#include <span>
#include <string_view>

namespace boundflow {

using Bytes = std::span<const std::uint8_t>;

enum class InputKind {
  OnnxFile,
  VnnlibFile,
  Choices,  // what make_graph_case takes
};

struct FuzzTarget {
  std::string_view name;
  InputKind kind;
  void (*run)(Bytes bytes);
};

// onnx, vnnlib: the importers. bounds, executors, verdict: the judges of graph_oracles.hpp.
std::span<const FuzzTarget> fuzz_targets();

// InternalError if there is none of that name.
const FuzzTarget& fuzz_target(std::string_view name);

}  // namespace boundflow
