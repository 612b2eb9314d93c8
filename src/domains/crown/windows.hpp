#pragma once
// How the window of a row moves through the nodes of an image network (design section 4): geometry only.

#include <optional>

#include "program/bound_program.hpp"

namespace boundflow::crown {

// The window of rows that start as one coordinate of an image [extent, channels], stored channels last.
Window start_window(std::int64_t channels, const ConvMap::Extent& image);

// The buffer where it stores only the window, if there is one.
Buffer in_window(Buffer buffer, const std::optional<Window>& window);

// The images that a convolution, or an adjoint one, reads and gives.
struct ConvImages {
  std::int64_t operand_channels;
  ConvMap::Extent operand;
  std::int64_t result_channels;
  ConvMap::Extent result;
};
ConvImages images(const ConvMap& map);

// The window at the operand of a convolution from the one at its result. Nothing where there is none: the adjoint of a
// strided convolution shifts windows by fractions, and a window of another image than the result's is none of it.
std::optional<Window> through(const ConvMap& map, const Window& window);

// The same for any map that has one: convolutions whose window is smaller than the image, and one factor per
// coordinate.
std::optional<Window> through(const LinearMap& map, const Window& window);

// The smallest window that holds both, if they move alike.
std::optional<Window> hull(const Window& a, const Window& b);

// True if it costs less to go on with all coordinates of the image.
bool is_image_cheaper(const Window& window);

}  // namespace boundflow::crown
