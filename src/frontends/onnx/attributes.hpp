#pragma once
// Attributes of ONNX nodes.

#include <string>

#include "frontends/onnx/external_data.hpp"
#include "ir/network.hpp"
#include "onnx_schema.pb.h"

namespace boundflow {

// All attributes of a node, called `name` in errors. UnsupportedError for subgraphs, lists of strings or tensors, and
// references of functions; InputError for an attribute without a name or given twice.
Attributes import_attributes(const onnx::NodeProto& node, const std::string& name, const ExternalData& external);

}  // namespace boundflow
