#pragma once
// ONNX graphs -> Network.

#include <cstddef>

#include "base/deadline.hpp"
#include "ir/network.hpp"
#include "onnx_schema.pb.h"

namespace boundflow {

// The graph of a model whose default domain has the given opset. `file_bytes` is the size of the model's file, which
// limits what the graph may ask for. Errors do not name the file. StoppedError when the deadline passes.
Network import_graph(const onnx::ModelProto& model, std::int64_t opset, std::size_t file_bytes,
                     const Deadline& deadline);

}  // namespace boundflow
