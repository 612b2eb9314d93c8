#pragma once
// Small ONNX models for tests, built with the schema's generated classes and then serialised, broken where a test
// wants.

#include <cstdint>
#include <string>
#include <vector>

#include "frontends/onnx/onnx.hpp"
#include "onnx_schema.pb.h"

namespace boundflow {

struct OnnxModel {
  static constexpr int kFloat = 1;
  static constexpr int kInt64 = 7;
  static constexpr int kBool = 9;
  static constexpr int kDouble = 11;

  explicit OnnxModel(std::int64_t opset = 13) {
    proto.set_ir_version(7);
    auto* import = proto.add_opset_import();
    import->set_domain("");
    import->set_version(opset);
    graph()->set_name("test");
  }

  onnx::GraphProto* graph() { return proto.mutable_graph(); }

  // A dimension of -1 is symbolic.
  static void set_type(onnx::ValueInfoProto* value, const std::string& name, const std::vector<std::int64_t>& shape,
                       int element_type = kFloat) {
    value->set_name(name);
    auto* tensor = value->mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(element_type);
    tensor->mutable_shape();
    for (const std::int64_t extent : shape) {
      auto* dimension = tensor->mutable_shape()->add_dim();
      if (extent == -1) {
        dimension->set_dim_param("N");
      } else {
        dimension->set_dim_value(extent);
      }
    }
  }
  void input(const std::string& name, const std::vector<std::int64_t>& shape, int element_type = kFloat) {
    set_type(graph()->add_input(), name, shape, element_type);
  }
  void output(const std::string& name, const std::vector<std::int64_t>& shape, int element_type = kFloat) {
    set_type(graph()->add_output(), name, shape, element_type);
  }

  static void set_floats(onnx::TensorProto* tensor, const std::vector<std::int64_t>& dims,
                         const std::vector<float>& data) {
    tensor->set_data_type(kFloat);
    for (const std::int64_t extent : dims) tensor->add_dims(extent);
    for (const float value : data) tensor->add_float_data(value);
  }
  onnx::TensorProto* floats(const std::string& name, const std::vector<std::int64_t>& dims,
                            const std::vector<float>& data) {
    auto* tensor = graph()->add_initializer();
    tensor->set_name(name);
    set_floats(tensor, dims, data);
    return tensor;
  }
  onnx::TensorProto* ints(const std::string& name, const std::vector<std::int64_t>& data) {
    auto* tensor = graph()->add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(kInt64);
    tensor->add_dims(static_cast<std::int64_t>(data.size()));
    for (const std::int64_t value : data) tensor->add_int64_data(value);
    return tensor;
  }

  onnx::NodeProto* node(const std::string& op, const std::string& name, const std::vector<std::string>& inputs,
                        const std::vector<std::string>& outputs) {
    auto* node = graph()->add_node();
    node->set_op_type(op);
    if (!name.empty()) node->set_name(name);
    for (const std::string& input : inputs) node->add_input(input);
    for (const std::string& output : outputs) node->add_output(output);
    return node;
  }
  static onnx::AttributeProto* attribute(onnx::NodeProto* node, const std::string& name, int type) {
    auto* attribute = node->add_attribute();
    attribute->set_name(name);
    attribute->set_type(type);
    return attribute;
  }
  static void int_attribute(onnx::NodeProto* node, const std::string& name, std::int64_t value) {
    attribute(node, name, 2)->set_i(value);
  }
  static void float_attribute(onnx::NodeProto* node, const std::string& name, float value) {
    attribute(node, name, 1)->set_f(value);
  }
  static void ints_attribute(onnx::NodeProto* node, const std::string& name, const std::vector<std::int64_t>& values) {
    auto* list = attribute(node, name, 7);
    for (const std::int64_t value : values) list->add_ints(value);
  }

  std::string bytes() const { return proto.SerializeAsString(); }
  Network import() const { return import_onnx(bytes(), "model.onnx"); }

  onnx::ModelProto proto;
};

// x [1, 2] -> Gemm(W, b) -> Relu -> y [1, 3].
inline OnnxModel gemm_relu_model() {
  OnnxModel model;
  model.input("x", {1, 2});
  model.floats("W", {2, 3}, {1, 2, 3, 4, 5, 6});
  model.floats("b", {3}, {0.5F, -100, 0});
  model.node("Gemm", "gemm", {"x", "W", "b"}, {"h"});
  model.node("Relu", "relu", {"h"}, {"y"});
  model.output("y", {1, 3});
  return model;
}

}  // namespace boundflow
