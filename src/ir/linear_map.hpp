#pragma once
// LinearMap: the closed vocabulary of linear operators y = M x on flat row-major vectors that lowering speaks and
// executors implement. The functions here give each map's meaning in plain loops; executors bring kernels.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace boundflow {

// y[a, o, c] = sum_i W[o, i] x[a, i, c]: a matrix on one axis, the same for every outer and inner index. A plain matrix
// has outer = inner = 1; MatMul with the constant on the right has inner = 1, with it on the left outer = 1.
struct DenseMap {
  std::int64_t outer = 1;
  std::int64_t rows = 0;     // o
  std::int64_t columns = 0;  // i
  std::int64_t inner = 1;
  std::vector<double> weights;  // [rows, columns], row-major, finite
};

// y[j] = factor * x[source[j]], or 0 where source[j] is -1. An empty source is the identity (out == in). factor is +1
// or -1, so every product is exact.
struct IndexMap {
  std::int64_t out = 0;
  std::int64_t in = 0;
  std::vector<std::int64_t> source;
  double factor = 1;
};

class LinearMap {
 public:
  // InternalError on sizes that do not fit.
  explicit LinearMap(DenseMap map);
  explicit LinearMap(IndexMap map);
  static LinearMap identity(std::int64_t size, double factor = 1) {
    return LinearMap(IndexMap{size, size, {}, factor});
  }

  const DenseMap* dense() const { return std::get_if<DenseMap>(&map_); }
  const IndexMap* index() const { return std::get_if<IndexMap>(&map_); }
  std::int64_t out_size() const { return out_; }
  std::int64_t in_size() const { return in_; }
  bool is_identity() const { return index() && index()->source.empty() && index()->factor == 1; }

  // The largest number of non-zero terms in one component of M x and of M^T v: the n of gamma_n. 0 or 1 with an index
  // map means that the product is exact.
  std::int64_t terms() const { return terms_; }
  std::int64_t transpose_terms() const { return transpose_terms_; }
  // True if applying the map (its transpose) rounds at all.
  bool rounds() const { return dense() != nullptr; }
  bool transpose_rounds() const { return dense() != nullptr || transpose_terms_ > 1; }
  // True unless every weight is zero or a power of two, so that its product is exact.
  bool products_round() const { return products_round_; }
  double max_abs_weight() const { return max_abs_weight_; }
  // True if every weight is a float32, so that packing it into float kernels loses nothing.
  bool exact_in_float32() const { return exact_in_float32_; }

  // True if a weight below the normal floats is not a float32, so that rounding it has no bound relative to it.
  bool loses_subnormals_in_float32() const { return loses_subnormals_in_float32_; }

  // y += M x, y += |M| x, v -> x += M^T v, x += |M|^T v in double, round-to-nearest, ascending order of terms.
  void apply(std::span<const double> x, std::span<double> y, bool absolute = false) const;
  void apply_transpose(std::span<const double> v, std::span<double> x, bool absolute = false) const;

  std::string print() const;  // "dense 1x50x5x1", "index 5 <- 5", "identity 5"

 private:
  std::variant<DenseMap, IndexMap> map_;
  std::int64_t out_ = 0;
  std::int64_t in_ = 0;
  std::int64_t terms_ = 0;
  std::int64_t transpose_terms_ = 0;
  bool products_round_ = false;
  double max_abs_weight_ = 0;
  bool exact_in_float32_ = true;
  bool loses_subnormals_in_float32_ = false;
};

}  // namespace boundflow
