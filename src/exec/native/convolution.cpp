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
PackedConvolution<T>::PackedConvolution(const ConvMap& map, bool transposed, bool absolute,
                                        std::shared_ptr<const Multiplier<T>> multiplier)
    : multiplier_(std::move(multiplier)),
      transposed_(transposed != map.adjoint),
      depthwise_(is_depthwise(map)),
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
          phase.runs.push_back({offset, 1, phase.taps, {tap}});
        }
        ++phase.taps;
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
  const std::int64_t rows = tile_.count * in_channels_;
  std::vector<double> weights(at(kernel_[0] * rows * columns), 0.0);
  for (std::int64_t ky = 0; ky < kernel_[0]; ++ky) {
    for (std::int64_t p = 0; p < tile_.pixels; ++p) {
      for (const Run& run : tile_phase(p).runs) {
        for (std::int64_t k = 0; k < run.count; ++k) {
          const std::int64_t pixel = tile_shift(p) + run.offset + k - tile_.offset;
          const std::int64_t kx = run.taps[at(k)];
          for (std::int64_t i = 0; i < in_channels_; ++i) {
            for (std::int64_t o = 0; o < out_channels_; ++o) {
              const std::int64_t row = transposed_ ? i : o, column = transposed_ ? o : i;
              weights[at((ky * rows + pixel * in_channels_ + i) * columns + p * out_channels_ + o)] =
                  map.weights[at(((row * map.in_channels + column) * kernel_[0] + ky) * kernel_[1] + kx)];
            }
          }
        }
      }
    }
  }
  tile_.matrix = PackedMatrix<T>(weights, kernel_[0] * rows, columns, false, absolute);
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
  const std::int64_t rows = transposed_ ? out_group : in_group;
  const std::int64_t columns = transposed_ ? in_group : out_group;
  std::vector<double> weights;
  for (std::int64_t group = 0; group < groups_; ++group) {
    for (const Phase& phase : phases_[1]) {
      weights.clear();
      for (std::int64_t ky = 0; ky < kernel_[0]; ++ky) {
        for (const Run& run : phase.runs) {
          for (const std::int64_t kx : run.taps) {
            for (std::int64_t r = 0; r < rows; ++r) {
              for (std::int64_t c = 0; c < columns; ++c) {
                weights.push_back(transposed_ ? weight(group * out_group + r, c, ky, kx)
                                              : weight(group * out_group + c, r, ky, kx));
              }
            }
          }
        }
      }
      matrices_.emplace_back(weights, kernel_[0] * phase.taps * rows, columns, false, absolute);
    }
  }
}

// The parts of one product, given to the multiplier together as far as it takes them.
template <class T>
class PackedConvolution<T>::Product {
 public:
  Product(const Multiplier<T>& multiplier, const Task& task, T* out, bool accumulate, const Live* live)
      : multiplier_(multiplier), task_(task), out_(out), accumulate_(accumulate), live_(live) {}

  // The task's operand + entry is what meets the weights.
  void add(std::int64_t entry, const PanelView<T>& weights) {
    if (count_ == parts_.size()) run();
    ProductPart<T>& part = parts_[count_++];
    part = {task_.in + entry, weights};
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
    for (std::int64_t k = 0; k < task_.places.count; ++k) {
      for (std::int64_t i = 0; i < task_.n; ++i) {
        std::fill_n(out_ + k * task_.places.c_step + i * task_.ld_out, columns, T(0));
      }
    }
  }

 private:
  void run() {
    multiplier_.multiply(std::span(parts_.data(), count_), task_.ld_in, task_.n, out_, task_.ld_out, accumulate_,
                         task_.places);
    accumulate_ = true;
    count_ = 0;
  }

  const Multiplier<T>& multiplier_;
  const Task& task_;
  T* out_;
  bool accumulate_;
  const Live* live_;
  std::array<ProductPart<T>, kMostProductParts> parts_;
  std::size_t count_ = 0;
};

// One pixel of the result, all its channels and all rows, at all places.
template <class T>
void PackedConvolution<T>::pixel(const Line& line, const Task& task, std::int64_t phase_x) const {
  const std::int64_t in_group = in_channels_ / groups_;
  const std::int64_t out_group = out_channels_ / groups_;
  const Phase& columns = phases_[1][at(phase_x)];
  for (std::int64_t group = 0; group < groups_; ++group) {
    const PackedMatrix<T>& matrix = matrices_[at(group) * phases_[1].size() + at(phase_x)];
    Product product(*multiplier_, task, task.out + group * out_group, line.accumulate, line.live);
    for (const Run& row : phases_[0][at(line.phase_y)].runs) {
      const std::int64_t y = line.base_y + row.offset;
      if (y < 0 || y >= line.in_extent[0]) continue;
      for (const Run& run : columns.runs) {
        const std::int64_t x = task.base_x + run.offset;
        const std::int64_t first = std::max<std::int64_t>(x, 0);
        const std::int64_t last = std::min(x + run.count, line.in_extent[1]);
        if (first >= last) continue;
        const std::int64_t tap = row.taps[0] * columns.taps + run.before + first - x;
        product.add((y * line.in_extent[1] + first) * in_channels_ + group * in_group,
                    matrix.view(tap * in_group, (last - first) * in_group));
      }
    }
    product.finish(out_group);
  }
}

