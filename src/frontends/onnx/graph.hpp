#pragma once
// ONNX graphs -> Network.

#include <cstddef>

#include "base/deadline.hpp"
#include "frontends/onnx/external_data.hpp"
#include "onnx_schema.pb.h"
#include "ops/operator.hpp"

namespace boundflow {

// The graph of a model whose default domain has the given opset, of operators of the table. `file_bytes` is the size of
// the model's file, which with its external data limits what the graph may ask for. Errors do not name the file.
// StoppedError when the deadline passes.
Network import_graph(const onnx::ModelProto& model, std::int64_t opset, std::size_t file_bytes,
                     const ExternalData& external, const Deadline& deadline, const OperatorTable& table);

}  // namespace boundflow
