#include "exec/native/convolution.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/trace.hpp"

namespace boundflow::native {

namespace {

std::size_t at(std::int64_t i) {
  return static_cast<std::size_t>(i);
}

// Enough rows to fill the micro kernel.
constexpr std::int64_t kManyRows = 8;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return a > 0 ? (a + b - 1) / b : -(-a / b);
}

// Those of `count` steps from `base` whose operands [base + lowest, base + highest) lie inside the image: [first,
// last).
std::pair<std::int64_t, std::int64_t> inside(std::int64_t base, std::int64_t step, std::int64_t count,
                                             std::int64_t lowest, std::int64_t highest, std::int64_t extent) {
  const std::int64_t first = std::clamp<std::int64_t>((step - 1 - base - lowest) / step, 0, count);
  const std::int64_t room = extent - highest - base;
  const std::int64_t last = room < 0 ? first : std::clamp(room / step + 1, first, count);
  return {first, last};
}

std::int64_t floor_mod(std::int64_t a, std::int64_t b) {
  return (a % b + b) % b;
}

}  // namespace

template <class T>
PackedConvolution<T>::PackedConvolution(const ConvMap& map, bool transposed, bool absolute)
    : transposed_(transposed != map.adjoint),
      depthwise_(map.groups == map.in_channels && map.groups == map.out_channels),
      groups_(map.groups),
      in_channels_(transposed_ ? map.out_channels : map.in_channels),
      out_channels_(transposed_ ? map.in_channels : map.out_channels),
      kernel_(map.kernel),
      in_step_(transposed_ ? Extent{1, 1} : map.stride),
      out_step_(transposed_ ? map.stride : Extent{1, 1}) {
  for (std::size_t d = 0; d < 2; ++d) {
    for (std::int64_t residue = 0; residue < out_step_[d]; ++residue) {
      // Tap k of a convolution reads pixel t stride + k dilation - pad; of its transpose, result pixel x (with x + pad
      // = t stride + residue) reads pixel (x + pad - k dilation) / stride, if that is whole.
      std::vector<std::pair<std::int64_t, std::int64_t>> taps;  // offset, tap
      for (std::int64_t k = 0; k < kernel_[d]; ++k) {
        const std::int64_t reach = k * map.dilation[d];
        if (!transposed_) {
          taps.emplace_back(reach, k);
        } else if (floor_mod(reach, out_step_[d]) == residue) {
          taps.emplace_back((residue - reach) / out_step_[d], k);
        }
      }
      std::sort(taps.begin(), taps.end());
      Phase phase;
      for (const auto& [offset, tap] : taps) {
        // Channels of several groups lie between the taps of one, and each row of the kernel is a run of its own.
        const bool joins = d == 1 && groups_ == 1 && !phase.runs.empty() &&
                           phase.runs.back().offset + phase.runs.back().count == offset;
        if (joins) {
          ++phase.runs.back().count;
          phase.runs.back().taps.push_back(tap);
        } else {
          phase.runs.push_back({offset, 1, {tap}});
        }
      }
      phases_[d].push_back(std::move(phase));
    }
  }
  pack(map, absolute);
  if (groups_ == 1 && !depthwise_) choose_tile();
  if (tile_.pixels > 0) pack_tile(map, absolute);
}

// Vectors times steps of k, and a call's own cost in the same unit, per pixel.
template <class T>
void PackedConvolution<T>::choose_tile() {
  constexpr double kCall = 12;
  constexpr double kWorthwhile = 0.9;
  constexpr std::int64_t kMostVectors = 4;
  const auto cost = [&](std::int64_t pixels_read, std::int64_t columns) {
    const std::int64_t vectors = (columns + kPanelWidth<T> - 1) / kPanelWidth<T>;
    return static_cast<double>(vectors) * (static_cast<double>(pixels_read * in_channels_) + kCall);
  };
  double best = 0;
  for (const Phase& phase : phases_[1]) {
    for (const Run& run : phase.runs) best += cost(run.count, out_channels_);
  }
  best *= kWorthwhile / static_cast<double>(out_step_[1]);
  for (std::int64_t pixels = out_step_[1]; pixels * out_channels_ <= kMostVectors * kPanelWidth<T>;
       pixels += out_step_[1]) {
    std::int64_t first = std::numeric_limits<std::int64_t>::max();
    std::int64_t last = std::numeric_limits<std::int64_t>::min();
    for (std::int64_t p = 0; p < pixels; ++p) {
      for (const Run& run : tile_phase(p).runs) {
        first = std::min(first, tile_shift(p) + run.offset);
        last = std::max(last, tile_shift(p) + run.offset + run.count);
      }
    }
    if (pixels == 1 || first >= last) continue;
    const double own = cost(last - first, pixels * out_channels_) / static_cast<double>(pixels);
    if (own >= best) continue;
    best = own;
    tile_.pixels = pixels;
    tile_.offset = first;
    tile_.count = last - first;
  }
}

