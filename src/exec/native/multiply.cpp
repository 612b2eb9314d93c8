// C = A B on packed B. A tile of rows x vectors of C stays in registers while k runs; each element of C is one chain of
// multiply-adds in ascending k, whatever tile it falls into, so that a row's result depends on neither the number of
// rows nor its place among them.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/trace.hpp"
#include "exec/native/kernels.hpp"
#include "exec/native/panel.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "exec/native/multiply.cpp"
#include "hwy/foreach_target.h"  // must come before highway.h
// clang-format off
#include "exec/native/access-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace boundflow::native {
namespace HWY_NAMESPACE {

// A stretch of a product's sum: `k` columns of A from `a` on, and the rows of B that meet them, from the first panel
// on.
template <class T>
struct Stretch {
  const T* a;
  const T* panels;
  std::int64_t panel_stride;
  std::int64_t k;
  const std::int32_t* live;  // which columns of A count, k of them, from live_base on; nullptr: the first k
  std::int64_t live_base;
};

// One tile's work. Longer sums are cut into passes; the partial sums between them rest in a buffer of their own and not
// in c, because with `add` the old value of c is added once, after the whole sum (one rounding, not k of them).
template <class T>
struct Tile {
  const Stretch<T>* stretches;
  std::size_t count;
  std::int64_t lda;
  std::int64_t first_a;  // of the tile's first row, from each stretch's `a` on
  std::int64_t panel;    // of the tile's first vector
  std::int64_t skip;     // to the first vector within its panel
  T* partial;            // [rows, vectors * lanes]
  bool from_partial;     // continue from the partial sums
  bool to_partial;       // leave the sums there
  T* c;
  std::int64_t ldc;
  std::int64_t columns;  // of c, from the tile's first on
  bool add;
};

// The most rows for each number of vectors: enough accumulators to hide the latency of multiply-add (8 and more), few
// enough to stay in registers, of which AVX-512 has 32 and the others 16.
inline constexpr bool kManyRegisters = HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3;
inline constexpr int kVectorsOfTile = kManyRegisters ? 4 : 2;
constexpr int max_rows(int vectors) {
  constexpr std::array<int, 9> sixteen = {0, 8, 6, 4, 2, 0, 0, 0, 1};
  constexpr std::array<int, 9> thirty_two = {0, 12, 12, 8, 6, 0, 0, 0, 3};
  return kManyRegisters ? thirty_two[vectors] : sixteen[vectors];
}

// Blocks of k keep the panel in use in the first-level cache, chunks of rows keep A in the second-level one.
inline constexpr std::int64_t kBlockOfK = 384;
inline constexpr std::int64_t kChunkOfRows = 96;

// Where the sums go: all of them, or the first `rest` columns of the last vector only.
template <bool kAdd, bool kWhole, class T, class V, int kRows, int kVectors>
HWY_INLINE void store_tile(const V (&sum)[kRows][kVectors], T* c, std::int64_t ldc, std::size_t rest) {
  const hn::ScalableTag<T> d;
  constexpr auto lanes = static_cast<std::int64_t>(hn::MaxLanes(hn::ScalableTag<T>()));
#pragma GCC unroll 12
  for (int r = 0; r < kRows; ++r, c += ldc) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      T* to = c + v * lanes;
      if (kWhole || v + 1 < kVectors) {
        hn::StoreU(kAdd ? hn::Add(hn::LoadU(d, to), sum[r][v]) : sum[r][v], d, to);
      } else {
        store_first(kAdd ? hn::Add(load_first(d, to, rest), sum[r][v]) : sum[r][v], d, to, rest);
      }
    }
  }
}

