#pragma once
// A window's pixels inside its image, as runs that are contiguous in both.

#include <algorithm>
#include <cstdint>

#include "program/bound_program.hpp"

namespace boundflow {

// run(offset in the window, offset in the image, length) for each row of pixels of the window of start coordinate
// `start` that lie inside the image, cut to it.
template <class Run>
void for_each_run(const Window& window, std::int64_t start, const Run& run) {
  const Window::Extent first = window.first_pixel(start);
  const std::int64_t left = std::max<std::int64_t>(0, -first[1]);
  const std::int64_t right = std::min(window.size[1], window.image[1] - first[1]);
  if (left >= right) return;
  for (std::int64_t y = 0; y < window.size[0]; ++y) {
    const std::int64_t image_y = first[0] + y;
    if (image_y < 0 || image_y >= window.image[0]) continue;
    run((y * window.size[1] + left) * window.channels, (image_y * window.image[1] + first[1] + left) * window.channels,
        (right - left) * window.channels);
  }
}

// Zeroes what lies outside the image: no pixel exists there, whatever a convolution's transpose has left.
template <class T>
void clear_outside(const Window& window, std::int64_t start, T* row) {
  std::int64_t done = 0;
  for_each_run(window, start, [&](std::int64_t offset, std::int64_t, std::int64_t length) {
    std::fill(row + done, row + offset, T(0));
    done = offset + length;
  });
  std::fill(row + done, row + window.columns(), T(0));
}

// Where the entry at `offset` of a window lies in another one of the same value, which holds it.
inline std::int64_t offset_in(const Window& outer, const Window& inner, std::int64_t offset) {
  const std::int64_t pixel = offset / inner.channels;
  const std::int64_t y = pixel / inner.size[1] + inner.origin[0] - outer.origin[0];
  const std::int64_t x = pixel % inner.size[1] + inner.origin[1] - outer.origin[1];
  return (y * outer.size[1] + x) * outer.channels + offset % inner.channels;
}

// The entry of the window of start coordinate `start` that holds the coordinate `at` of the image, or -1.
inline std::int64_t entry_of(const Window& window, std::int64_t start, std::int64_t at) {
  const Window::Extent first = window.first_pixel(start);
  const std::int64_t pixel = at / window.channels;
  const std::int64_t y = pixel / window.image[1] - first[0], x = pixel % window.image[1] - first[1];
  if (y < 0 || y >= window.size[0] || x < 0 || x >= window.size[1]) return -1;
  return (y * window.size[1] + x) * window.channels + at % window.channels;
}

}  // namespace boundflow
