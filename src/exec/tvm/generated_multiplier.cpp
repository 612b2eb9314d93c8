#include "exec/tvm/generated_multiplier.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "base/trace.hpp"

namespace boundflow::generated {

namespace {

using native::ProductPart;

constexpr std::int64_t kWidth = native::kPanelWidth<float>;
// Rows whose operands stay in the second-level cache.
constexpr std::int64_t kMostRowsAtOnce = 96;

// Steps of a sum: which columns of the rows meet which rows of the matrix, both counted from the first part's.
class Steps {
 public:
  void collect(std::span<const ProductPart<float>> parts) {
    const bool all = std::none_of(parts.begin(), parts.end(), [](const auto& part) { return part.live != nullptr; });
    // Neighbouring pixels ask for the same.
    if (all && is_known(parts)) return;
    known_.clear();
    count_ = 0;
    for (const ProductPart<float>& part : parts) {
      const Place place = place_of(part, parts.front());
      if (all) known_.push_back(place);
      const std::int64_t count = part.live != nullptr ? part.live_count : part.b.k;
      if (std::ssize(columns_) < count_ + count) {
        columns_.resize(static_cast<std::size_t>(2 * (count_ + count)));
        rows_.resize(columns_.size());
      }
      list(part, place, count, columns_.data() + count_, rows_.data() + count_);
      count_ += count;
    }
  }
  std::int64_t count() const { return count_; }
  TensorArgument columns() { return {columns_.data(), true, std::span(&count_, 1)}; }
  TensorArgument rows() { return {rows_.data(), true, std::span(&count_, 1)}; }

 private:
  struct Place {
    std::int64_t column;
    std::int64_t row;
    std::int64_t count;
    bool operator==(const Place&) const = default;
  };
  static void list(const ProductPart<float>& part, const Place& place, std::int64_t count, std::int64_t* columns,
                   std::int64_t* rows) {
    if (part.live == nullptr) {
      std::iota(columns, columns + count, place.column);
      std::iota(rows, rows + count, place.row);
      return;
    }
    const std::int64_t column = place.column - part.live_base, row = place.row - part.live_base;
    for (std::int64_t s = 0; s < count; ++s) {
      columns[s] = part.live[s] + column;
      rows[s] = part.live[s] + row;
    }
  }
  static Place place_of(const ProductPart<float>& part, const ProductPart<float>& first) {
    return {part.a - first.a, (part.b.panels - first.b.panels) / kWidth, part.b.k};
  }
  bool is_known(std::span<const ProductPart<float>> parts) const {
    return std::equal(parts.begin(), parts.end(), known_.begin(), known_.end(),
                      [&](const auto& part, const Place& known) { return place_of(part, parts.front()) == known; });
  }

  std::vector<Place> known_;  // whose steps these are; empty where columns were left out
  std::vector<std::int64_t> columns_;
  std::vector<std::int64_t> rows_;
  std::int64_t count_ = 0;
};

void add_row(const float* from, std::int64_t columns, float* to) {
  for (std::int64_t j = 0; j < columns; ++j) to[j] += from[j];
}

// Rows are a few columns long: vectors that overlap take less time than a loop.
void copy_row(const float* from, std::int64_t columns, float* to) {
  constexpr std::int64_t kAtOnce = 4;
  if (columns < kAtOnce) {
    for (std::int64_t j = 0; j < columns; ++j) to[j] = from[j];
    return;
  }
  for (std::int64_t j = 0; j + kAtOnce <= columns; j += kAtOnce) std::memcpy(to + j, from + j, kAtOnce * sizeof(float));
  std::memcpy(to + columns - kAtOnce, from + columns - kAtOnce, kAtOnce * sizeof(float));
}

// Rows cut into `blocks` tiles of `height` rows, of which the first `taller` have one more.
struct Cut {
  std::int64_t height;
  std::int64_t blocks;
  std::int64_t taller;
};

// Tiles of nearly equal height: a short last one would not hide the latency. Tiles of two heights take two calls, which
// cost more than somewhat lower tiles where a call has few steps.
Cut cut(std::int64_t rows, std::int64_t most_rows, bool few_steps) {
  constexpr std::int64_t kLow = 4;
  for (std::int64_t height = most_rows; few_steps && height >= kLow; --height) {
    if (rows % height == 0) return {height, rows / height, 0};
  }
  const std::int64_t blocks = (rows + most_rows - 1) / most_rows;
  return {rows / blocks, blocks, rows % blocks};
}

// The same, mostly known from the last call: an image's pixels ask for one thing, and divisions take as long as some
// steps of a sum.
Cut find_cut(std::int64_t rows, std::int64_t most_rows, std::int64_t steps) {
  constexpr std::int64_t kFew = 160;
  struct Known {
    std::int64_t rows = 0, most_rows = 0;
    bool few_steps = false;
    Cut cut{};
  };
  thread_local Known known;
  const bool few_steps = steps < kFew;
  if (rows != known.rows || most_rows != known.most_rows || few_steps != known.few_steps) {
    known = {rows, most_rows, few_steps, cut(rows, most_rows, few_steps)};
  }
  return known.cut;
}

}  // namespace

// What kernels are to compute for some rows, at all places, from the first panel in `b` on.
struct GeneratedMultiplier::Product {
  const float* a;
  std::int64_t lda;
  native::PanelView<float> b;
  Steps* steps;  // nullptr: all rows of the packed matrix
  float* c;
  std::int64_t ldc;
  native::Places places;