// kLive: only the live columns of A are met.
template <class T, int kRows, int kVectors, bool kLive>
void run_tile(const Tile<T>& tile) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr auto lanes = static_cast<std::int64_t>(hn::MaxLanes(hn::ScalableTag<T>()));
  constexpr std::int64_t width = kPanelWidth<T>;
  constexpr std::int64_t vectors_per_panel = width / lanes;

  V sum[kRows][kVectors];
  if (tile.from_partial) {
#pragma GCC unroll 12
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::LoadU(d, tile.partial + (r * kVectors + v) * lanes);
    }
  } else {
#pragma GCC unroll 12
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::Zero(d);
    }
  }

  for (std::size_t stretch = 0; stretch < tile.count; ++stretch) {
    const Stretch<T>& part = tile.stretches[stretch];
    const T* a[kRows];
#pragma GCC unroll 12
    for (int r = 0; r < kRows; ++r) a[r] = part.a + tile.first_a + r * tile.lda;
    // Tiles start at panels, or lie within one.
    const T* b[kVectors];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      b[v] = part.panels + (tile.panel + v / vectors_per_panel) * part.panel_stride + tile.skip +
             v % vectors_per_panel * lanes;
    }
    const std::int64_t k = part.k;
    const std::int32_t* const live = part.live;
    for (std::int64_t step = 0; step < k; ++step) {
      const std::int64_t p = kLive ? live[step] - part.live_base : step;
      V right[kVectors];
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) right[v] = hn::LoadU(d, b[v] + p * width);
#pragma GCC unroll 12
      for (int r = 0; r < kRows; ++r) {
        const V left = hn::Set(d, a[r][p]);
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::MulAdd(left, right[v], sum[r][v]);
      }
    }
  }

  if (tile.to_partial) {
#pragma GCC unroll 12
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) hn::StoreU(sum[r][v], d, tile.partial + (r * kVectors + v) * lanes);
    }
    return;
  }
  T* const c = tile.c;
  const std::int64_t ldc = tile.ldc;
  // Only the last vector of the last tile may reach beyond the matrix.
  const auto rest = static_cast<std::size_t>(tile.columns - (kVectors - 1) * lanes);
  if (rest >= static_cast<std::size_t>(lanes)) {
    tile.add ? store_tile<true, true>(sum, c, ldc, rest) : store_tile<false, true>(sum, c, ldc, rest);
  } else {
    tile.add ? store_tile<true, false>(sum, c, ldc, rest) : store_tile<false, false>(sum, c, ldc, rest);
  }
}

template <class T>
using TileFunction = void (*)(const Tile<T>&);

template <class T, int kVectors, bool kLive, int... kRows>
TileFunction<T> select_rows(int rows, std::integer_sequence<int, kRows...>) {
  static constexpr TileFunction<T> table[] = {&run_tile<T, kRows + 1, kVectors, kLive>...};
  return table[rows - 1];
}

template <class T, int kVectors, bool kLive = false>
TileFunction<T> select_rows(int rows) {
  return select_rows<T, kVectors, kLive>(rows, std::make_integer_sequence<int, max_rows(kVectors)>());
}

// The tiles that do most of the work know live columns; each costs code.
constexpr bool knows_live(int vectors) {
  return vectors == 1 || vectors == 2 || vectors == kVectorsOfTile;
}

template <class T>
TileFunction<T> select_tile(int rows, int vectors, bool live) {
  switch (vectors) {
    case 1:
      return live ? select_rows<T, 1, true>(rows) : select_rows<T, 1>(rows);
    case 2:
      return live ? select_rows<T, 2, true>(rows) : select_rows<T, 2>(rows);
    case 3:
      return select_rows<T, 3>(rows);
    case 4:
      return live && knows_live(4) ? select_rows<T, 4, true>(rows) : select_rows<T, 4>(rows);
    default:
      return select_rows<T, 8>(rows);
  }
}

// With few rows the tiles get wider, to have enough independent chains.
int choose_vectors(std::int64_t rows, std::int64_t vectors_left, std::int64_t vectors_per_panel) {
  for (const int vectors : {8, 4}) {
    if (vectors_left >= vectors && (rows <= max_rows(vectors) || vectors == kVectorsOfTile)) return vectors;
  }
  // Three vectors as the last tile, where they do not straddle panels in the middle.
  if (vectors_left == 3 && vectors_per_panel <= 2) return 3;
  return static_cast<int>(std::min<std::int64_t>(vectors_left, 2));
}

// Cuts the parts into stretches of at most about kBlockOfK columns, and gathers short ones into passes of that size.
// Without `live` all columns count.
template <class T>
class Passes {
 public:
  Passes(std::span<const ProductPart<T>> parts, bool live) : parts_(parts), live_(live) {}

