#pragma once
// Random linear maps of every kind, for tests.

#include <vector>

#include "base/random.hpp"
#include "ir/linear_map.hpp"

namespace boundflow {

inline std::vector<double> random_numbers(Random& random, std::int64_t count) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) {
    // Float32 numbers, so that packing them loses nothing.
    const auto any = static_cast<double>(static_cast<float>(random.uniform(-2, 2)));
    values.push_back(random.integer(0, 7) == 0 ? 0.0 : any);
  }
  return values;
}

// Weights without zeros if `dense`.
inline ConvMap random_convolution(Random& random, bool dense = false) {
  ConvMap map;
  map.adjoint = random.integer(0, 2) == 0;
  map.groups = random.integer(0, 2) == 0 ? random.integer(1, 3) : 1;
  map.in_channels = map.groups * random.integer(1, 3);
  map.out_channels = map.groups * (random.integer(0, 2) == 0 ? 1 : random.integer(1, 5));
  for (std::size_t d = 0; d < 2; ++d) {
    map.image_in[d] = random.integer(1, 8);
    map.kernel[d] = random.integer(1, 4);
    map.stride[d] = random.integer(1, 3);
    map.dilation[d] = random.integer(1, 2);
    map.pad[d] = random.integer(0, 3);
    const std::int64_t reach = (map.kernel[d] - 1) * map.dilation[d] + 1;
    const std::int64_t room = map.image_in[d] + map.pad[d] + random.integer(0, 3) - reach;
    map.image_out[d] = room < 0 ? 1 : room / map.stride[d] + 1;
  }
  map.weights =
      random_numbers(random, map.out_channels * (map.in_channels / map.groups) * map.kernel[0] * map.kernel[1]);
  for (double& weight : map.weights) {
    if (dense && weight == 0) weight = 0.75;
  }
  map.in_channels_last = random.integer(0, 3) != 0;
  map.out_channels_last = random.integer(0, 3) != 0;
  return map;
}

// Of the given kind: the index of an alternative of LinearMap.
inline LinearMap random_linear_map(Random& random, std::int64_t kind) {
  const std::int64_t out = random.integer(1, 9), in = random.integer(1, 9);
  const auto sources = [&](std::int64_t least) {
    std::vector<std::int64_t> source;
    for (std::int64_t j = 0; j < out; ++j) source.push_back(random.integer(least, in - 1));
    return source;
  };
  const bool identity = random.integer(0, 3) == 0;
  switch (kind) {
    case 0: {
      const std::int64_t outer = random.integer(1, 3), inner = random.integer(1, 3);
      return LinearMap(DenseMap{outer, out, in, inner, random_numbers(random, out * in)});
    }
    case 1: {
      const double factor = random.coin() ? 1 : -1;
      return identity ? LinearMap::identity(out, factor) : LinearMap(IndexMap{out, in, sources(-1), factor});
    }
    case 2:
      return identity ? LinearMap(ScaleMap{out, out, {}, random_numbers(random, out)})
                      : LinearMap(ScaleMap{out, in, sources(0), random_numbers(random, out)});
    case 3: {
      SparseMap map{out, in, {0}, {}, {}};
      for (std::int64_t j = 0; j < out; ++j) {
        for (std::int64_t i = 0; i < in; ++i) {
          if (random.coin()) map.columns.push_back(i);
        }
        map.starts.push_back(static_cast<std::int64_t>(map.columns.size()));
      }
      map.weights = random_numbers(random, map.starts.back());
      return LinearMap(std::move(map));
    }
    default:
      return LinearMap(random_convolution(random));
  }
}

}  // namespace boundflow
