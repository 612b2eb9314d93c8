#pragma once
// Convolutions and their transposes on channels-last images, as products with packed matrices: for each pixel of the
// result, the pixels under the kernel that lie side by side in memory are one run of a product, and the rows of a block
// are its left factor. No copy of the image is made, and nothing outside the image is multiplied.
//
// Images of few channels would leave most of a vector empty. There a tile of several neighbouring pixels is one
// product: its columns are the channels of all of them, its rows the pixels that any of them reads, with zeros in the
// matrix where a pixel of the tile does not read one. Products with zero are exact, so a sum stays the same.

#include <cstdint>
#include <memory>
#include <vector>

#include "exec/native/kernels.hpp"
#include "ir/linear_map.hpp"

namespace boundflow::native {

template <class T>
class PackedConvolution {
 public:
  using Extent = ConvMap::Extent;

  // `transposed`: the product Lambda W of a convolution's rows, or of an adjoint convolution's values.
  PackedConvolution(const ConvMap& map, bool transposed, bool absolute,
                    std::shared_ptr<const Multiplier<T>> multiplier);

  // Each channel for itself: loops of its own, without the multiplier.
  static bool is_depthwise(const ConvMap& map) {
    return map.groups == map.in_channels && map.groups == map.out_channels;
  }

  // out[i] (+)= the map of in[i] for i < n. The extents are those of the images that are stored, and `pad` the offset
  // of the result's (transposed) or the operand's first pixel: smaller images than the map's are windows of them.
  // `sparse`: entries of in that are zero for all i are worth looking for.
  void apply(const T* in, std::int64_t ld_in, std::int64_t n, const Extent& in_extent, T* out, std::int64_t ld_out,
             const Extent& out_extent, const Extent& pad, bool accumulate, bool sparse = false) const;
  std::int64_t bytes() const;  // of the packed weights

 private:
  // Taps along one axis that read neighbouring pixels: pixel t * in_step + offset + i for i < count.
  struct Run {
    std::int64_t offset;
    std::int64_t count;
    std::int64_t before;             // taps of the axis's runs before it
    std::vector<std::int64_t> taps;  // of the kernel
  };
  // The pixels t * out_step + residue - pad of the result, which read the same taps.
  struct Phase {
    std::vector<Run> runs;
    std::int64_t taps = 0;  // of all runs
  };

  class Product;
  // A tile of `pixels` neighbours along the x axis, the first of which has residue 0: it reads the operand's pixels
  // [offset, offset + count) from the first one's base on. No pixels: tiles do not pay.
  struct Tile {
    std::int64_t pixels = 0;
    std::int64_t offset = 0;
    std::int64_t count = 0;
    PackedMatrix<T> matrix;  // [kernel rows * count * in_channels, pixels * out_channels]
  };

  // Phases are residues per axis; `base` is the operand's pixel at offset 0.
  void pack(const ConvMap& map, bool absolute);
  void choose_tile();
  void pack_tile(const ConvMap& map, bool absolute);
  // What pixel number `p` of a tile reads: its phase, and where that phase's base lies from the tile's.
  const Phase& tile_phase(std::int64_t p) const { return phases_[1][static_cast<std::size_t>(p % out_step_[1])]; }
  std::int64_t tile_shift(std::int64_t p) const { return p / out_step_[1] * in_step_[1]; }
  // The entries of an image that are not zero in all rows, ascending, and how many lie before each entry and in all.
  struct Live {
    std::vector<std::int32_t> entries;
    std::vector<std::int32_t> before;
  };
  static const Live* find_live(const T* in, std::int64_t ld_in, std::int64_t n, std::int64_t entries);
  // A row of pixels of the result, and what `apply` was called with.
  struct Line {
    const T* in;
    std::int64_t ld_in;
    std::int64_t n;
    Extent in_extent;
    T* out;  // its first pixel, in the first row of values
    std::int64_t ld_out;
    std::int64_t phase_y;
    std::int64_t base_y;
    std::int64_t out_pad;  // along x
    std::int64_t in_pad;
    bool accumulate;
    bool last;         // of the image
    const Live* live;  // or nullptr
  };
  // Pixels or tiles of a line at equal distances: number j reads the operand's pixels [base + j * base_step + lowest,
  // ... + highest) and is written to out + j * out_step.
  struct Steps {
    std::int64_t count;
    std::int64_t base;
    std::int64_t base_step;
    std::int64_t lowest;
    std::int64_t highest;
    T* out;
    std::int64_t out_step;
    std::int64_t spare;  // elements behind a step's own that the next one, or the next line, writes
  };
  // kernel(task) for all of them. Neighbours whose operands lie inside the image are one task, in which they take the
  // place of rows where there are few of those.
  struct Task {
    const T* in;
    std::int64_t ld_in;
    std::int64_t n;  // rows
    T* out;
    std::int64_t ld_out;
    std::int64_t base_x;
    Places places;
  };
  template <class Kernel>
  void for_each_step(const Line& line, const Steps& steps, const Kernel& kernel) const;
  void pixels(const Line& line, std::int64_t first_x, std::int64_t last_x) const;
  void tile_row(const Line& line, std::int64_t first_x, std::int64_t tiles) const;
  void tile(const Line& line, const Task& task) const;
  void pixel(const Line& line, const Task& task, std::int64_t phase_x) const;
  void depthwise_pixel(const Line& line, const Task& task, std::int64_t phase_x) const;

  std::shared_ptr<const Multiplier<T>> multiplier_;
  bool transposed_;
  bool depthwise_;
  std::int64_t groups_;
  std::int64_t in_channels_;
  std::int64_t out_channels_;
  Extent kernel_;
  Extent in_step_;                            // pixels of the operand per step of t
  Extent out_step_;                           // pixels of the result per step of t
  std::array<std::vector<Phase>, 2> phases_;  // per axis, by residue modulo out_step
  // By group and phase of the x axis: [kernel rows * taps * in_channels of the group, out_channels of the group].
  std::vector<PackedMatrix<T>> matrices_;
  Tile tile_;
  std::vector<T> channel_weights_;  // depthwise: [kernel, channels]
};

}  // namespace boundflow::native
