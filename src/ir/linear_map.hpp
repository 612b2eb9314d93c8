#pragma once
// LinearMap: the closed vocabulary of linear operators y = M x on flat row-major vectors that lowering speaks and
// executors implement. The functions here give each map's meaning in plain loops; executors bring kernels.

#include <array>
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

// y[j] = factors[j] * x[source[j]]: one term per component, such as a product with constants or a batch normalisation.
// An empty source is the identity (out == in). Factors are finite.
struct ScaleMap {
  std::int64_t out = 0;
  std::int64_t in = 0;
  std::vector<std::int64_t> source;
  std::vector<double> factors;  // [out]
};

// y[j] = sum of weights[e] * x[columns[e]] for starts[j] <= e < starts[j + 1]: what none of the others can express.
struct SparseMap {
  std::int64_t out = 0;
  std::int64_t in = 0;
  std::vector<std::int64_t> starts;   // [out + 1]
  std::vector<std::int64_t> columns;  // each column once per component
  std::vector<double> weights;        // finite
};

// A convolution of one image, or its adjoint (ONNX's ConvTranspose) if `adjoint`. The convolution takes an image
// [in_channels, image_in] to [out_channels, image_out]:
//   y[o, p] = sum_{i, k} W[o, i - group, k] x[i, p * stride - pad + k * dilation], 0 outside the image,
// with two spatial axes (one has extent 1 for 1-D). Vectors are row-major [channels, height, width], or
// [height, width, channels] where `channels_last` says so.
struct ConvMap {
  using Extent = std::array<std::int64_t, 2>;  // height, width
  bool adjoint = false;
  std::int64_t groups = 1;
  std::int64_t in_channels = 0;
  std::int64_t out_channels = 0;
  Extent image_in{1, 1};
  Extent image_out{1, 1};
  Extent kernel{1, 1};
  Extent stride{1, 1};
  Extent dilation{1, 1};
  Extent pad{0, 0};             // before the first row and column; what is needed after the last follows from image_out
  std::vector<double> weights;  // [out_channels, in_channels / groups, kernel], finite
  bool in_channels_last = false;
  bool out_channels_last = false;
};

class LinearMap {
 public:
  // `weight_error`: how far each weight may be from the number that it stands for, relative to that number; 0 for
  // weights that are the network's own. InternalError on sizes that do not fit.
  explicit LinearMap(DenseMap map, double weight_error = 0);
  explicit LinearMap(IndexMap map);
  explicit LinearMap(ScaleMap map, double weight_error = 0);
  explicit LinearMap(SparseMap map, double weight_error = 0);
  explicit LinearMap(ConvMap map, double weight_error = 0);
  static LinearMap identity(std::int64_t size, double factor = 1) {
    return LinearMap(IndexMap{size, size, {}, factor});
  }

  const DenseMap* dense() const { return std::get_if<DenseMap>(&map_); }
  const IndexMap* index() const { return std::get_if<IndexMap>(&map_); }
  const ScaleMap* scale() const { return std::get_if<ScaleMap>(&map_); }
  const SparseMap* sparse() const { return std::get_if<SparseMap>(&map_); }
  const ConvMap* conv() const { return std::get_if<ConvMap>(&map_); }
  std::int64_t out_size() const { return out_; }
  std::int64_t in_size() const { return in_; }
  bool is_identity() const { return index() && index()->source.empty() && index()->factor == 1; }

  // The largest number of non-zero terms in one component of M x and of M^T v: the n of gamma_n. 0 or 1 with an index
  // map means that the product is exact.
  std::int64_t terms() const { return terms_; }
  std::int64_t transpose_terms() const { return transpose_terms_; }
  // True if applying the map (its transpose) rounds at all.
  bool rounds() const { return index() == nullptr; }
  bool transpose_rounds() const { return rounds() || transpose_terms_ > 1; }
  // True unless every weight is zero or a power of two, so that its product is exact.
  bool products_round() const { return products_round_; }
  double max_abs_weight() const { return max_abs_weight_; }
  double weight_error() const { return weight_error_; }
  // True if every weight is a float32, so that packing it into float kernels loses nothing.
  bool exact_in_float32() const { return exact_in_float32_; }

  // True if a weight below the normal floats is not a float32, so that rounding it has no bound relative to it.
  bool loses_subnormals_in_float32() const { return loses_subnormals_in_float32_; }

  // The weights of component j, each column once, zeros left out or not: the meaning of every map in one place.
  struct Entry {
    std::int64_t column;
    double weight;
  };
  void row(std::int64_t j, std::vector<Entry>& entries) const;

  // y += M x, y += |M| x, v -> x += M^T v, x += |M|^T v in double, round-to-nearest, ascending order of terms.
  void apply(std::span<const double> x, std::span<double> y, bool absolute = false) const;
  void apply_transpose(std::span<const double> v, std::span<double> x, bool absolute = false) const;

  std::string print() const;  // "dense 1x50x5x1", "index 5 <- 5", "identity 5", "conv 8x3x4x4 ..."

 private:
  void count_terms();
  void note_weight(double weight);

  std::variant<DenseMap, IndexMap, ScaleMap, SparseMap, ConvMap> map_;
  std::int64_t out_ = 0;
  std::int64_t in_ = 0;
  std::int64_t terms_ = 0;
  std::int64_t transpose_terms_ = 0;
  bool products_round_ = false;
  double max_abs_weight_ = 0;
  double weight_error_ = 0;
  bool exact_in_float32_ = true;
  bool loses_subnormals_in_float32_ = false;
};

}  // namespace boundflow
