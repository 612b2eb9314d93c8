#pragma once
// Element types and constants of ONNX files.

#include <string>

#include "frontends/onnx/external_data.hpp"
#include "ir/tensor.hpp"
#include "onnx_schema.pb.h"

namespace boundflow {

// The dtype of an ONNX element type. UnsupportedError that blames `owner` (`op`) and names the type.
DType import_dtype(int element_type, const std::string& owner, const std::string& op);

// A constant with its data, which may lie in another file. The dimensions are compared with the data before anything is
// allocated. Errors blame `owner` (`op`): an initialiser's name and "initializer", or a node.
Tensor import_tensor(const onnx::TensorProto& proto, const std::string& owner, const std::string& op,
                     const ExternalData& external);

}  // namespace boundflow