  std::int64_t depth() const { return b.panel_stride / kWidth; }
  std::int64_t step_count() const { return steps == nullptr ? depth() : steps->count(); }
};

std::span<const Tile> known_tiles() {
  static constexpr Tile kKnown[] = {{1, 6}, {2, 3}, {1, 5}, {1, 4}};
  return kKnown;
}

bool is_known(const Tile& tile) {
  const auto tiles = known_tiles();
  return std::find(tiles.begin(), tiles.end(), tile) != tiles.end();
}

GeneratedMultiplier::GeneratedMultiplier(GeneratedKernels& kernels, const Tile& tile, KernelUse& use) : tile_(tile) {
  // Sums take 12 of AVX2's 16 registers, the right factor and the left one the others.
  if (kernels.cpu() != "x86-64-v3") throw InternalError("no tiles are known for " + kernels.cpu());
  constexpr std::pair<std::int64_t, std::int64_t> kTiles[] = {{4, 1}, {2, 3}, {1, 6}};
  const auto get = [&](Tiles& tiles, std::int64_t lanes, bool listed) {
    for (std::int64_t rows = 1; rows <= tiles.most_rows; ++rows) {
      (listed ? tiles.listed : tiles.whole)[static_cast<std::size_t>(rows - 1)] =
          kernels.get({kWidth, lanes, rows, tiles.panels, listed}, use);
    }
  };
  for (std::size_t k = 0; k < tiles_.size(); ++k) {
    std::tie(tiles_[k].panels, tiles_[k].most_rows) = kTiles[k];
    get(tiles_[k], kWidth, false);
    get(tiles_[k], kWidth, true);
  }
  std::tie(narrow_.panels, narrow_.most_rows) = kTiles[2];
  get(narrow_, kNarrow, true);
}

std::int64_t GeneratedMultiplier::lanes(std::int64_t columns, bool listed) {
  return listed && columns <= kNarrow ? kNarrow : kWidth;
}

GeneratedMultiplier::Choice GeneratedMultiplier::choose(std::int64_t rows, std::int64_t panels) const {
  for (const Tiles& tiles : tiles_) {
    const bool last = &tiles == &tiles_.back();
    if (panels >= tiles.panels && (rows <= tiles.most_rows || tiles.panels == tile_.panels || last)) {
      return {&tiles, tiles.panels == tile_.panels ? tile_.most_rows : tiles.most_rows, kWidth};
    }
  }
  throw InternalError("no tile fits");
}

void GeneratedMultiplier::multiply(std::span<const ProductPart<float>> parts, std::int64_t lda, std::int64_t m,
                                   float* c, std::int64_t ldc, bool accumulate, const native::Places& places) const {
  thread_local Steps steps;
  const ProductPart<float>& first = parts.front();
  Product product{first.a, lda, first.b, nullptr, c, ldc, places};
  if (parts.size() > 1 || first.live != nullptr || first.b.k != product.depth()) {
    steps.collect(parts);
    product.steps = &steps;
  }
  // Kernels write all of their lanes, and write only.
  const std::int64_t rest = first.b.n % kWidth;
  // The next place or row is written behind this one as long as there is one panel.
  const std::int64_t spare = first.b.n < kWidth ? places.spare : 0;
  const bool fits = rest == 0 || rest + spare >= lanes(rest, product.steps != nullptr);
  const std::int64_t direct = accumulate || product.step_count() == 0 ? 0 : fits ? first.b.n : first.b.n - rest;
  const auto multiply_rows = [&](std::int64_t row, std::int64_t rows) {
    product.a = first.a + row * lda;
    product.c = c + row * ldc;
    multiply_columns(product, rows, 0, direct);
    if (direct < first.b.n) multiply_aside(product, rows, direct / kWidth, accumulate);
  };
  if (m <= kMostRowsAtOnce) return multiply_rows(0, m);
  const std::int64_t chunks = (m + kMostRowsAtOnce - 1) / kMostRowsAtOnce;
  for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
    const std::int64_t row = chunk * m / chunks;
    multiply_rows(row, (chunk + 1) * m / chunks - row);
  }
}

