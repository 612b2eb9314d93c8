#pragma once
// Network -> ONNX model, so that tests can put what a generator made into a file. The IR's operators are ONNX's in the
// form of opset 18.

#include <string>
#include <utility>
#include <vector>

#include "support/onnx_model.hpp"

namespace boundflow {

class NetworkFile {
 public:
  explicit NetworkFile(const Network& network) : network_(network), model_(18) {}

  OnnxModel write() {
    const ValueId input = network_.input(), output = network_.output();
    model_.input(name(input), network_.value(input).type.shape, element_type(network_.value(input).type.dtype));
    for (std::size_t v = 0; v < network_.values().size(); ++v) {
      const Value& value = network_.values()[v];
      if (!value.constant) continue;
      onnx::TensorProto* tensor = model_.graph()->add_initializer();
      tensor->set_name(name(static_cast<ValueId>(v)));
      set_tensor(tensor, *value.constant);
    }
    for (const Node& node : network_.nodes()) {
      onnx::NodeProto* proto = model_.node(node.op, node.name, names(node.inputs), names(node.outputs));
      for (const auto& [key, value] : node.attributes) set_attribute(proto, key, value);
    }
    model_.output(name(output), network_.value(output).type.shape, element_type(network_.value(output).type.dtype));
    return std::move(model_);
  }

 private:
  // Names of a network need not be unique; ids are.
  static std::string name(ValueId id) { return id == kNoValue ? "" : "v" + std::to_string(id); }
  static std::vector<std::string> names(const std::vector<ValueId>& ids) {
    std::vector<std::string> result;
    for (const ValueId id : ids) result.push_back(name(id));
    return result;
  }

  static int element_type(DType dtype) {
    switch (dtype) {
      case DType::Float32:
        return OnnxModel::kFloat;
      case DType::Float64:
        return OnnxModel::kDouble;
      case DType::Int64:
        return OnnxModel::kInt64;
      case DType::Bool:
        return OnnxModel::kBool;
    }
    throw InternalError("unknown dtype");
  }

  static void set_tensor(onnx::TensorProto* proto, const Tensor& tensor) {
    proto->set_data_type(element_type(tensor.dtype()));
    for (const std::int64_t extent : tensor.shape()) proto->add_dims(extent);
    if (const auto* floats = std::get_if<std::vector<float>>(&tensor.data())) {
      for (const float x : *floats) proto->add_float_data(x);
    } else if (const auto* doubles = std::get_if<std::vector<double>>(&tensor.data())) {
      for (const double x : *doubles) proto->add_double_data(x);
    } else if (const auto* ints = std::get_if<std::vector<std::int64_t>>(&tensor.data())) {
      for (const std::int64_t x : *ints) proto->add_int64_data(x);
    } else {
      for (const bool x : std::get<std::vector<bool>>(tensor.data())) proto->add_int32_data(x ? 1 : 0);
    }
  }

  static void set_attribute(onnx::NodeProto* node, const std::string& name, const Attribute& value) {
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      OnnxModel::int_attribute(node, name, *integer);
    } else if (const auto* number = std::get_if<double>(&value)) {
      OnnxModel::float_attribute(node, name, static_cast<float>(*number));
    } else if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&value)) {
      OnnxModel::ints_attribute(node, name, *integers);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      OnnxModel::attribute(node, name, 3)->set_s(*text);
    } else if (const auto* numbers = std::get_if<std::vector<double>>(&value)) {
      auto* list = OnnxModel::attribute(node, name, 6);
      for (const double x : *numbers) list->add_floats(static_cast<float>(x));
    } else {
      set_tensor(OnnxModel::attribute(node, name, 4)->mutable_t(), std::get<Tensor>(value));
    }
  }

  const Network& network_;
  OnnxModel model_;
};

// Import gives the same network again, but for what it folds or drops. Attributes become float32.
inline OnnxModel to_onnx(const Network& network) {
  return NetworkFile(network).write();
}

}  // namespace boundflow
