#pragma once
// ONNX graphs -> Network.

#include "onnx_schema.pb.h"
#include "ops/operator.hpp"

namespace boundflow {

// The graph of a model whose default domain has the given opset, of operators of the table. Errors do not name the
// file.
Network import_graph(const onnx::ModelProto& model, std::int64_t opset, const OperatorTable& table);

}  // namespace boundflow