template <class T>
void PackedConvolution<T>::pack_tile(const ConvMap& map, bool absolute) {
  const std::int64_t columns = tile_.pixels * out_channels_;
  std::vector<double> weights;
  for (std::int64_t ky = 0; ky < kernel_[0]; ++ky) {
    weights.assign(at(tile_.count * in_channels_ * columns), 0.0);
    for (std::int64_t p = 0; p < tile_.pixels; ++p) {
      for (const Run& run : tile_phase(p).runs) {
        for (std::int64_t k = 0; k < run.count; ++k) {
          const std::int64_t pixel = tile_shift(p) + run.offset + k - tile_.offset;
          const std::int64_t kx = run.taps[at(k)];
          for (std::int64_t i = 0; i < in_channels_; ++i) {
            for (std::int64_t o = 0; o < out_channels_; ++o) {
              const std::int64_t row = transposed_ ? i : o, column = transposed_ ? o : i;
              weights[at((pixel * in_channels_ + i) * columns + p * out_channels_ + o)] =
                  map.weights[at(((row * map.in_channels + column) * kernel_[0] + ky) * kernel_[1] + kx)];
            }
          }
        }
      }
    }
    tile_.matrices.emplace_back(weights, tile_.count * in_channels_, columns, false, absolute);
  }
}

template <class T>
void PackedConvolution<T>::pack(const ConvMap& map, bool absolute) {
  const std::int64_t in_group = map.in_channels / groups_;
  const std::int64_t out_group = map.out_channels / groups_;
  const auto weight = [&](std::int64_t o, std::int64_t i, std::int64_t ky, std::int64_t kx) {
    return map.weights[at(((o * in_group + i) * kernel_[0] + ky) * kernel_[1] + kx)];
  };
  if (depthwise_) {
    for (std::int64_t ky = 0; ky < kernel_[0]; ++ky) {
      for (std::int64_t kx = 0; kx < kernel_[1]; ++kx) {
        for (std::int64_t c = 0; c < map.in_channels; ++c) {
          const double w = weight(c, 0, ky, kx);
          channel_weights_.push_back(static_cast<T>(absolute ? std::abs(w) : w));
        }
      }
    }
    return;
  }
  for (const Phase& phase : phases_[1]) {
    first_matrix_.push_back(matrices_per_kernel_row_);
    matrices_per_kernel_row_ += phase.runs.size();
  }
  const std::int64_t rows = transposed_ ? out_group : in_group;
  const std::int64_t columns = transposed_ ? in_group : out_group;
  std::vector<double> weights;
  for (std::int64_t group = 0; group < groups_; ++group) {
    for (std::int64_t ky = 0; ky < kernel_[0]; ++ky) {
      for (const Phase& phase : phases_[1]) {
        for (const Run& run : phase.runs) {
          weights.clear();
          for (const std::int64_t kx : run.taps) {
            for (std::int64_t r = 0; r < rows; ++r) {
              for (std::int64_t c = 0; c < columns; ++c) {
                weights.push_back(transposed_ ? weight(group * out_group + r, c, ky, kx)
                                              : weight(group * out_group + c, r, ky, kx));
              }
            }
          }
          matrices_.emplace_back(weights, run.count * rows, columns, false, absolute);
        }
      }
    }
  }
}