// The panels from `panel` on, by way of memory of its own.
void GeneratedMultiplier::multiply_aside(Product product, std::int64_t rows, std::int64_t panel,
                                         bool accumulate) const {
  constexpr std::int64_t kMostSums = 8192;  // which stay in the first-level cache
  const std::int64_t columns = product.b.n - panel * kWidth;
  const std::int64_t whole = columns / kWidth * kWidth;
  const std::int64_t stride = whole + (whole < columns ? lanes(columns - whole, product.steps != nullptr) : 0);
  const std::int64_t at_once = std::clamp<std::int64_t>(kMostSums / (rows * stride), 1, product.places.count);
  thread_local std::vector<float> sums;
  sums.resize(static_cast<std::size_t>(at_once * rows * stride));
  float* out = product.c + panel * kWidth;
  const std::int64_t ld_out = product.ldc;
  const native::Places places = product.places;
  product.c = sums.data() - panel * kWidth;
  product.ldc = stride;
  product.places.c_step = rows * stride;
  for (std::int64_t first = 0; first < places.count; first += at_once) {
    product.places.count = std::min(at_once, places.count - first);
    if (product.step_count() > 0) {
      multiply_columns(product, rows, panel, columns);
    } else {
      std::fill(sums.begin(), sums.end(), 0.0F);
    }
    const float* from = sums.data();
    for (std::int64_t k = 0; k < product.places.count; ++k, out += places.c_step) {
      for (std::int64_t i = 0; i < rows; ++i, from += stride) {
        accumulate ? add_row(from, columns, out + i * ld_out) : copy_row(from, columns, out + i * ld_out);
      }
    }
    product.a += product.places.count * places.a_step;
  }
}

// So many columns from the panel on. What stands behind them is overwritten, as far as the lanes reach.
void GeneratedMultiplier::multiply_columns(const Product& product, std::int64_t rows, std::int64_t panel,
                                           std::int64_t columns) const {
  const bool listed = product.steps != nullptr;
  const std::int64_t rest = columns % kWidth;
  const bool narrow = rest > 0 && lanes(rest, listed) == kNarrow;
  const std::int64_t wide_end = panel + columns / kWidth + (rest > 0 && !narrow ? 1 : 0);
  while (panel < wide_end) {
    const Choice choice = choose(rows, wide_end - panel);
    const std::int64_t groups = (wide_end - panel) / choice.tiles->panels;
    multiply_panels(product, rows, choice, panel, groups);
    panel += groups * choice.tiles->panels;
  }
  if (narrow) multiply_panels(product, rows, {&narrow_, narrow_.most_rows, kNarrow}, panel, 1);
}

// By groups of panels of these tiles.
void GeneratedMultiplier::multiply_panels(const Product& product, std::int64_t rows, const Choice& choice,
                                          std::int64_t panel, std::int64_t groups) const {
  const Tiles& tiles = *choice.tiles;
  count_products(product.places.count * rows * groups * tiles.panels * choice.lanes * product.step_count());
  const auto [height, blocks, taller] = find_cut(rows, choice.most_rows, product.places.count * product.step_count());
  const std::int64_t depth = product.depth();
  const std::int64_t b_shape[] = {groups, tiles.panels, depth, kWidth};
  const TensorArgument b{const_cast<float*>(product.b.panels + panel * product.b.panel_stride), false, b_shape};
  const auto run = [&](std::int64_t tile_rows, std::int64_t first_row, std::int64_t tile_count) {
    if (tile_count == 0) return;
    const native::Places& places = product.places;
    const std::int64_t a_shape[] = {places.count, tile_count, 1, tile_rows, depth};
    const std::int64_t a_strides[] = {places.a_step, tile_rows * product.lda, 0, product.lda, 1};
    const TensorArgument a{const_cast<float*>(product.a + first_row * product.lda), false, a_shape, a_strides};
    const std::int64_t c_shape[] = {places.count, tile_count, 1, tile_rows, groups, tiles.panels, choice.lanes};
    const std::int64_t c_strides[] = {
        places.c_step, tile_rows * product.ldc, 0, product.ldc, tiles.panels * kWidth, kWidth, 1};
    const TensorArgument c{product.c + first_row * product.ldc + panel * kWidth, false, c_shape, c_strides};
    const auto at = static_cast<std::size_t>(tile_rows - 1);
    if (product.steps == nullptr) {
      tiles.whole[at]->run(std::array{a, b, c});
    } else {
      tiles.listed[at]->run(std::array{a, b, product.steps->columns(), product.steps->rows(), c});
    }
  };
  run(height + 1, 0, taller);
  run(height, taller * (height + 1), blocks - taller);
}

}  // namespace boundflow::generated
