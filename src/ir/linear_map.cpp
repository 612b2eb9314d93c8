#include "ir/linear_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>

#include "base/error.hpp"
#include "base/rounding.hpp"

namespace boundflow {

namespace {

// The cast itself is undefined beyond the range of float, so the range is asked first.
bool is_float32(double x) {
  return std::abs(x) <= std::numeric_limits<float>::max() && static_cast<double>(static_cast<float>(x)) == x;
}

std::size_t index_of(std::int64_t i) {
  return static_cast<std::size_t>(i);
}

// The position of element (a, k, c) of a [outer, extent, inner] tensor.
std::size_t position(std::int64_t a, std::int64_t k, std::int64_t c, std::int64_t extent, std::int64_t inner) {
  return index_of((a * extent + k) * inner + c);
}

// For a finite x != 0. A subnormal number counts as none.
bool is_power_of_two(double x) {
  constexpr std::uint64_t kMantissa = (std::uint64_t{1} << 52) - 1;
  return (std::bit_cast<std::uint64_t>(x) & kMantissa) == 0 && std::abs(x) >= kSmallestNormal64;
}

}  // namespace

// What the products with a non-zero weight need to know of it.
void LinearMap::note_weight(double weight) {
  ensure(std::isfinite(weight), "linear map: weights must be finite");
  if (weight == 0) return;
  products_round_ = products_round_ || !is_power_of_two(weight);
  max_abs_weight_ = std::max(max_abs_weight_, std::abs(weight));
  const bool exact = is_float32(weight);
  exact_in_float32_ = exact_in_float32_ && exact;
  loses_subnormals_in_float32_ = loses_subnormals_in_float32_ || (!exact && std::abs(weight) < kSmallestNormal32);
}

LinearMap::LinearMap(DenseMap map, double weight_error) : weight_error_(weight_error) {
  ensure(map.outer >= 0 && map.rows >= 0 && map.columns >= 0 && map.inner >= 0, "dense map: negative size");
  ensure(index_of(map.rows * map.columns) == map.weights.size(), "dense map: weights do not fill rows x columns");
  out_ = map.outer * map.rows * map.inner;
  in_ = map.outer * map.columns * map.inner;
  // Exact zeros are no terms: their products and sums are exact in every format and order.
  std::vector<std::int64_t> in_column(index_of(map.columns), 0);
  std::size_t next = 0;
  for (std::int64_t o = 0; o < map.rows; ++o) {
    std::int64_t in_row = 0;
    for (std::int64_t i = 0; i < map.columns; ++i) {
      const double weight = map.weights[next++];
      note_weight(weight);
      if (weight == 0) continue;
      ++in_row;
      ++in_column[index_of(i)];
    }
    terms_ = std::max(terms_, in_row);
  }
  for (const std::int64_t count : in_column) transpose_terms_ = std::max(transpose_terms_, count);
  map_ = std::move(map);
}

LinearMap::LinearMap(IndexMap map) : out_(map.out), in_(map.in) {
  ensure(map.out >= 0 && map.in >= 0, "index map: negative size");
  ensure(map.factor == 1 || map.factor == -1, "index map: the factor must be 1 or -1");
  if (map.source.empty()) {
    ensure(map.out == map.in, "index map: an identity needs equal sizes");
    terms_ = transpose_terms_ = std::min<std::int64_t>(map.out, 1);
  } else {
    ensure(map.source.size() == index_of(map.out), "index map: one source per output expected");
    std::vector<std::int64_t> uses(index_of(map.in), 0);
    for (const std::int64_t i : map.source) {
      ensure(i >= -1 && i < map.in, "index map: source out of range");
      if (i < 0) continue;
      terms_ = 1;
      transpose_terms_ = std::max(transpose_terms_, ++uses[index_of(i)]);
    }
  }
  max_abs_weight_ = static_cast<double>(terms_);
  map_ = std::move(map);
}

LinearMap::LinearMap(ScaleMap map, double weight_error) : out_(map.out), in_(map.in), weight_error_(weight_error) {
  ensure(map.out >= 0 && map.in >= 0 && map.factors.size() == index_of(map.out), "scale map: sizes do not fit");
  ensure(map.source.empty() ? map.out == map.in : map.source.size() == index_of(map.out),
         "scale map: one source per output expected");
  for (const std::int64_t i : map.source) ensure(i >= 0 && i < map.in, "scale map: source out of range");
  for (const double factor : map.factors) note_weight(factor);
  map_ = std::move(map);
  count_terms();
}

LinearMap::LinearMap(SparseMap map, double weight_error) : out_(map.out), in_(map.in), weight_error_(weight_error) {
  ensure(map.out >= 0 && map.in >= 0 && map.starts.size() == index_of(map.out) + 1 && map.starts.front() == 0 &&
             std::is_sorted(map.starts.begin(), map.starts.end()) &&
             index_of(map.starts.back()) == map.weights.size() && map.columns.size() == map.weights.size(),
         "sparse map: sizes do not fit");
  for (const std::int64_t i : map.columns) ensure(i >= 0 && i < map.in, "sparse map: column out of range");
  for (const double weight : map.weights) note_weight(weight);
  map_ = std::move(map);
  count_terms();
}

namespace {

// The taps of a kernel's axis by their positions modulo the stride: taps of one class meet the same coordinates. There
// are no more classes than taps, however large the stride.
struct Residues {
  Residues(const ConvMap& map, std::size_t axis) {
    std::map<std::int64_t, std::int64_t> classes;
    for (std::int64_t tap = 0; tap < map.kernel[axis]; ++tap) {
      const std::int64_t residue = tap * map.dilation[axis] % map.stride[axis];
      of_tap.push_back(classes.emplace(residue, static_cast<std::int64_t>(classes.size())).first->second);
    }
    count = static_cast<std::int64_t>(classes.size());
  }
  std::vector<std::int64_t> of_tap;
  std::int64_t count = 0;
};

}  // namespace

LinearMap::LinearMap(ConvMap map, double weight_error) : weight_error_(weight_error) {
  ensure(map.groups > 0 && map.in_channels > 0 && map.out_channels > 0 && map.in_channels % map.groups == 0 &&
             map.out_channels % map.groups == 0,
         "conv map: channels do not fit the groups");
  for (std::size_t d = 0; d < 2; ++d) {
    ensure(map.image_in[d] > 0 && map.image_out[d] > 0 && map.kernel[d] > 0 && map.stride[d] > 0 && map.dilation[d] > 0,
           "conv map: sizes must be positive");
  }
  const std::int64_t taps = map.kernel[0] * map.kernel[1];
  ensure(index_of(map.out_channels * (map.in_channels / map.groups) * taps) == map.weights.size(),
         "conv map: weights do not fit");
  for (const double weight : map.weights) note_weight(weight);
  const std::int64_t convolved = map.out_channels * map.image_out[0] * map.image_out[1];
  const std::int64_t image = map.in_channels * map.image_in[0] * map.image_in[1];
  out_ = map.adjoint ? image : convolved;
  in_ = map.adjoint ? convolved : image;
  // A component far from the border has all terms; one of the adjoint only those taps that fall on its residue.
  const std::int64_t in_group = map.in_channels / map.groups;
  const std::int64_t out_group = map.out_channels / map.groups;
  std::vector<std::int64_t> of_output(index_of(map.out_channels), 0);
  const std::array<Residues, 2> residues{Residues(map, 0), Residues(map, 1)};
  std::vector<std::int64_t> of_input(index_of(map.in_channels * residues[0].count * residues[1].count), 0);
  std::size_t next = 0;
  for (std::int64_t o = 0; o < map.out_channels; ++o) {
    for (std::int64_t i = 0; i < in_group; ++i) {
      for (std::int64_t ky = 0; ky < map.kernel[0]; ++ky) {
        for (std::int64_t kx = 0; kx < map.kernel[1]; ++kx) {
          if (map.weights[next++] == 0) continue;
          ++of_output[index_of(o)];
          const std::int64_t channel = o / out_group * in_group + i;
          const std::int64_t residue =
              residues[0].of_tap[index_of(ky)] * residues[1].count + residues[1].of_tap[index_of(kx)];
          ++of_input[index_of(channel * residues[0].count * residues[1].count + residue)];
        }
      }
    }
  }
  terms_ = *std::max_element(of_output.begin(), of_output.end());
  transpose_terms_ = *std::max_element(of_input.begin(), of_input.end());
  if (map.adjoint) std::swap(terms_, transpose_terms_);
  map_ = std::move(map);
}

void LinearMap::count_terms() {
  std::vector<std::int64_t> in_column(index_of(in_), 0);
  std::vector<Entry> entries;
  for (std::int64_t j = 0; j < out_; ++j) {
    row(j, entries);
    std::int64_t in_row = 0;
    for (const Entry& entry : entries) {
      if (entry.weight == 0) continue;
      ++in_row;
      ++in_column[index_of(entry.column)];
    }
    terms_ = std::max(terms_, in_row);
  }
  for (const std::int64_t count : in_column) transpose_terms_ = std::max(transpose_terms_, count);
}

namespace {

// Flat index of (channel, y, x).
std::int64_t pixel(std::int64_t c, std::int64_t y, std::int64_t x, std::int64_t channels, const ConvMap::Extent& image,
                   bool channels_last) {
  return channels_last ? (y * image[1] + x) * channels + c : (c * image[0] + y) * image[1] + x;
}

struct Pixel {
  std::int64_t channel;
  std::int64_t y;
  std::int64_t x;
};

Pixel pixel_at(std::int64_t j, std::int64_t channels, const ConvMap::Extent& image, bool channels_last) {
  if (channels_last) return {j % channels, j / channels / image[1], j / channels % image[1]};
  return {j / (image[0] * image[1]), j / image[1] % image[0], j % image[1]};
}

void conv_row(const ConvMap& map, std::int64_t j, std::vector<LinearMap::Entry>& entries) {
  const std::int64_t in_group = map.in_channels / map.groups;
  const std::int64_t out_group = map.out_channels / map.groups;
  const auto weight = [&](std::int64_t o, std::int64_t i, std::int64_t ky, std::int64_t kx) {
    return map.weights[index_of(((o * in_group + i) * map.kernel[0] + ky) * map.kernel[1] + kx)];
  };
  if (!map.adjoint) {
    const Pixel p = pixel_at(j, map.out_channels, map.image_out, map.out_channels_last);
    for (std::int64_t i = 0; i < in_group; ++i) {
      for (std::int64_t ky = 0; ky < map.kernel[0]; ++ky) {
        const std::int64_t y = p.y * map.stride[0] - map.pad[0] + ky * map.dilation[0];
        if (y < 0 || y >= map.image_in[0]) continue;
        for (std::int64_t kx = 0; kx < map.kernel[1]; ++kx) {
          const std::int64_t x = p.x * map.stride[1] - map.pad[1] + kx * map.dilation[1];
          if (x < 0 || x >= map.image_in[1]) continue;
          const std::int64_t channel = p.channel / out_group * in_group + i;
          entries.push_back({pixel(channel, y, x, map.in_channels, map.image_in, map.in_channels_last),
                             weight(p.channel, i, ky, kx)});
        }
      }
    }
    return;
  }
  // The adjoint's component is a coordinate of the convolution's input image, and its operand the convolved one; the
  // orders are the adjoint's own.
  const Pixel p = pixel_at(j, map.in_channels, map.image_in, map.out_channels_last);
  const std::int64_t group = p.channel / in_group;
  for (std::int64_t ky = 0; ky < map.kernel[0]; ++ky) {
    const std::int64_t y = p.y + map.pad[0] - ky * map.dilation[0];
    if (y < 0 || y % map.stride[0] != 0 || y / map.stride[0] >= map.image_out[0]) continue;
    for (std::int64_t kx = 0; kx < map.kernel[1]; ++kx) {
      const std::int64_t x = p.x + map.pad[1] - kx * map.dilation[1];
      if (x < 0 || x % map.stride[1] != 0 || x / map.stride[1] >= map.image_out[1]) continue;
      for (std::int64_t o = group * out_group; o < (group + 1) * out_group; ++o) {
        entries.push_back(
            {pixel(o, y / map.stride[0], x / map.stride[1], map.out_channels, map.image_out, map.in_channels_last),
             weight(o, p.channel % in_group, ky, kx)});
      }
    }
  }
}

}  // namespace

void LinearMap::row(std::int64_t j, std::vector<Entry>& entries) const {
  entries.clear();
  if (const DenseMap* map = dense()) {
    const std::int64_t c = j % map->inner;
    const std::int64_t o = j / map->inner % map->rows;
    const std::int64_t a = j / (map->inner * map->rows);
    for (std::int64_t i = 0; i < map->columns; ++i) {
      entries.push_back({(a * map->columns + i) * map->inner + c, map->weights[index_of(o * map->columns + i)]});
    }
  } else if (const IndexMap* index_map = index()) {
    const std::int64_t i = index_map->source.empty() ? j : index_map->source[index_of(j)];
    if (i >= 0) entries.push_back({i, index_map->factor});
  } else if (const ScaleMap* scale_map = scale()) {
    const std::int64_t i = scale_map->source.empty() ? j : scale_map->source[index_of(j)];
    entries.push_back({i, scale_map->factors[index_of(j)]});
  } else if (const SparseMap* sparse_map = sparse()) {
    for (std::int64_t e = sparse_map->starts[index_of(j)]; e < sparse_map->starts[index_of(j) + 1]; ++e) {
      entries.push_back({sparse_map->columns[index_of(e)], sparse_map->weights[index_of(e)]});
    }
  } else {
    conv_row(*conv(), j, entries);
  }
}

void LinearMap::apply(std::span<const double> x, std::span<double> y, bool absolute) const {
  ensure(x.size() == index_of(in_) && y.size() == index_of(out_), "linear map: sizes do not fit");
  if (const IndexMap* map = index()) {
    const double factor = absolute ? 1.0 : map->factor;
    for (std::size_t j = 0; j < y.size(); ++j) {
      const std::int64_t i = map->source.empty() ? static_cast<std::int64_t>(j) : map->source[j];
      if (i >= 0) y[j] += factor * x[index_of(i)];
    }
    return;
  }
  if (dense() == nullptr) {
    std::vector<Entry> entries;
    for (std::int64_t j = 0; j < out_; ++j) {
      row(j, entries);
      double& sum = y[index_of(j)];
      for (const Entry& e : entries) sum += (absolute ? std::abs(e.weight) : e.weight) * x[index_of(e.column)];
    }
    return;
  }
  const DenseMap& map = *dense();
  for (std::int64_t a = 0; a < map.outer; ++a) {
    for (std::int64_t o = 0; o < map.rows; ++o) {
      for (std::int64_t i = 0; i < map.columns; ++i) {
        const double signed_weight = map.weights[index_of(o * map.columns + i)];
        const double weight = absolute ? std::abs(signed_weight) : signed_weight;
        for (std::int64_t c = 0; c < map.inner; ++c) {
          y[position(a, o, c, map.rows, map.inner)] += weight * x[position(a, i, c, map.columns, map.inner)];
        }
      }
    }
  }
}

void LinearMap::apply_transpose(std::span<const double> v, std::span<double> x, bool absolute) const {
  ensure(v.size() == index_of(out_) && x.size() == index_of(in_), "linear map: sizes do not fit");
  if (const IndexMap* map = index()) {
    const double factor = absolute ? 1.0 : map->factor;
    for (std::size_t j = 0; j < v.size(); ++j) {
      const std::int64_t i = map->source.empty() ? static_cast<std::int64_t>(j) : map->source[j];
      if (i >= 0) x[index_of(i)] += factor * v[j];
    }
    return;
  }
  if (dense() == nullptr) {
    std::vector<Entry> entries;
    for (std::int64_t j = 0; j < out_; ++j) {
      if (v[index_of(j)] == 0) continue;
      row(j, entries);
      for (const Entry& e : entries) {
        x[index_of(e.column)] += (absolute ? std::abs(e.weight) : e.weight) * v[index_of(j)];
      }
    }
    return;
  }
  const DenseMap& map = *dense();
  for (std::int64_t a = 0; a < map.outer; ++a) {
    for (std::int64_t o = 0; o < map.rows; ++o) {
      for (std::int64_t i = 0; i < map.columns; ++i) {
        const double signed_weight = map.weights[index_of(o * map.columns + i)];
        const double weight = absolute ? std::abs(signed_weight) : signed_weight;
        for (std::int64_t c = 0; c < map.inner; ++c) {
          x[position(a, i, c, map.columns, map.inner)] += weight * v[position(a, o, c, map.rows, map.inner)];
        }
      }
    }
  }
}

std::string LinearMap::print() const {
  if (const DenseMap* map = dense()) {
    return fmt::format("dense {}x{}x{}x{}", map->outer, map->rows, map->columns, map->inner);
  }
  if (scale() != nullptr) return fmt::format("scale {} <- {}", out_, in_);
  if (const SparseMap* map = sparse()) {
    return fmt::format("sparse {} <- {} ({} weights)", out_, in_, map->weights.size());
  }
  if (const ConvMap* map = conv()) {
    return fmt::format("{} {}x{}x{} -> {}x{}x{} kernel {}x{} stride {}x{} groups {}",
                       map->adjoint ? "adjoint conv" : "conv", map->in_channels, map->image_in[0], map->image_in[1],
                       map->out_channels, map->image_out[0], map->image_out[1], map->kernel[0], map->kernel[1],
                       map->stride[0], map->stride[1], map->groups);
  }
  const IndexMap& map = *index();
  const std::string_view sign = map.factor < 0 ? "-" : "";
  if (map.source.empty()) return fmt::format("{}identity {}", sign, map.out);
  return fmt::format("{}index {} <- {}", sign, map.out, map.in);
}

}  // namespace boundflow