template <class T>
const PackedMatrix<T>& PackedConvolution<T>::matrix(std::int64_t group, std::int64_t ky, std::size_t phase_x,
                                                    std::size_t run) const {
  return matrices_[at(group * kernel_[0] + ky) * matrices_per_kernel_row_ + first_matrix_[phase_x] + run];
}

// The parts of one product, given to the kernel together as far as it takes them.
template <class T>
class PackedConvolution<T>::Product {
 public:
  Product(std::int64_t ld_in, std::int64_t n, T* out, std::int64_t ld_out, bool accumulate, const Live* live)
      : ld_in_(ld_in), n_(n), out_(out), ld_out_(ld_out), accumulate_(accumulate), live_(live) {}

  // in + entry is what meets the weights.
  void add(const T* in, std::int64_t entry, const PanelView<T>& weights) {
    if (count_ == parts_.size()) run();
    ProductPart<T>& part = parts_[count_++];
    part = {in + entry, weights};
    if (live_ == nullptr) return;
    const std::int32_t first = live_->before[at(entry)];
    part.live = live_->entries.data() + first;
    part.live_count = live_->before[at(entry + weights.k)] - first;
    part.live_base = entry;
  }
  // Zeros for the result's columns if nothing was added.
  void finish(std::int64_t columns) {
    if (count_ > 0) run();
    if (accumulate_) return;
    for (std::int64_t i = 0; i < n_; ++i) std::fill_n(out_ + i * ld_out_, columns, T(0));
  }

 private:
  void run() {
    multiply<T>(std::span(parts_.data(), count_), ld_in_, n_, out_, ld_out_, accumulate_);
    accumulate_ = true;
    count_ = 0;
  }

  std::int64_t ld_in_;
  std::int64_t n_;
  T* out_;
  std::int64_t ld_out_;
  bool accumulate_;
  const Live* live_;
  std::array<ProductPart<T>, kMostProductParts> parts_;
  std::size_t count_ = 0;
};

// One pixel of the result, all its channels and all rows. A row of pixels whose taps are all inside the image is the
// same computation: the next pixel takes the place of the next row.
template <class T>
void PackedConvolution<T>::pixel(const T* in, std::int64_t ld_in, std::int64_t n, const Extent& in_extent, T* out,
                                 std::int64_t ld_out, const Extent& phase, const Extent& base, bool accumulate,
                                 const Live* live) const {
  const std::int64_t in_group = in_channels_ / groups_;
  const std::int64_t out_group = out_channels_ / groups_;
  for (std::int64_t group = 0; group < groups_; ++group) {
    Product product(ld_in, n, out + group * out_group, ld_out, accumulate, live);
    for (const Run& row : phases_[0][at(phase[0])].runs) {
      const std::int64_t y = base[0] + row.offset;
      if (y < 0 || y >= in_extent[0]) continue;
      const std::vector<Run>& runs = phases_[1][at(phase[1])].runs;
      for (std::size_t r = 0; r < runs.size(); ++r) {
        const std::int64_t x = base[1] + runs[r].offset;
        const std::int64_t first = std::max<std::int64_t>(x, 0);
        const std::int64_t last = std::min(x + runs[r].count, in_extent[1]);
        if (first >= last) continue;
        product.add(
            in, (y * in_extent[1] + first) * in_channels_ + group * in_group,
            matrix(group, row.taps[0], at(phase[1]), r).view((first - x) * in_group, (last - first) * in_group));
      }
    }
    product.finish(out_group);
  }
}

// As `pixel`, for a tile; what lies outside the image is left out of the product.
template <class T>
void PackedConvolution<T>::tile(const T* in, std::int64_t ld_in, std::int64_t n, const Extent& in_extent, T* out,
                                std::int64_t ld_out, std::int64_t phase_y, const Extent& base, bool accumulate,
                                const Live* live) const {
  const std::int64_t x = base[1] + tile_.offset;
  const std::int64_t first = std::max<std::int64_t>(x, 0);
  const std::int64_t last = std::min(x + tile_.count, in_extent[1]);
  Product product(ld_in, n, out, ld_out, accumulate, live);
  for (const Run& row : phases_[0][at(phase_y)].runs) {
    const std::int64_t y = base[0] + row.offset;
    if (y < 0 || y >= in_extent[0] || first >= last) continue;
    product.add(in, (y * in_extent[1] + first) * in_channels_,
                tile_.matrices[at(row.taps[0])].view((first - x) * in_channels_, (last - first) * in_channels_));
  }
  product.finish(tile_.pixels * out_channels_);
}

