#include "ops/spelling.hpp"

#include <algorithm>

#include "ops/window_geometry.hpp"

namespace boundflow {

namespace {

using Extent = WindowGeometry::Extent;

// Of the axes that there are; nothing where all have the default.
void put(Attributes& attributes, const char* name, const std::vector<std::int64_t>& values, std::int64_t otherwise) {
  attributes.erase(name);
  if (std::any_of(values.begin(), values.end(), [&](std::int64_t v) { return v != otherwise; })) {
    attributes[name] = values;
  }
}

std::vector<std::int64_t> on_axes(const WindowGeometry& window, const Extent& extent) {
  return {extent.begin() + static_cast<std::ptrdiff_t>(2 - window.spatial_axes), extent.end()};
}

std::int64_t padded(const WindowGeometry& window, std::size_t axis) {
  return window.image[axis] + window.pad_before[axis] + window.pad_after[axis];
}

// Whether one window reaches over the whole axis.
bool fills(const WindowGeometry& window, std::size_t axis) {
  return kernel_reach(window, axis) == padded(window, axis);
}

// Whether more windows fit than without ceil_mode.
bool rounds_up(const WindowGeometry& window) {
  for (std::size_t axis = 2 - window.spatial_axes; axis < 2; ++axis) {
    const std::int64_t room = padded(window, axis) - kernel_reach(window, axis);
    if (window.windows[axis] != room / window.stride[axis] + 1) return true;
  }
  return false;
}

}  // namespace

Spelling as_written(const NodeView& node) {
  return {node.node().op, {node.node().inputs.begin(), node.node().inputs.end()}, node.node().attributes};
}

Tensor index_vector(const std::vector<std::int64_t>& values) {
  return Tensor({static_cast<std::int64_t>(values.size())}, values);
}

void spell_window(const WindowGeometry& window, bool ceil_mode, Attributes& attributes) {
  std::vector<std::int64_t> pads = on_axes(window, window.pad_before);
  const std::vector<std::int64_t> after = on_axes(window, window.pad_after);
  pads.insert(pads.end(), after.begin(), after.end());
  Extent stride = window.stride;
  for (std::size_t axis = 0; axis < 2; ++axis) {
    if (fills(window, axis)) stride[axis] = 1;  // there is no second window
  }
  put(attributes, "strides", on_axes(window, stride), 1);
  put(attributes, "dilations", on_axes(window, window.dilation), 1);
  put(attributes, "pads", pads, 0);
  attributes.erase("auto_pad");
  attributes.erase("ceil_mode");
  if (ceil_mode && rounds_up(window)) attributes["ceil_mode"] = std::int64_t{1};
}

std::vector<Spelling> spell_operands(const NodeView& node) {
  Spelling spelling = as_written(node);
  for (std::size_t i = 0; i < 2; ++i) {
    const Tensor* constant = node.constant(i);
    if (constant == nullptr || node.input_type(1 - i).shape != node.output_type().shape) continue;
    const Shape& shape = constant->shape();
    const auto first = std::find_if(shape.begin(), shape.end(), [](std::int64_t extent) { return extent != 1; });
    spelling.inputs[i] = constant->reshaped({first, shape.end()});
  }
  return {spelling};
}

std::vector<Spelling> spell_commutative(const NodeView& node) {
  std::vector<Spelling> spellings = spell_operands(node);
  if (node.constant(0) != nullptr) std::swap(spellings[0].inputs[0], spellings[0].inputs[1]);
  return spellings;
}

}  // namespace boundflow
