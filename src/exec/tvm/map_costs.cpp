#include "exec/tvm/map_costs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <sstream>
#include <vector>

#include "base/random.hpp"
#include "exec/tvm/generated_map.hpp"
#include "exec/tvm/machine.hpp"
#include "program/storage_plan.hpp"

namespace boundflow::generated {

namespace {

using native::Direction;
using native::MapKernel;

// To be changed with whatever makes other costs of the same map: kernels of either executor, how they are measured.
constexpr std::string_view kVersion = "boundflow costs 6";

Digest key_of(const LinearMap& map, Direction direction) {
  return artifact_key(std::string(kVersion) + " " + describe(map, direction), cpu_model(), "");
}

// Rows of hidden neurons come to a convolution in windows, of which many lines are short; where they have a quarter of
// the image's height and width. Nothing where rows are never cut to windows.
struct Windows {
  Window from, to;
};

std::optional<Windows> typical_windows(const LinearMap& map, Direction direction) {
  const ConvMap* conv = map.conv();
  if (conv == nullptr || conv->adjoint || direction != Direction::Transpose) return std::nullopt;
  if (!conv->in_channels_last || !conv->out_channels_last) return std::nullopt;
  Windows windows;
  windows.from = {.channels = conv->out_channels, .image = conv->image_out};
  windows.to = {.channels = conv->in_channels, .image = conv->image_in};
  for (std::size_t d = 0; d < 2; ++d) {
    windows.from.size[d] = (conv->image_out[d] + 3) / 4;
    windows.to.size[d] = (windows.from.size[d] - 1) * conv->stride[d] + (conv->kernel[d] - 1) * conv->dilation[d] + 1;
  }
  return windows;
}

// Calls by either executor in turns, so that whatever else the machine does meets both: native's least time, and tvm's
// by the median of the ratios of neighbouring turns. Least times of both would compare the best moments of either.
MapCosts::Call measure_call(const MapKernel<float>& native, const MapKernel<float>& generated, const LinearMap& map,
                            Direction direction, std::int64_t rows, const std::optional<Windows>& windows) {
  constexpr double kRound_s = 30e-6, kBudget_s = 8e-3;
  constexpr std::size_t kLeastRounds = 15;
  const bool transpose = direction == Direction::Transpose;
  const std::int64_t in = windows ? windows->from.columns() : transpose ? map.out_size() : map.in_size();
  const std::int64_t out = windows ? windows->to.columns() : transpose ? map.in_size() : map.out_size();
  const bool interval = direction == Direction::Interval;
  constexpr std::int64_t kSpans = 2;  // as for sound bounds
  const std::int64_t all_rows = interval ? (1 + kSpans) * rows : rows;
  // Rows as they lie in programs: at other distances they would compete for the same sets of a cache.
  const std::int64_t ld_in = interval ? in : padded_columns(in), ld_out = padded_columns(out);
  Random random(1);
  std::vector<float> x(static_cast<std::size_t>(all_rows * ld_in)), y(static_cast<std::size_t>(all_rows * ld_out));
  // Rows that have come through a relaxation are zero at dead neurons.
  for (std::int64_t j = 0; j < in; ++j) {
    const bool dead = transpose && random.coin();
    for (std::int64_t i = 0; i < all_rows && !dead; ++i) {
      x[static_cast<std::size_t>(i * ld_in + j)] = static_cast<float>(random.uniform(-1, 1));
    }
  }
  const auto seconds = [&](const MapKernel<float>& kernel, int calls) {
    const auto begin = Clock::now();
    for (int i = 0; i < calls; ++i) {
      if (interval) {
        kernel.apply_interval(x.data(), kSpans, rows, y.data(), ld_out, false);
      } else if (windows) {
        kernel.apply_windows(x.data(), ld_in, rows, windows->from, y.data(), ld_out, windows->to, false);
      } else {
        kernel.apply(x.data(), ld_in, rows, y.data(), ld_out, false);
      }
    }
    return seconds_between(begin, Clock::now()) / calls;
  };
  seconds(generated, 1);
  const int calls = 1 + static_cast<int>(kRound_s / seconds(native, 1));
  double least = std::numeric_limits<double>::infinity();
  std::vector<double> ratios;
  const auto begin = Clock::now();
  while (ratios.size() < kLeastRounds || seconds_between(begin, Clock::now()) < kBudget_s) {
    const double native_s = seconds(native, calls), tvm_s = seconds(generated, calls);
    least = std::min(least, native_s);
    ratios.push_back(tvm_s / native_s);
  }
  std::nth_element(ratios.begin(), ratios.begin() + std::ssize(ratios) / 2, ratios.end());
  return {.native_s = least, .tvm_s = least * ratios[ratios.size() / 2]};
}

}  // namespace

std::int64_t measured_rows(bool many) {
  return many ? 64 : 2;
}

std::string describe(const LinearMap& map, Direction direction) {
  std::string text = fmt::format("{} {}", to_string(direction), map.print());
  if (const ConvMap* conv = map.conv()) {
    text +=
        fmt::format(" adjoint {} dilation {} pad {} channels last {} {}", conv->adjoint, fmt::join(conv->dilation, "x"),
                    fmt::join(conv->pad, "x"), conv->in_channels_last, conv->out_channels_last);
  }
  return text;
}

std::optional<MapCosts> find_costs(const ArtifactStore* store, const LinearMap& map, Direction direction) {
  const std::optional<std::string> text =
      store != nullptr ? store->read(key_of(map, direction)) : std::optional<std::string>();
  if (!text) return std::nullopt;
  std::istringstream in(*text);
  MapCosts costs;
  in >> costs.tile.panels >> costs.tile.most_rows >> costs.few.native_s >> costs.few.tvm_s >> costs.many.native_s >>
      costs.many.tvm_s;
  return in && is_known(costs.tile) ? std::optional(costs) : std::nullopt;
}

void keep_costs(const ArtifactStore* store, const LinearMap& map, Direction direction, const MapCosts& costs) {
  if (store == nullptr) return;
  store->write(key_of(map, direction),
               fmt::format("{} {} {} {} {} {}\n", costs.tile.panels, costs.tile.most_rows, costs.few.native_s,
                           costs.few.tvm_s, costs.many.native_s, costs.many.tvm_s));
}

MapCosts measure_costs(const LinearMap& map, Direction direction, GeneratedKernels& kernels, const Tile& tile) {
  KernelUse use;
  const auto native = native::make_map_kernel<float>(map, direction);
  const auto generated = make_generated_map(map, direction, kernels, tile, use);
  const auto measure = [&](std::int64_t rows, const std::optional<Windows>& windows) {
    return measure_call(*native, *generated, map, direction, rows, windows);
  };
  MapCosts costs{tile, measure(measured_rows(false), {}), measure(measured_rows(true), {})};
  // Programs have both: what is generated has to be better at either.
  if (const std::optional<Windows> windows = typical_windows(map, direction)) {
    const MapCosts::Call call = measure(measured_rows(true), windows);
    if (call.tvm_s * costs.many.native_s > costs.many.tvm_s * call.native_s) costs.many = call;
  }
  return costs;
}

}  // namespace boundflow::generated