  // The stretches of the next pass; false if there is none.
  bool next() {
    count_ = 0;
    std::int64_t columns = 0;
    while (part_ < parts_.size() && count_ < stretches_.size()) {
      const ProductPart<T>& part = parts_[part_];
      const bool live = live_ && part.live != nullptr;
      const std::int64_t all = live ? part.live_count : part.b.k;
      const std::int64_t blocks = std::max<std::int64_t>(1, (all + kBlockOfK - 1) / kBlockOfK);
      const std::int64_t first = block_ * all / blocks;
      const std::int64_t k = (block_ + 1) * all / blocks - first;
      if (count_ > 0 && columns + k > kBlockOfK) break;
      const std::int64_t skipped = live ? 0 : first;
      stretches_[count_++] = {part.a + skipped,
                              part.b.panels + skipped * kPanelWidth<T>,
                              part.b.panel_stride,
                              k,
                              live ? part.live + first : nullptr,
                              part.live_base};
      columns += k;
      if (++block_ == blocks) {
        ++part_;
        block_ = 0;
      }
    }
    return count_ > 0;
  }
  bool last() const { return part_ == parts_.size(); }
  const Stretch<T>* stretches() const { return stretches_.data(); }
  std::size_t count() const { return count_; }

 private:
  std::span<const ProductPart<T>> parts_;
  bool live_;
  std::size_t part_ = 0;
  std::int64_t block_ = 0;  // of the part
  std::array<Stretch<T>, kMostProductParts> stretches_;
  std::size_t count_ = 0;
};

template <class T>
void multiply_target(std::span<const ProductPart<T>> parts, std::int64_t lda, std::int64_t m, T* c, std::int64_t ldc,
                     bool accumulate) {
  const std::int64_t n = parts.front().b.n;
  if (m <= 0 || n <= 0) return;
  constexpr auto lanes = static_cast<std::int64_t>(hn::MaxLanes(hn::ScalableTag<T>()));
  constexpr std::int64_t width = kPanelWidth<T>;
  constexpr std::int64_t vectors_per_panel = width / lanes;
  const std::int64_t vectors = (n + lanes - 1) / lanes;
  const std::int64_t chunks = (m + kChunkOfRows - 1) / kChunkOfRows;
  const bool all_live =
      std::all_of(parts.begin(), parts.end(), [](const ProductPart<T>& part) { return part.live != nullptr; });
  // The partial sums of one tile column; `choose_vectors` gives at most this many vectors.
  constexpr std::int64_t kWidestTile = 8;
  HWY_ALIGN T partial[kChunkOfRows * kWidestTile * lanes];

  std::int64_t k_all = 0, k_live = 0;
  for (const ProductPart<T>& part : parts) {
    k_all += part.b.k;
    k_live += part.live_count;
  }

  for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
    const std::int64_t first_row = chunk * m / chunks;
    const std::int64_t rows = (chunk + 1) * m / chunks - first_row;
    for (std::int64_t vector = 0; vector < vectors;) {
      const int tile_vectors = choose_vectors(rows, vectors - vector, vectors_per_panel);
      // Blocks of nearly equal height: a short last block would not hide the latency.
      const std::int64_t row_blocks = (rows + max_rows(tile_vectors) - 1) / max_rows(tile_vectors);
      const std::int64_t height = rows / row_blocks, taller = rows % row_blocks;
      const bool live = all_live && knows_live(tile_vectors);
      const TileFunction<T> run = select_tile<T>(static_cast<int>(height), tile_vectors, live);
      const TileFunction<T> run_taller =
          taller == 0 ? run : select_tile<T>(static_cast<int>(height) + 1, tile_vectors, live);
      count_products(rows * tile_vectors * lanes * (live ? k_live : k_all));
      Passes<T> passes(parts, live);
      for (bool first = true; passes.next(); first = false) {
        Tile<T> tile;
        tile.stretches = passes.stretches();
        tile.count = passes.count();
        tile.lda = lda;
        tile.first_a = first_row * lda;
        tile.panel = vector / vectors_per_panel;
        tile.skip = vector % vectors_per_panel * lanes;
        tile.partial = partial;
        tile.from_partial = !first;
        tile.to_partial = !passes.last();
        tile.c = c + first_row * ldc + vector * lanes;
        tile.ldc = ldc;
        tile.columns = n - vector * lanes;
        tile.add = accumulate;
        for (std::int64_t block = 0; block < row_blocks; ++block) {
          const std::int64_t block_rows = block < taller ? height + 1 : height;
          (block < taller ? run_taller : run)(tile);
          tile.first_a += block_rows * lda;
          tile.partial += block_rows * tile_vectors * lanes;
          tile.c += block_rows * ldc;
        }
      }
      vector += tile_vectors;
    }
  }
}

