#include "ops/window_geometry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/limits.hpp"

namespace boundflow {

namespace {

std::string list(const std::vector<std::int64_t>& values) {
  return to_string(Shape(values));
}

// An attribute of one number per spatial axis, as an extent.
WindowGeometry::Extent read_extent(const NodeView& node, std::string_view name, const std::vector<std::int64_t>& values,
                                   std::size_t axes, std::int64_t largest = kMaxWindowExtent) {
  if (values.size() != axes) {
    node.malformed(fmt::format("{} {} must have {} elements, one per spatial axis", name, list(values), axes));
  }
  WindowGeometry::Extent extent{1, 1};
  for (std::size_t i = 0; i < axes; ++i) {
    if (values[i] < 1 || values[i] > largest) {
      node.malformed(fmt::format("{} {} must be positive and at most {}", name, list(values), largest));
    }
    extent[2 - axes + i] = values[i];
  }
  return extent;
}

// As many windows as there are strides, so that stride 1 keeps the extent. An odd padding is larger at the end
// (SAME_UPPER) or at the beginning (SAME_LOWER).
void pad_to_same(WindowGeometry& geometry, std::size_t axis, bool upper) {
  const std::int64_t stride = geometry.stride[axis];
  const std::int64_t windows = (geometry.image[axis] + stride - 1) / stride;
  const std::int64_t pad =
      std::max<std::int64_t>((windows - 1) * stride + kernel_reach(geometry, axis) - geometry.image[axis], 0);
  geometry.pad_before[axis] = upper ? pad / 2 : pad - pad / 2;
  geometry.pad_after[axis] = pad - geometry.pad_before[axis];
}

void count_windows(const NodeView& node, WindowGeometry& geometry, std::size_t axis, bool ceil_mode) {
  const std::int64_t stride = geometry.stride[axis];
  const std::int64_t padded = geometry.image[axis] + geometry.pad_before[axis] + geometry.pad_after[axis];
  const std::int64_t room = padded - kernel_reach(geometry, axis);
  if (room < 0) {
    node.malformed(fmt::format("the kernel reaches over {} elements, but the padded image has {}",
                               kernel_reach(geometry, axis), padded));
  }
  geometry.windows[axis] = room / stride + 1;
  if (!ceil_mode || room % stride == 0) return;
  // A window that would begin in the padding at the end is left out.
  if (geometry.windows[axis] * stride < geometry.image[axis] + geometry.pad_before[axis]) ++geometry.windows[axis];
}

}  // namespace

WindowGeometry::Taps WindowGeometry::taps_in_image(std::size_t axis, std::int64_t window) const {
  const std::int64_t start = position(axis, window, 0);
  const auto taps_before = [&](std::int64_t coordinate) {
    const std::int64_t distance = coordinate - start;
    return distance <= 0 ? 0 : std::min((distance - 1) / dilation[axis] + 1, kernel[axis]);
  };
  return {taps_before(0), taps_before(image[axis])};
}

double WindowGeometry::taps_in_image() const {
  double taps = 1;
  for (std::size_t axis = 0; axis < 2; ++axis) {
    double on_axis = 0;
    for (std::int64_t window = 0; window < windows[axis]; ++window) {
      const Taps some = taps_in_image(axis, window);
      on_axis += static_cast<double>(some.end - some.first);
    }
    taps *= on_axis;
  }
  return taps;
}

Shape WindowGeometry::output_shape(std::int64_t batch, std::int64_t channels) const {
  Shape shape{batch, channels};
  for (std::size_t axis = 2 - spatial_axes; axis < 2; ++axis) shape.push_back(windows[axis]);
  return shape;
}

void read_pads(const NodeView& node, WindowGeometry& geometry) {
  const std::size_t axes = geometry.spatial_axes;
  const std::vector<std::int64_t> pads = node.ints_attribute("pads", std::vector<std::int64_t>(2 * axes, 0));
  if (pads.size() != 2 * axes) {
    node.malformed(fmt::format("pads {} must have {} elements, two per spatial axis", list(pads), 2 * axes));
  }
  for (const std::int64_t pad : pads) {
    if (pad < 0 || pad > kMaxWindowExtent) {
      node.unsupported(fmt::format("pads {} must not be negative, nor exceed {}", list(pads), kMaxWindowExtent));
    }
  }
  for (std::size_t i = 0; i < axes; ++i) {
    geometry.pad_before[2 - axes + i] = pads[i];
    geometry.pad_after[2 - axes + i] = pads[axes + i];
  }
}

std::int64_t kernel_reach(const WindowGeometry& geometry, std::size_t axis) {
  return (geometry.kernel[axis] - 1) * geometry.dilation[axis] + 1;
}

WindowGeometry window_shape(const NodeView& node, const Shape& input, const std::vector<std::int64_t>& kernel) {
  if (input.size() != 3 && input.size() != 4) {
    node.unsupported(
        fmt::format("an input of shape {} is not supported: one or two spatial axes are, after batch and "
                    "channels",
                    to_string(input)));
  }
  WindowGeometry geometry;
  const std::size_t axes = input.size() - 2;
  geometry.spatial_axes = axes;
  const std::vector<std::int64_t> ones(axes, 1);
  geometry.image = read_extent(node, "the input's spatial shape", {input.begin() + 2, input.end()}, axes);
  geometry.kernel = read_extent(node, "kernel_shape", kernel, axes);
  geometry.stride = read_extent(node, "strides", node.ints_attribute("strides", ones), axes, kMaxStride);
  geometry.dilation = read_extent(node, "dilations", node.ints_attribute("dilations", ones), axes, kMaxStride);
  return geometry;
}

WindowGeometry window_geometry(const NodeView& node, const Shape& input, const std::vector<std::int64_t>& kernel) {
  WindowGeometry geometry = window_shape(node, input, kernel);
  const std::size_t axes = geometry.spatial_axes;
  const bool ceil_mode = node.int_attribute("ceil_mode", 0) != 0;
  const std::string auto_pad = node.string_attribute("auto_pad", "NOTSET");
  const bool same_upper = auto_pad == "SAME_UPPER";
  const bool same = same_upper || auto_pad == "SAME_LOWER";
  if (auto_pad == "NOTSET") {
    read_pads(node, geometry);
  } else if (!same && auto_pad != "VALID") {
    node.malformed(fmt::format("auto_pad '{}' is unknown", auto_pad));
  } else if (ceil_mode) {
    // The specification's formulas ignore ceil_mode here, runtimes do not.
    node.unsupported(fmt::format("ceil_mode together with auto_pad {} is not supported", auto_pad));
  }
  for (std::size_t axis = 2 - axes; axis < 2; ++axis) {
    if (same) pad_to_same(geometry, axis, same_upper);
    count_windows(node, geometry, axis, ceil_mode);
  }
  return geometry;
}

}  // namespace boundflow
