#include "exec/gathered_rows.hpp"

#include "base/error.hpp"

namespace boundflow {

std::vector<double> gathered_rows(const LinearMap& map) {
  if (const DenseMap* dense = map.dense()) return dense->weights;
  ensure(map.conv() != nullptr && !map.conv()->adjoint, "rows are gathered from dense maps and convolutions only");
  const ConvMap& conv = *map.conv();
  const std::int64_t in_group = conv.in_channels / conv.groups;
  const std::int64_t out_group = conv.out_channels / conv.groups;
  const std::int64_t height = (conv.kernel[0] - 1) * conv.dilation[0] + 1;
  const std::int64_t width = (conv.kernel[1] - 1) * conv.dilation[1] + 1;
  std::vector<double> rows(static_cast<std::size_t>(conv.out_channels * height * width * conv.in_channels), 0.0);
  std::size_t next = 0;
  for (std::int64_t o = 0; o < conv.out_channels; ++o) {
    for (std::int64_t i = 0; i < in_group; ++i) {
      for (std::int64_t ky = 0; ky < conv.kernel[0]; ++ky) {
        for (std::int64_t kx = 0; kx < conv.kernel[1]; ++kx) {
          const std::int64_t pixel = (o * height + ky * conv.dilation[0]) * width + kx * conv.dilation[1];
          const std::int64_t channel = o / out_group * in_group + i;
          rows[static_cast<std::size_t>(pixel * conv.in_channels + channel)] = conv.weights[next++];
        }
      }
    }
  }
  return rows;
}

std::int64_t gathered_row_count(const LinearMap& map) {
  return map.conv() != nullptr ? map.conv()->out_channels : map.dense()->rows;
}

std::int64_t gathered_row(const LinearMap& map, std::int64_t i) {
  return map.conv() != nullptr ? i % map.conv()->out_channels : i;
}

}  // namespace boundflow
