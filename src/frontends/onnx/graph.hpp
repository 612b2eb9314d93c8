#pragma once
// ONNX graphs -> Network.

#include "base/deadline.hpp"
#include "ir/network.hpp"
#include "onnx_schema.pb.h"

namespace boundflow {

// The graph of a model whose default domain has the given opset. Errors do not name the file. StoppedError when the
// deadline passes.
Network import_graph(const onnx::ModelProto& model, std::int64_t opset, const Deadline& deadline);

}  // namespace boundflow
