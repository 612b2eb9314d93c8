#include "domains/crown/windows.hpp"

#include <algorithm>
#include <cstdlib>

namespace boundflow::crown {

Window start_window(std::int64_t channels, const ConvMap::Extent& image) {
  return {.start_channels = channels, .start_width = image[1], .channels = channels, .image = image};
}

Buffer in_window(Buffer buffer, const std::optional<Window>& window) {
  buffer.window = window;
  if (window) buffer.columns = window->columns();
  return buffer;
}

ConvImages images(const ConvMap& map) {
  if (map.adjoint) return {map.out_channels, map.image_out, map.in_channels, map.image_in};
  return {map.in_channels, map.image_in, map.out_channels, map.image_out};
}

std::optional<Window> through(const ConvMap& map, const Window& window) {
  if (map.adjoint || !map.in_channels_last || !map.out_channels_last) return std::nullopt;
  // Of one channel, images of other extents are stored alike, and a reshape between them leaves the rows as they are.
  if (window.channels != map.out_channels || window.image != map.image_out) return std::nullopt;
  Window result = window;
  result.channels = map.in_channels;
  result.image = map.image_in;
  for (std::size_t d = 0; d < 2; ++d) {
    // Pixel q of the result reads the pixels q stride - pad + k dilation of the operand.
    result.size[d] = (window.size[d] - 1) * map.stride[d] + (map.kernel[d] - 1) * map.dilation[d] + 1;
    result.step[d] = window.step[d] * map.stride[d];
    result.origin[d] = window.origin[d] * map.stride[d] - map.pad[d];
    // Strides of several nodes multiply: an image is no larger, and its indices do not overflow.
    constexpr std::int64_t kLargest = std::int64_t{1} << 31;
    if (std::max({result.size[d], result.step[d], std::abs(result.origin[d])}) > kLargest) return std::nullopt;
  }
  return result;
}

std::optional<Window> through(const LinearMap& map, const Window& window) {
  if (map.scale() != nullptr && map.scale()->source.empty()) return window;
  if (map.index() != nullptr && map.index()->source.empty()) return window;
  if (map.conv() == nullptr || is_image_cheaper(window)) return std::nullopt;
  return through(*map.conv(), window);
}

std::optional<Window> hull(const Window& a, const Window& b) {
  if (a.step != b.step || a.image != b.image || a.channels != b.channels || a.start_width != b.start_width ||
      a.start_channels != b.start_channels) {
    return std::nullopt;
  }
  Window result = a;
  for (std::size_t d = 0; d < 2; ++d) {
    result.origin[d] = std::min(a.origin[d], b.origin[d]);
    result.size[d] = std::max(a.origin[d] + a.size[d], b.origin[d] + b.size[d]) - result.origin[d];
  }
  return result;
}

// Windows cost a little more per coordinate: short runs, and pixels outside the image near its border.
bool is_image_cheaper(const Window& window) {
  return 4 * window.columns() >= 3 * window.image_columns();
}

}  // namespace boundflow::crown