// As `pixel`, for a tile; what lies outside the image is left out of the product.
template <class T>
void PackedConvolution<T>::tile(const Line& line, const Task& task) const {
  const std::int64_t x = task.base_x + tile_.offset;
  const std::int64_t first = std::max<std::int64_t>(x, 0);
  const std::int64_t last = std::min(x + tile_.count, line.in_extent[1]);
  Product product(*multiplier_, task, task.out, line.accumulate, line.live);
  for (const Run& row : phases_[0][at(line.phase_y)].runs) {
    const std::int64_t y = line.base_y + row.offset;
    if (y < 0 || y >= line.in_extent[0] || first >= last) continue;
    product.add(
        (y * line.in_extent[1] + first) * in_channels_,
        tile_.matrix.view((row.taps[0] * tile_.count + first - x) * in_channels_, (last - first) * in_channels_));
  }
  product.finish(tile_.pixels * out_channels_);
}

template <class T>
void PackedConvolution<T>::depthwise_pixel(const Line& line, const Task& task, std::int64_t phase_x) const {
  const std::int64_t channels = in_channels_;
  for (std::int64_t i = 0; i < task.n; ++i) {
    T* to = task.out + i * task.ld_out;
    if (!line.accumulate) std::fill_n(to, channels, T(0));
    for (const Run& row : phases_[0][at(line.phase_y)].runs) {
      const std::int64_t y = line.base_y + row.offset;
      if (y < 0 || y >= line.in_extent[0]) continue;
      for (const Run& column : phases_[1][at(phase_x)].runs) {
        for (std::int64_t k = 0; k < column.count; ++k) {
          const std::int64_t x = task.base_x + column.offset + k;
          if (x < 0 || x >= line.in_extent[1]) continue;
          const T* from = task.in + i * task.ld_in + (y * line.in_extent[1] + x) * channels;
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
  Line line{in, ld_in, n, in_extent, out, ld_out, 0, 0, out_pad[1], in_pad[1], accumulate, false, live};
  for (std::int64_t y = 0; y < out_extent[0]; ++y) {
    line.last = y + 1 == out_extent[0];
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
  if (line.live == nullptr && !depthwise_) {
    together = inside(steps.base, steps.base_step, steps.count, steps.lowest, steps.highest, line.in_extent[1]);
  }
  const std::int64_t in_step = steps.base_step * in_channels_;
  for (std::int64_t j = 0; j < steps.count; ++j) {
    Task task{
        line.in, line.ld_in, line.n, steps.out + j * steps.out_step, line.ld_out, steps.base + j * steps.base_step, {}};
    if (j == together.first && together.first < together.second) {
      const std::int64_t neighbours = together.second - together.first;
      if (line.n < kManyRows) {
        task.ld_in = in_step;
        task.n = neighbours;
        task.ld_out = steps.out_step;
        task.places = {line.n, line.ld_in, line.ld_out};
      } else {
        task.places = {neighbours, in_step, steps.out_step};
      }
      j += neighbours - 1;
    }
    // Lines follow each other in memory.
    if ((j + 1 < steps.count || !line.last) && !line.accumulate) task.places.spare = steps.spare;
    kernel(task);
  }
}

template <class T>
void PackedConvolution<T>::pixels(const Line& line, std::int64_t first_x, std::int64_t last_x) const {
  for (std::int64_t phase_x = 0; phase_x < out_step_[1]; ++phase_x) {
    // Pixels x = t out_step + phase - pad of the row.
    const std::int64_t first_t = std::max<std::int64_t>(0, ceil_div(first_x + line.out_pad - phase_x, out_step_[1]));
    const std::int64_t last_t = ceil_div(last_x + line.out_pad - phase_x, out_step_[1]);
    if (first_t >= last_t) continue;
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
                      .out_step = out_step_[1] * out_channels_,
                      .spare = 0};
    for_each_step(line, steps, [&](const Task& task) {
      depthwise_ ? depthwise_pixel(line, task, phase_x) : pixel(line, task, phase_x);
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
                    .out_step = tile_.pixels * out_channels_,
                    .spare = tile_.pixels * out_channels_};
  for_each_step(line, steps, [&](const Task& task) { tile(line, task); });
}

template <class T>
std::int64_t PackedConvolution<T>::bytes() const {
  std::int64_t total = static_cast<std::int64_t>(channel_weights_.size() * sizeof(T)) + tile_.matrix.bytes();
  for (const PackedMatrix<T>& matrix : matrices_) total += matrix.bytes();
  return total;
}

template class PackedConvolution<float>;
template class PackedConvolution<double>;

}  // namespace boundflow::native
