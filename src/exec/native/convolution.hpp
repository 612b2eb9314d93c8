#pragma once
// Convolutions and their transposes on channels-last images, as products with packed matrices: for each pixel of the
// result, the pixels under the kernel that lie side by side in memory are one run of a product, and the rows of a block
// are its left factor. No copy of the image is made, and nothing outside the image is multiplied.

#include <cstdint>
#include <vector>

#include "exec/native/kernels.hpp"
#include "ir/linear_map.hpp"

namespace boundflow::native {

template <class T>
class PackedConvolution {
 public:
  using Extent = ConvMap::Extent;

  // `transposed`: the product Lambda W of a convolution's rows, or of an adjoint convolution's values.
  PackedConvolution(const ConvMap& map, bool transposed, bool absolute);

  // out[i] (+)= the map of in[i] for i < n. The extents are those of the images that are stored, and `pad` the offset
  // of the result's (transposed) or the operand's first pixel: smaller images than the map's are windows of them.
  void apply(const T* in, std::int64_t ld_in, std::int64_t n, const Extent& in_extent, T* out, std::int64_t ld_out,
             const Extent& out_extent, const Extent& pad, bool accumulate) const;

 private:
  // Taps along one axis that read neighbouring pixels: pixel t * in_step + offset + i for i < count.
  struct Run {
    std::int64_t offset;
    std::int64_t count;
    std::vector<std::int64_t> taps;  // of the kernel
  };
  // The pixels t * out_step + residue - pad of the result, which read the same taps.
  struct Phase {
    std::vector<Run> runs;
  };

  // Phases are residues per axis; `base` is the operand's pixel at offset 0.
  void pack(const ConvMap& map, bool absolute);
  const PackedMatrix<T>& matrix(std::int64_t group, std::int64_t ky, std::size_t phase_x, std::size_t run) const;
  void pixel(const T* in, std::int64_t ld_in, std::int64_t n, const Extent& in_extent, T* out, std::int64_t ld_out,
             const Extent& phase, const Extent& base, bool accumulate) const;
  void depthwise_pixel(const T* in, std::int64_t ld_in, std::int64_t n, const Extent& in_extent, T* out,
                       std::int64_t ld_out, const Extent& phase, const Extent& base, bool accumulate) const;

  bool transposed_;
  bool depthwise_;
  std::int64_t groups_;
  std::int64_t in_channels_;
  std::int64_t out_channels_;
  Extent kernel_;
  Extent in_step_;                            // pixels of the operand per step of t
  Extent out_step_;                           // pixels of the result per step of t
  std::array<std::vector<Phase>, 2> phases_;  // per axis, by residue modulo out_step
  // By group, kernel row, phase and run of the x axis: [count * in_channels of the group, out_channels of the group].
  std::vector<PackedMatrix<T>> matrices_;
  std::vector<std::size_t> first_matrix_;  // by phase of x
  std::size_t matrices_per_kernel_row_ = 0;
  std::vector<T> channel_weights_;  // depthwise: [kernel, channels]
};

}  // namespace boundflow::native