template <class T>
void PackedConvolution<T>::depthwise_pixel(const T* in, std::int64_t ld_in, std::int64_t n, const Extent& in_extent,
                                           T* out, std::int64_t ld_out, const Extent& phase, const Extent& base,
                                           bool accumulate) const {
  const std::int64_t channels = in_channels_;
  for (std::int64_t i = 0; i < n; ++i) {
    T* to = out + i * ld_out;
    if (!accumulate) std::fill_n(to, channels, T(0));
    for (const Run& row : phases_[0][at(phase[0])].runs) {
      const std::int64_t y = base[0] + row.offset;
      if (y < 0 || y >= in_extent[0]) continue;
      for (const Run& column : phases_[1][at(phase[1])].runs) {
        for (std::int64_t k = 0; k < column.count; ++k) {
          const std::int64_t x = base[1] + column.offset + k;
          if (x < 0 || x >= in_extent[1]) continue;
          const T* from = in + i * ld_in + (y * in_extent[1] + x) * channels;
          const T* weights = channel_weights_.data() + (row.taps[0] * kernel_[1] + column.taps[at(k)]) * channels;
          count_products(channels);
          for (std::int64_t c = 0; c < channels; ++c) to[c] += from[c] * weights[c];
        }
      }
    }
  }
}

template <class T>
const typename PackedConvolution<T>::Live* PackedConvolution<T>::find_live(const T* in, std::int64_t ld_in,
                                                                           std::int64_t n, std::int64_t entries) {
  thread_local Live live;
  live.entries.resize(at(entries));
  live.before.resize(at(entries + 1));
  const std::int64_t count = live_columns(in, ld_in, n, entries, live.entries.data());
  if (count > entries - entries / 8) return nullptr;
  std::int32_t passed = 0;
  for (std::int64_t e = 0; e < entries; ++e) {
    live.before[at(e)] = passed;
    if (passed < count && live.entries[at(passed)] == e) ++passed;
  }
  live.before[at(entries)] = passed;
  return &live;
}

template <class T>
void PackedConvolution<T>::apply(const T* in, std::int64_t ld_in, std::int64_t n, const Extent& in_extent, T* out,
                                 std::int64_t ld_out, const Extent& out_extent, const Extent& pad, bool accumulate,
                                 bool sparse) const {
  const Extent out_pad = transposed_ ? pad : Extent{0, 0};
  const Extent in_pad = transposed_ ? Extent{0, 0} : pad;
  // Tiles begin at residue 0.
  const std::int64_t first_tile = tile_.pixels > 0 ? std::min(floor_mod(-out_pad[1], out_step_[1]), out_extent[1]) : 0;
  const std::int64_t tiles = tile_.pixels > 0 ? (out_extent[1] - first_tile) / tile_.pixels : 0;
  const std::int64_t last_tile = first_tile + tiles * tile_.pixels;
  // Where neighbours take the place of rows, a product's columns are not those of the image.
  const bool looks = sparse && n >= kManyRows && !depthwise_;
  const Live* live = looks ? find_live(in, ld_in, n, in_extent[0] * in_extent[1] * in_channels_) : nullptr;
  Line line{in, ld_in, n, in_extent, out, ld_out, 0, 0, out_pad[1], in_pad[1], accumulate, live};
  for (std::int64_t y = 0; y < out_extent[0]; ++y) {
    line.phase_y = (y + out_pad[0]) % out_step_[0];
    line.base_y = (y + out_pad[0]) / out_step_[0] * in_step_[0] - in_pad[0];
    pixels(line, 0, first_tile);
    if (tiles > 0) tile_row(line, first_tile, tiles);
    pixels(line, last_tile, out_extent[1]);
    line.out += out_extent[1] * out_channels_;
  }
}

