#pragma once
// Where the windows of convolutions and poolings lie: the arithmetic of kernel, strides, dilations, padding, auto_pad
// and ceil_mode for one or two spatial axes. Attribute names and meaning are ONNX's.

#include <array>
#include <cstdint>
#include <vector>

#include "ir/network.hpp"

namespace boundflow {

struct WindowGeometry {
  // Height and width; with one spatial axis that is the width, and the height is 1.
  using Extent = std::array<std::int64_t, 2>;
  std::size_t spatial_axes = 2;
  Extent image{1, 1};
  Extent kernel{1, 1};
  Extent stride{1, 1};
  Extent dilation{1, 1};
  Extent pad_before{0, 0};
  Extent pad_after{0, 0};
  Extent windows{1, 1};  // how many windows there are: the output's extent

  // The coordinate on `axis` that tap `tap` of window `window` reads. Outside [0, image[axis]) it is padding; with
  // ceil_mode even past the end of the padding.
  std::int64_t position(std::size_t axis, std::int64_t window, std::int64_t tap) const {
    return window * stride[axis] + tap * dilation[axis] - pad_before[axis];
  }
  // The taps of a window that read the image and no padding: [first, end), perhaps empty.
  struct Taps {
    std::int64_t first = 0;
    std::int64_t end = 0;
  };
  Taps taps_in_image(std::size_t axis, std::int64_t window) const;
  // Taps of all windows together that read the image.
  double taps_in_image() const;

  // [batch, channels, windows]
  Shape output_shape(std::int64_t batch, std::int64_t channels) const;
};

// Reads the attributes strides, dilations, pads, auto_pad and ceil_mode of a node whose input has shape `input`
// [batch, channels, spatial...] and whose kernel has the spatial extents `kernel`. Errors name the node.
WindowGeometry window_geometry(const NodeView& node, const Shape& input, const std::vector<std::int64_t>& kernel);

// What every window has, before it is known where windows lie: the image, the kernel, strides and dilations.
WindowGeometry window_shape(const NodeView& node, const Shape& input, const std::vector<std::int64_t>& kernel);

// Reads attribute pads.
void read_pads(const NodeView& node, WindowGeometry& geometry);

// How many elements of the axis a window covers, those between its taps included.
std::int64_t kernel_reach(const WindowGeometry& geometry, std::size_t axis);

}  // namespace boundflow
