#include "exec/tvm/product_map.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "base/trace.hpp"
#include "exec/native/kernels.hpp"

namespace boundflow::generated {

namespace {

using native::Direction;

// Generated code reads and writes whole vectors at addresses that it takes for multiples of this.
constexpr std::size_t kAlignment = 64;
constexpr std::int64_t kWidth = native::kPanelWidth<float>;

// The largest divisor of `count` up to `most`.
std::int64_t group(std::int64_t count, std::int64_t most) {
  while (count % most != 0) --most;
  return most;
}

class ProductMap final : public native::MapKernel<float> {
 public:
  ProductMap(const DenseMap& map, Direction direction, GeneratedKernels& kernels)
      : outer_(map.outer),
        // Rows W: W itself is the right factor; x W^T: its transpose.
        packed_(map.weights, direction == Direction::Transpose ? map.rows : map.columns,
                direction == Direction::Transpose ? map.columns : map.rows, direction != Direction::Transpose,
                direction == Direction::ForwardAbsolute),
        panels_((packed_.n() + kWidth - 1) / kWidth) {
    const Tiling tiling = tiling_of(kernels.cpu());
    tile_rows_ = tiling.rows;
    const auto kernel = [&](std::int64_t rows, std::int64_t panels_at_once, bool live = false) {
      return kernels.get({packed_.k(), panels_, kWidth, rows, panels_at_once, live});
    };
    tile_ = kernel(tile_rows_, 1);
    row_ = kernel(1, group(panels_, tiling.most_panels));
    // Rows that have come through a relaxation are zero in the columns of all dead neurons.
    if (direction == Direction::Transpose && outer_ == 1) live_tile_ = kernel(tile_rows_, 1, true);
  }

  void apply(const float* in, std::int64_t ld, std::int64_t count, float* out, std::int64_t ld_out,
             bool accumulate) const override {
    if (outer_ == 1) return multiply(in, ld, count, out, ld_out, accumulate);
    for (std::int64_t i = 0; i < count; ++i) {
      multiply(in + i * ld, packed_.k(), outer_, out + i * ld_out, packed_.n(), accumulate);
    }
  }

  std::int64_t bytes() const override { return packed_.bytes(); }

 private:
  void multiply(const float* in, std::int64_t ld, std::int64_t count, float* out, std::int64_t ld_out,
                bool accumulate) const {
    // So many rows that their operands and results stay in the second-level cache.
    constexpr std::int64_t kRows = 96;
    const std::int64_t most_tiles = kRows / tile_rows_;
    thread_local std::vector<std::int32_t> columns;
    std::span<const std::int32_t> live;
    const std::int64_t k = packed_.k();
    if (live_tile_ && count >= tile_rows_) {
      columns.resize(static_cast<std::size_t>(k));
      const std::int64_t found = native::live_columns(in, ld, count, k, columns.data());
      if (found > 0 && found <= k - k / 8) live = std::span(columns).first(static_cast<std::size_t>(found));
    }
    const GeneratedKernel& tile = live.empty() ? *tile_ : *live_tile_;
    std::int64_t done = 0;
    while (count - done >= tile_rows_) {
      const std::int64_t tiles = std::min((count - done) / tile_rows_, most_tiles);
      run(tile, live, tile_rows_, in + done * ld, ld, tiles, 0, out + done * ld_out, ld_out, accumulate);
      done += tiles * tile_rows_;
    }
    if (done == count) return;
    if (count > tile_rows_ && count - done > tile_rows_ / 3) {
      // The last whole tile, of which the rows that are done already are left as they are.
      const std::int64_t first = count - tile_rows_;
      run(tile, live, tile_rows_, in + first * ld, ld, 1, done - first, out + done * ld_out, ld_out, accumulate);
    } else {
      run(*row_, {}, 1, in + done * ld, ld, count - done, 0, out + done * ld_out, ld_out, accumulate);
    }
  }

  // Rows [skipped, tiles * rows) of the product to `out`. `live`: the columns of the operand that count, if the kernel
  // takes a list of them.
  void run(const GeneratedKernel& kernel, std::span<const std::int32_t> live, std::int64_t rows, const float* in,
           std::int64_t ld, std::int64_t tiles, std::int64_t skipped, float* out, std::int64_t ld_out,
           bool accumulate) const {
    const std::int64_t columns = panels_ * kWidth;
    thread_local std::vector<float> storage;
    storage.resize(static_cast<std::size_t>(tiles * rows * columns) + kAlignment / sizeof(float));
    void* begin = storage.data();
    std::size_t space = storage.size() * sizeof(float);
    auto* const sums = static_cast<float*>(std::align(kAlignment, sizeof(float), begin, space));
    const TensorArgument a{const_cast<float*>(in), {tiles, rows, ld}};
    const TensorArgument b{const_cast<float*>(packed_.view().panels), {panels_, packed_.k(), kWidth}};
    const TensorArgument c{sums, {tiles, rows, panels_, kWidth}};
    if (live.empty()) {
      kernel.run(std::array{a, b, c});
    } else {
      const TensorArgument list{const_cast<std::int32_t*>(live.data()), {std::ssize(live)}, true};
      kernel.run(std::array{a, b, list, c});
    }
    count_products(tiles * rows * columns * (live.empty() ? packed_.k() : std::ssize(live)));
    for (std::int64_t i = skipped; i < tiles * rows; ++i, out += ld_out) {
      const float* const sum = sums + i * columns;
      if (accumulate) {
        for (std::int64_t j = 0; j < packed_.n(); ++j) out[j] += sum[j];
      } else {
        std::copy_n(sum, packed_.n(), out);
      }
    }
  }

  std::int64_t outer_;
  native::PackedMatrix<float> packed_;
  std::int64_t panels_;
  std::int64_t tile_rows_ = 0;
  std::shared_ptr<const GeneratedKernel> tile_;
  std::shared_ptr<const GeneratedKernel> row_;
  std::shared_ptr<const GeneratedKernel> live_tile_;  // of rows Lambda
};

const char* reason_for_native(const LinearMap& map) {
  if (map.index() != nullptr) return "it moves numbers and multiplies none";
  if (map.scale() != nullptr) return "one multiplication per component";
  if (map.conv() != nullptr) return "there is no template of convolutions yet";
  if (map.dense() == nullptr) return "there is no template of sparse maps";
  if (map.dense()->inner != 1) return "its axis is strided";
  if (map.dense()->rows == 0 || map.dense()->columns == 0) return "it is empty";
  return nullptr;
}

}  // namespace

Tiling tiling_of(const std::string& cpu) {
  // Sums of a tile take 12 of AVX2's 16 registers, the right factor and the left one the others.
  if (cpu == "x86-64-v3") return {.rows = 6, .most_panels = 4};
  throw InternalError("no tiles are known for " + cpu);
}

std::unique_ptr<const native::MapKernel<float>> make_generated_map(const LinearMap& map, Direction direction,
                                                                   GeneratedKernels& kernels) {
  if (const char* reason = reason_for_native(map)) {
    kernels.leave_to_native(map.print(), reason);
    return nullptr;
  }
  return std::make_unique<ProductMap>(*map.dense(), direction, kernels);
}

}  // namespace boundflow::generated
