#include "ir/linear_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

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

bool is_power_of_two(double x) {
  int exponent = 0;
  return std::abs(std::frexp(x, &exponent)) == 0.5;
}

}  // namespace

LinearMap::LinearMap(DenseMap map) {
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
      ensure(std::isfinite(weight), "dense map: weights must be finite");
      if (weight == 0) continue;
      ++in_row;
      products_round_ = products_round_ || !is_power_of_two(weight);
      ++in_column[index_of(i)];
      max_abs_weight_ = std::max(max_abs_weight_, std::abs(weight));
      const bool exact = is_float32(weight);
      exact_in_float32_ = exact_in_float32_ && exact;
      loses_subnormals_in_float32_ = loses_subnormals_in_float32_ || (!exact && std::abs(weight) < kSmallestNormal32);
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
  const IndexMap& map = *index();
  const std::string_view sign = map.factor < 0 ? "-" : "";
  if (map.source.empty()) return fmt::format("{}identity {}", sign, map.out);
  return fmt::format("{}index {} <- {}", sign, map.out, map.in);
}

}  // namespace boundflow
