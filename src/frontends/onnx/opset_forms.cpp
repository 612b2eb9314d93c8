#include "frontends/onnx/opset_forms.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/rounding.hpp"
#include "ops/broadcast.hpp"

namespace boundflow {

void OnnxNode::malformed(const std::string& message) const {
  throw InputError(fmt::format("node '{}' ({}): {}", name, op, message));
}

void OnnxNode::unsupported(const std::string& message) const {
  throw UnsupportedError(name, op, message);
}

namespace {

template <class T>
std::optional<T> take(OnnxNode& node, std::string_view name) {
  const auto found = node.attributes.find(name);
  if (found == node.attributes.end()) return std::nullopt;
  const T* value = std::get_if<T>(&found->second);
  if (value == nullptr) node.malformed(fmt::format("attribute '{}' has another type", name));
  T taken = *value;
  node.attributes.erase(found);
  return taken;
}

// Before opset 7 shapes had to be equal unless `broadcast` was set; then B's dimensions were a run of A's that ended at
// A's last dimension or began at `axis`.
void limited_broadcasting(OnnxNode& node, GraphValues& values) {
  const bool broadcast = take<std::int64_t>(node, "broadcast").value_or(0) != 0;
  const std::optional<std::int64_t> axis = take<std::int64_t>(node, "axis");
  if (node.inputs.size() != 2 || node.inputs[0].empty() || node.inputs[1].empty()) return;  // refused later
  const Shape a = values.shape(node.inputs[0]);
  Shape b = values.shape(node.inputs[1]);
  if (!broadcast && a != b) {
    node.malformed(fmt::format("{} and {} differ, and broadcast is not set", to_string(a), to_string(b)));
  }
  if (broadcast && axis) {
    const std::int64_t rank_a = static_cast<std::int64_t>(a.size());
    const std::int64_t first = *axis < 0 ? *axis + rank_a : *axis;
    const std::int64_t behind = rank_a - first - static_cast<std::int64_t>(b.size());
    if (first < 0 || behind < 0) {
      node.malformed(fmt::format("{} does not fit {} at axis {}", to_string(b), to_string(a), *axis));
    }
    if (behind > 0) {
      const Tensor* constant = values.constant(node.inputs[1]);
      if (constant == nullptr) node.unsupported("broadcasting a variable at an axis is not supported");
      b.insert(b.end(), static_cast<std::size_t>(behind), 1);
      node.inputs[1] = values.add_constant(node.inputs[1], constant->reshaped(b));
    }
  }
  if (!broadcasts_to(b, a)) node.malformed(fmt::format("{} does not broadcast to {}", to_string(b), to_string(a)));
}

void broadcasting_form(OnnxNode& node, std::int64_t opset, GraphValues& values) {
  if (opset < 7) limited_broadcasting(node, values);
}

void gemm_form(OnnxNode& node, std::int64_t opset, GraphValues& values) {
  if (opset >= 7) return;
  const bool broadcast = take<std::int64_t>(node, "broadcast").value_or(0) != 0;
  // Without it C is as large as the result, hence no vector.
  if (!broadcast && node.inputs.size() == 3 && !node.inputs[2].empty() && values.shape(node.inputs[2]).size() != 2) {
    node.malformed(fmt::format("C {} is no matrix, and broadcast is not set", to_string(values.shape(node.inputs[2]))));
  }
}

void dropout_form(OnnxNode& node, std::int64_t opset, GraphValues& values) {
  if (opset < 7 && take<std::int64_t>(node, "is_test").value_or(0) == 0) {
    node.unsupported("training mode is not supported (is_test is not set)");
  }
  if (node.outputs.size() == 2 && !values.is_read(node.outputs[1])) node.outputs.pop_back();
}

void slice_form(OnnxNode& node, std::int64_t opset, GraphValues& values) {
  if (opset >= 10) return;
  if (node.inputs.size() != 1) node.malformed(fmt::format("{} inputs, expected 1", node.inputs.size()));
  for (const std::string_view name : {"starts", "ends", "axes"}) {
    const auto list = take<std::vector<std::int64_t>>(node, name);
    if (!list) {
      if (name == "axes") break;
      node.malformed(fmt::format("attribute '{}' is required", name));
    }
    const auto count = static_cast<std::int64_t>(list->size());
    node.inputs.push_back(values.add_constant(fmt::format("{}.{}", node.name, name), Tensor({count}, *list)));
  }
}

void clip_form(OnnxNode& node, std::int64_t opset, GraphValues& values) {
  if (opset >= 11) return;
  if (node.inputs.size() != 1 || node.inputs[0].empty()) {
    node.malformed(fmt::format("{} inputs, expected 1", node.inputs.size()));
  }
  for (const std::string_view name : {"min", "max"}) {
    const auto bound = take<double>(node, name);
    if (!bound || *bound == (name == "min" ? -kInfinity : kInfinity)) {
      node.inputs.emplace_back();
      continue;
    }
    if (!std::isfinite(*bound)) node.malformed(fmt::format("attribute '{}' must be finite", name));
    Tensor tensor({}, std::vector<double>{*bound});
    if (values.dtype(node.inputs[0]) == DType::Float32) {
      tensor = Tensor({}, std::vector<float>{static_cast<float>(*bound)});
    }
    node.inputs.push_back(values.add_constant(fmt::format("{}.{}", node.name, name), std::move(tensor)));
  }
}

void max_pool_form(OnnxNode& node, std::int64_t, GraphValues& values) {
  if (node.outputs.size() == 2 && !values.is_read(node.outputs[1])) node.outputs.pop_back();
}

struct OpsetForm {
  std::string_view op;
  void (*rewrite)(OnnxNode& node, std::int64_t opset, GraphValues& values);
};

// The operators whose forms differ over the known opsets in more than the dtypes they take.
constexpr OpsetForm kForms[] = {
    {"Add", broadcasting_form}, {"Clip", clip_form},   {"Div", broadcasting_form},
    {"Dropout", dropout_form},  {"Gemm", gemm_form},   {"MaxPool", max_pool_form},
    {"Mul", broadcasting_form}, {"Slice", slice_form}, {"Sub", broadcasting_form},
};

}  // namespace

void to_normal_form(OnnxNode& node, std::int64_t opset, GraphValues& values) {
  for (const OpsetForm& form : kForms) {
    if (form.op == node.op) form.rewrite(node, opset, values);
  }
}

}  // namespace boundflow
