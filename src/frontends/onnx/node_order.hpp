#pragma once
// Which nodes of an ONNX graph are needed for its output, and in which order they can be computed.

#include <vector>

#include "onnx_schema.pb.h"

namespace boundflow {

// Indices into graph.node() of the nodes that reach the graph's outputs, in topological order and otherwise in that of
// the file. InputError for a value that nothing defines or that is defined twice, and for a cycle.
std::vector<int> needed_nodes(const onnx::GraphProto& graph);

}  // namespace boundflow
