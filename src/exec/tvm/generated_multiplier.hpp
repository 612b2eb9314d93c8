#pragma once
// GeneratedMultiplier: the products of matrices and convolutions by kernels that TVM has compiled.

#include <array>
#include <memory>
#include <span>

#include "exec/native/kernels.hpp"
#include "exec/tvm/generated_kernels.hpp"

namespace boundflow::generated {

// A tile of many rows: whose sums are in registers together.
struct Tile {
  std::int64_t panels = 1;
  std::int64_t most_rows = 6;
  bool operator==(const Tile&) const = default;
};
// Those that are worth trying; the default first.
std::span<const Tile> known_tiles();
bool is_known(const Tile& tile);

class GeneratedMultiplier final : public native::Multiplier<float> {
 public:
  // Notes in `use` where the kernels were. InternalError for a CPU whose tiles are not known; throws what
  // GeneratedKernels::get throws.
  GeneratedMultiplier(GeneratedKernels& kernels, const Tile& tile, KernelUse& use);

  // A row's result depends neither on the number of rows nor on its place among them.
  void multiply(std::span<const native::ProductPart<float>> parts, std::int64_t lda, std::int64_t m, float* c,
                std::int64_t ldc, bool accumulate, const native::Places& places) const override;

 private:
  static constexpr std::int64_t kMostRows = 6;
  struct Tiles {
    std::int64_t panels = 0;
    std::int64_t most_rows = 0;
    // By rows - 1: products with all of a matrix, and those with parts of it and with columns left out.
    std::array<std::shared_ptr<const LoadedKernel>, kMostRows> whole;
    std::array<std::shared_ptr<const LoadedKernel>, kMostRows> listed;
  };
  // Which of them for so many rows and panels, and how high; and how many columns of each panel.
  struct Choice {
    const Tiles* tiles;
    std::int64_t most_rows;
    std::int64_t lanes;
  };
  struct Product;
  static constexpr std::int64_t kNarrow = 8;  // columns, of AVX2 one vector
  // How many columns kernels compute where `columns`, fewer than a panel's, are asked for.
  static std::int64_t lanes(std::int64_t columns, bool listed);
  void multiply_columns(const Product& product, std::int64_t rows, std::int64_t panel, std::int64_t columns) const;
  void multiply_panels(const Product& product, std::int64_t rows, const Choice& choice, std::int64_t panel,
                       std::int64_t groups) const;
  void multiply_aside(Product product, std::int64_t rows, std::int64_t panel, bool accumulate) const;
  Choice choose(std::int64_t rows, std::int64_t panels) const;

  std::array<Tiles, 3> tiles_;  // the widest first; the last is one panel wide
  Tiles narrow_;                // of the first kNarrow columns of a panel, listed only: for convolutions
  Tile tile_;
};

}  // namespace boundflow::generated
