#pragma once
// What Gemm and MatMul share: the product with a constant matrix as a LinearMap.

#include <memory>
#include <vector>

#include "ir/facet.hpp"
#include "ir/network.hpp"

namespace boundflow {

// sum_k a(k) b(k) for k < terms, in T with ascending order of terms.
template <class T, class A, class B>
T dot(std::int64_t terms, A&& a, B&& b) {
  T sum = 0;
  for (std::int64_t k = 0; k < terms; ++k) sum += a(k) * b(k);
  return sum;
}

// Element (row, column) of a matrix stored row-major, or of its transpose stored row-major.
inline std::size_t matrix_index(std::int64_t row, std::int64_t column, std::int64_t rows, std::int64_t columns,
                                bool transposed) {
  return static_cast<std::size_t>(transposed ? column * rows + row : row * columns + column);
}

// y[m, n] = sum_k x[m, k] w[k, n] for a variable x [m, k], or y[m, n] = sum_k w[m, k] x[k, n] for a variable x [k, n].
// `transposed` says that x is stored as its transpose, whose layout a DenseMap may not be able to express: then the
// matrix over all elements is written out, or the node refused where that is too large.
struct MatrixProduct {
  std::int64_t m = 0;
  std::int64_t k = 0;
  std::int64_t n = 0;
  bool variable_left = true;
  bool transposed = false;
};
// `weights` are w with k varying fastest: [n, k] for a variable on the left, [m, k] for one on the right.
std::shared_ptr<const LinearMap> product_map(const NodeView& node, const MatrixProduct& product,
                                             std::vector<double> weights);

// A matrix [a, b] as [b, a].
Tensor transposed_matrix(const Tensor& matrix);

// A matrix [a, b] as [b, a].
Tensor transposed_matrix(const Tensor& matrix);

// Additions that a component of the node takes: one less than its terms, a bias that is not zero included.
std::int64_t additions(const Affine& affine);

// A map written out as a full matrix [out, in] from its entries, or the node refused where that is too large.
DenseMap full_matrix(const NodeView& node, std::int64_t out, std::int64_t in);

}  // namespace boundflow