template <class T>
template <class Kernel>
void PackedConvolution<T>::for_each_step(const Line& line, const Steps& steps, const Kernel& kernel) const {
  std::pair<std::int64_t, std::int64_t> together{0, 0};
  if (line.n < kManyRows && !depthwise_) {
    together = inside(steps.base, steps.base_step, steps.count, steps.lowest, steps.highest, line.in_extent[1]);
  }
  for (std::int64_t j = 0; j < steps.count; ++j) {
    T* to = steps.out + j * steps.out_step;
    const Extent base{line.base_y, steps.base + j * steps.base_step};
    if (j == together.first && together.first < together.second) {
      const std::int64_t neighbours = together.second - together.first;
      for (std::int64_t i = 0; i < line.n; ++i) {
        kernel(line.in + i * line.ld_in, steps.base_step * in_channels_, neighbours, to + i * line.ld_out,
               steps.out_step, base);
      }
      j += neighbours - 1;
    } else {
      kernel(line.in, line.ld_in, line.n, to, line.ld_out, base);
    }
  }
}

template <class T>
void PackedConvolution<T>::pixels(const Line& line, std::int64_t first_x, std::int64_t last_x) const {
  for (std::int64_t phase_x = 0; phase_x < out_step_[1]; ++phase_x) {
    // Pixels x = t out_step + phase - pad of the row.
    const std::int64_t first_t = std::max<std::int64_t>(0, ceil_div(first_x + line.out_pad - phase_x, out_step_[1]));
    const std::int64_t last_t = ceil_div(last_x + line.out_pad - phase_x, out_step_[1]);
    if (first_t >= last_t) continue;
    const Extent phase{line.phase_y, phase_x};
    std::int64_t lowest = 0, highest = 1;
    for (const Run& run : phases_[1][at(phase_x)].runs) {
      lowest = std::min(lowest, run.offset);
      highest = std::max(highest, run.offset + run.count);
    }
    const Steps steps{.count = last_t - first_t,
                      .base = first_t * in_step_[1] - line.in_pad,
                      .base_step = in_step_[1],
                      .lowest = lowest,
                      .highest = highest,
                      .out = line.out + (first_t * out_step_[1] + phase_x - line.out_pad) * out_channels_,
                      .out_step = out_step_[1] * out_channels_};
    for_each_step(
        line, steps,
        [&](const T* in, std::int64_t ld_in, std::int64_t n, T* out, std::int64_t ld_out, const Extent& base) {
          if (depthwise_) {
            depthwise_pixel(in, ld_in, n, line.in_extent, out, ld_out, phase, base, line.accumulate);
          } else {
            pixel(in, ld_in, n, line.in_extent, out, ld_out, phase, base, line.accumulate, line.live);
          }
        });
  }
}

template <class T>
void PackedConvolution<T>::tile_row(const Line& line, std::int64_t first_x, std::int64_t tiles) const {
  const Steps steps{.count = tiles,
                    .base = (first_x + line.out_pad) / out_step_[1] * in_step_[1] - line.in_pad,
                    .base_step = tile_shift(tile_.pixels),
                    .lowest = tile_.offset,
                    .highest = tile_.offset + tile_.count,
                    .out = line.out + first_x * out_channels_,
                    .out_step = tile_.pixels * out_channels_};
  for_each_step(line, steps,
                [&](const T* in, std::int64_t ld_in, std::int64_t n, T* out, std::int64_t ld_out, const Extent& base) {
                  tile(in, ld_in, n, line.in_extent, out, ld_out, line.phase_y, base, line.accumulate, line.live);
                });
}

template <class T>
std::int64_t PackedConvolution<T>::bytes() const {
  auto total = static_cast<std::int64_t>(channel_weights_.size() * sizeof(T));
  for (const auto* matrices : {&matrices_, &tile_.matrices}) {
    for (const PackedMatrix<T>& matrix : *matrices) total += matrix.bytes();
  }
  return total;
}

template class PackedConvolution<float>;
template class PackedConvolution<double>;

}  // namespace boundflow::native
