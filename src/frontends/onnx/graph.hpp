#pragma once
// ONNX graphs -> Network.

#include "ir/network.hpp"
#include "onnx_schema.pb.h"

namespace boundflow {

// The graph of a model whose default domain has the given opset. Errors do not name the file.
Network import_graph(const onnx::ModelProto& model, std::int64_t opset);

}  // namespace boundflow
