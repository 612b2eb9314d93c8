#include "frontends/onnx/opset_forms.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

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

// A list attribute becomes the input after those that are there.
void list_to_input(OnnxNode& node, std::string_view name, const std::vector<std::int64_t>& list, GraphValues& values) {
  const auto count = static_cast<std::int64_t>(list.size());
  node.inputs.push_back(values.add_constant(fmt::format("{}.{}", node.name, name), Tensor({count}, list)));
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
    list_to_input(node, name, *list, values);
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

void axes_to_input(OnnxNode& node, GraphValues& values) {
  if (node.inputs.size() != 1) node.malformed(fmt::format("{} inputs, expected 1", node.inputs.size()));
  if (const auto axes = take<std::vector<std::int64_t>>(node, "axes")) list_to_input(node, "axes", *axes, values);
}

void axes_form(OnnxNode& node, std::int64_t opset, GraphValues& values) {
  if (opset < 13) axes_to_input(node, values);
}

void reduce_mean_form(OnnxNode& node, std::int64_t opset, GraphValues& values) {
  if (opset < 18) axes_to_input(node, values);
}

// Over all spatial axes it is the pooling of one window.
void reduce_max_form(OnnxNode& node, std::int64_t opset, GraphValues& values) {
  if (opset < 18) axes_to_input(node, values);
  if (node.inputs.empty() || node.inputs[0].empty()) node.malformed("input 0 is required");
  const bool keeps_axes = take<std::int64_t>(node, "keepdims").value_or(1) != 0;
  take<std::int64_t>(node, "noop_with_empty_axes");  // there are axes
  const Tensor* axes = node.inputs.size() == 2 ? values.constant(node.inputs[1]) : nullptr;
  const auto rank = static_cast<std::int64_t>(values.shape(node.inputs[0]).size());
  std::set<std::int64_t> reduced;
  if (axes != nullptr && axes->dtype() == DType::Int64) {
    for (const std::int64_t axis : axes->int64s()) reduced.insert(axis < 0 ? axis + rank : axis);
  }
  std::set<std::int64_t> spatial;
  for (std::int64_t d = 2; d < rank; ++d) spatial.insert(d);
  if (!keeps_axes || reduced.empty() || reduced != spatial) {
    node.unsupported("it is supported over all axes of images, with keepdims");
  }
  const Shape shape = values.shape(node.inputs[0]);
  node.op = "MaxPool";
  node.inputs.pop_back();
  node.attributes["kernel_shape"] = std::vector<std::int64_t>(shape.begin() + 2, shape.end());
}

// Outputs beyond the first are statistics of training.
void batch_normalization_form(OnnxNode& node, std::int64_t opset, GraphValues& values) {
  if (opset < 7 && take<std::int64_t>(node, "is_test").value_or(0) == 0) {
    node.unsupported("training mode is not supported (is_test is not set)");
  }
  if (opset < 9 && take<std::int64_t>(node, "spatial").value_or(1) == 0) {
    node.unsupported("a normalization per activation is not supported (spatial is 0)");
  }
  while (node.outputs.size() > 1 && !values.is_read(node.outputs.back())) node.outputs.pop_back();
}

void cast_form(OnnxNode& node, std::int64_t opset, GraphValues&) {
  // Matters for element types of 8 bits only, which are not supported.
  if (opset >= 19) take<std::int64_t>(node, "saturate");
}

void pad_form(OnnxNode& node, std::int64_t opset, GraphValues& values) {
  if (opset >= 11) return;
  if (node.inputs.size() != 1) node.malformed(fmt::format("{} inputs, expected 1", node.inputs.size()));
  const auto pads = take<std::vector<std::int64_t>>(node, "pads");
  if (!pads) node.malformed("attribute 'pads' is required");
  list_to_input(node, "pads", *pads, values);
  const double value = take<double>(node, "value").value_or(0);
  if (value == 0) return;
  Tensor scalar({}, std::vector<float>{static_cast<float>(value)});
  node.inputs.push_back(values.add_constant(fmt::format("{}.value", node.name), std::move(scalar)));
}

// Without extents the pieces are equal, but for the last one if num_outputs says how many there are.
void split_form(OnnxNode& node, std::int64_t opset, GraphValues& values) {
  if (std::find(node.outputs.begin(), node.outputs.end(), "") != node.outputs.end()) {
    node.unsupported("an output without a name is not supported");
  }
  const auto pieces = static_cast<std::int64_t>(node.outputs.size());
  const std::optional<std::int64_t> declared = opset >= 18 ? take<std::int64_t>(node, "num_outputs") : std::nullopt;
  if (declared && *declared != pieces) {
    node.malformed(fmt::format("{} outputs, but num_outputs is {}", pieces, *declared));
  }
  if (opset < 13) {
    if (node.inputs.size() != 1) node.malformed(fmt::format("{} inputs, expected 1", node.inputs.size()));
    if (const auto split = take<std::vector<std::int64_t>>(node, "split")) list_to_input(node, "split", *split, values);
  }
  if (node.inputs.size() != 1 || node.inputs[0].empty() || pieces == 0) return;
  const Shape shape = values.shape(node.inputs[0]);
  const auto rank = static_cast<std::int64_t>(shape.size());
  const auto found = node.attributes.find("axis");
  const auto* named = found == node.attributes.end() ? nullptr : std::get_if<std::int64_t>(&found->second);
  const std::int64_t axis = named == nullptr ? 0 : *named;
  if (axis < -rank || axis >= rank) node.malformed(fmt::format("axis {} is out of range for rank {}", axis, rank));
  const std::int64_t extent = shape[static_cast<std::size_t>(axis < 0 ? axis + rank : axis)];
  if (!declared && extent % pieces != 0) node.malformed(fmt::format("{} does not split into {}", extent, pieces));
  std::vector<std::int64_t> split;
  const std::int64_t piece = (extent + pieces - 1) / pieces;
  for (std::int64_t i = 0; i < pieces; ++i) split.push_back(std::clamp<std::int64_t>(extent - i * piece, 0, piece));
  list_to_input(node, "split", split, values);
}

struct OpsetForm {
  std::string_view op;
  void (*rewrite)(OnnxNode& node, std::int64_t opset, GraphValues& values);
};

// The operators whose forms differ over the known opsets in more than the dtypes they take.
constexpr OpsetForm kForms[] = {
    {"Add", broadcasting_form},
    {"BatchNormalization", batch_normalization_form},
    {"Cast", cast_form},
    {"Clip", clip_form},
    {"Div", broadcasting_form},
    {"Dropout", dropout_form},
    {"Equal", broadcasting_form},
    {"Gemm", gemm_form},
    {"MaxPool", max_pool_form},
    {"Mul", broadcasting_form},
    {"Pad", pad_form},
    {"Pow", broadcasting_form},
    {"ReduceMax", reduce_max_form},
    {"ReduceMean", reduce_mean_form},
    {"ReduceSum", axes_form},
    {"Slice", slice_form},
    {"Split", split_form},
    {"Squeeze", axes_form},
    {"Sub", broadcasting_form},
    {"Unsqueeze", axes_form},
};

}  // namespace

bool has_normal_form(std::string_view op) {
  return std::any_of(std::begin(kForms), std::end(kForms), [&](const OpsetForm& form) { return form.op == op; });
}

void to_normal_form(OnnxNode& node, std::int64_t opset, GraphValues& values) {
  for (const OpsetForm& form : kForms) {
    if (form.op == node.op) form.rewrite(node, opset, values);
  }
}

}  // namespace boundflow