// Columns that are not all zero, ascending: a term of zero changes no sum.
template <class T>
std::int64_t live_target(const T* a, std::int64_t lda, std::int64_t m, std::int64_t k, std::int32_t* live) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t count = 0;
  for (std::int64_t j = 0; j < k; j += lanes) {
    const auto count_here = static_cast<std::size_t>(std::min(lanes, k - j));
    const auto inside = hn::FirstN(d, count_here);
    auto all_zero = inside;
    for (std::int64_t i = 0; i < m; ++i) {
      all_zero = hn::And(all_zero, hn::Eq(load_first(d, a + i * lda + j, count_here), hn::Zero(d)));
    }
    std::uint8_t bits[8] = {};
    hn::StoreMaskBits(d, hn::AndNot(all_zero, inside), bits);
    for (std::int64_t lane = 0; lane < lanes; ++lane) {
      if ((bits[lane / 8] >> (lane % 8) & 1) != 0) live[count++] = static_cast<std::int32_t>(j + lane);
    }
  }
  return count;
}

std::int64_t live_float(const float* a, std::int64_t lda, std::int64_t m, std::int64_t k, std::int32_t* live) {
  return live_target(a, lda, m, k, live);
}

std::int64_t live_double(const double* a, std::int64_t lda, std::int64_t m, std::int64_t k, std::int32_t* live) {
  return live_target(a, lda, m, k, live);
}

void multiply_float(std::span<const ProductPart<float>> parts, std::int64_t lda, std::int64_t m, float* c,
                    std::int64_t ldc, bool accumulate) {
  multiply_target(parts, lda, m, c, ldc, accumulate);
}

void multiply_double(std::span<const ProductPart<double>> parts, std::int64_t lda, std::int64_t m, double* c,
                     std::int64_t ldc, bool accumulate) {
  multiply_target(parts, lda, m, c, ldc, accumulate);
}

const char* target_name() {
  return HWY_TARGET == HWY_SCALAR ? "scalar" : hwy::TargetName(HWY_TARGET);
}

}  // namespace HWY_NAMESPACE
}  // namespace boundflow::native
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace boundflow::native {

HWY_EXPORT(multiply_float);
HWY_EXPORT(multiply_double);
HWY_EXPORT(live_float);
HWY_EXPORT(live_double);
HWY_EXPORT(target_name);

template <>
void multiply<float>(std::span<const ProductPart<float>> parts, std::int64_t lda, std::int64_t m, float* c,
                     std::int64_t ldc, bool accumulate) {
  HWY_DYNAMIC_DISPATCH(multiply_float)(parts, lda, m, c, ldc, accumulate);
}

template <>
void multiply<double>(std::span<const ProductPart<double>> parts, std::int64_t lda, std::int64_t m, double* c,
                      std::int64_t ldc, bool accumulate) {
  HWY_DYNAMIC_DISPATCH(multiply_double)(parts, lda, m, c, ldc, accumulate);
}

template <>
std::int64_t live_columns<float>(const float* a, std::int64_t lda, std::int64_t m, std::int64_t k, std::int32_t* live) {
  return HWY_DYNAMIC_DISPATCH(live_float)(a, lda, m, k, live);
}

template <>
std::int64_t live_columns<double>(const double* a, std::int64_t lda, std::int64_t m, std::int64_t k,
                                  std::int32_t* live) {
  return HWY_DYNAMIC_DISPATCH(live_double)(a, lda, m, k, live);
}

const char* instruction_set() {
  return HWY_DYNAMIC_DISPATCH(target_name)();
}

namespace {

template <class T>
class NativeMultiplier final : public Multiplier<T> {
 public:
  void multiply(std::span<const ProductPart<T>> parts, std::int64_t lda, std::int64_t m, T* c, std::int64_t ldc,
                bool accumulate, const Places& places) const override {
    if (places.count == 1) return native::multiply(parts, lda, m, c, ldc, accumulate);
    std::array<ProductPart<T>, kMostProductParts> moved;
    std::copy(parts.begin(), parts.end(), moved.begin());
    for (std::int64_t k = 0; k < places.count; ++k, c += places.c_step) {
      native::multiply(std::span<const ProductPart<T>>(moved.data(), parts.size()), lda, m, c, ldc, accumulate);
      for (ProductPart<T>& part : moved) part.a += places.a_step;
    }
  }
};

}  // namespace

template <class T>
std::shared_ptr<const Multiplier<T>> native_multiplier() {
  static const auto multiplier = std::make_shared<const NativeMultiplier<T>>();
  return multiplier;
}

template std::shared_ptr<const Multiplier<float>> native_multiplier<float>();
template std::shared_ptr<const Multiplier<double>> native_multiplier<double>();

}  // namespace boundflow::native
#endif  // HWY_ONCE
