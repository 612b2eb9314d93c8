#pragma once
// End-to-end cases: a small model and a property as text, written to files and given to the public verify().

#include <string>
#include <vector>

#include "boundflow/boundflow.hpp"
#include "support/onnx_model.hpp"
#include "support/temp_folder.hpp"

namespace boundflow {

// y = relu(x W + b) or x W + b; W is [inputs, outputs], row-major.
struct DenseLayer {
  std::vector<float> weights;
  std::vector<float> bias;
  bool relu = true;
};

// x [1, inputs] -> layers -> y [1, outputs], one Gemm (and Relu) a layer.
inline OnnxModel dense_model(std::int64_t inputs, const std::vector<DenseLayer>& layers) {
  OnnxModel model;
  model.input("x", {1, inputs});
  std::string value = "x";
  std::int64_t width = inputs;
  for (std::size_t k = 0; k < layers.size(); ++k) {
    const std::string id = std::to_string(k);
    const bool last = k + 1 == layers.size();
    const auto next = static_cast<std::int64_t>(layers[k].bias.size());
    model.floats("W" + id, {width, next}, layers[k].weights);
    model.floats("b" + id, {next}, layers[k].bias);
    const std::string sum = last && !layers[k].relu ? "y" : "h" + id;
    model.node("Gemm", "gemm" + id, {value, "W" + id, "b" + id}, {sum});
    value = sum;
    if (layers[k].relu) {
      value = last ? "y" : "r" + id;
      model.node("Relu", "relu" + id, {sum}, {value});
    }
    width = next;
  }
  model.output("y", {1, width});
  return model;
}

// The declarations that each VNN-LIB file starts with.
inline std::string declarations(int inputs, int outputs) {
  std::string text;
  for (int i = 0; i < inputs; ++i) text += "(declare-const X_" + std::to_string(i) + " Real)\n";
  for (int i = 0; i < outputs; ++i) text += "(declare-const Y_" + std::to_string(i) + " Real)\n";
  return text;
}

inline std::string input_bounds(int index, const std::string& lower, const std::string& upper) {
  const std::string x = "X_" + std::to_string(index);
  return "(assert (>= " + x + " " + lower + "))\n(assert (<= " + x + " " + upper + "))\n";
}

inline VerifyResult verify_case(const OnnxModel& model, const std::string& property, Options options = {},
                                const VerifyHooks& hooks = {}) {
  const TempFolder folder;
  const std::string network_path = folder.write("net.onnx", model.bytes());
  const std::string property_path = folder.write("prop.vnnlib", property);
  if (options.timeout > 1e9) options.timeout = 10;
  return verify(network_path, property_path, options, hooks);
}

}  // namespace boundflow
