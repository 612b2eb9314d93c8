#include "frontends/onnx/attributes.hpp"

#include <fmt/format.h>

#include "frontends/onnx/tensors.hpp"

namespace boundflow {

namespace {

// Numbers of the attribute types in the format.
enum AttributeType {
  kUndefined = 0,
  kFloat = 1,
  kInt = 2,
  kString = 3,
  kTensor = 4,
  kGraph = 5,
  kFloats = 6,
  kInts = 7,
  kGraphs = 10
};

// Files before IR version 2 do not say the type; then the field that is set does.
int type_of(const onnx::AttributeProto& attribute) {
  if (attribute.type() != kUndefined) return attribute.type();
  if (attribute.has_f()) return kFloat;
  if (attribute.has_i()) return kInt;
  if (attribute.has_s()) return kString;
  if (attribute.has_t()) return kTensor;
  if (attribute.floats_size() > 0) return kFloats;
  if (attribute.ints_size() > 0) return kInts;
  if (attribute.has_g() || attribute.graphs_size() > 0) return kGraph;
  return kUndefined;
}

Attribute import_attribute(const onnx::AttributeProto& attribute, const std::string& node, const std::string& op,
                           const ExternalData& external) {
  if (!attribute.ref_attr_name().empty()) {
    throw UnsupportedError(node, op, fmt::format("attribute '{}' refers to a function's", attribute.name()));
  }
  switch (const int type = type_of(attribute)) {
    case kFloat:
      return static_cast<double>(attribute.f());
    case kInt:
      return attribute.i();
    case kString:
      return attribute.s();
    case kTensor:
      return import_tensor(attribute.t(), node, op, external);
    case kFloats:
      return std::vector<double>(attribute.floats().begin(), attribute.floats().end());
    case kInts:
      return std::vector<std::int64_t>(attribute.ints().begin(), attribute.ints().end());
    case kGraph:
    case kGraphs:
      throw UnsupportedError(node, op, fmt::format("attribute '{}' is a subgraph", attribute.name()));
    default:
      throw UnsupportedError(node, op, fmt::format("attribute '{}' has type number {}", attribute.name(), type));
  }
}

}  // namespace

Attributes import_attributes(const onnx::NodeProto& node, const std::string& name, const ExternalData& external) {
  Attributes attributes;
  for (const onnx::AttributeProto& attribute : node.attribute()) {
    if (attribute.name().empty()) {
      throw InputError(fmt::format("node '{}' ({}): an attribute has no name", name, node.op_type()));
    }
    if (!attributes.emplace(attribute.name(), import_attribute(attribute, name, node.op_type(), external)).second) {
      throw InputError(
          fmt::format("node '{}' ({}): attribute '{}' is given twice", name, node.op_type(), attribute.name()));
    }
  }
  return attributes;
}

}  // namespace boundflow
