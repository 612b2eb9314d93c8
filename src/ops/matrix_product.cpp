#include "ops/matrix_product.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/limits.hpp"

namespace boundflow {

DenseMap full_matrix(const NodeView& node, std::int64_t out, std::int64_t in) {
  if (in > 0 && out > kMaxStoredNumbers / in) {
    node.unsupported(fmt::format("a {} x {} matrix would be needed for this layout", out, in));
  }
  return DenseMap{1, out, in, 1, std::vector<double>(static_cast<std::size_t>(out * in), 0.0)};
}

std::shared_ptr<const LinearMap> product_map(const NodeView& node, const MatrixProduct& p,
                                             std::vector<double> weights) {
  const auto dense = [&](std::int64_t outer, std::int64_t inner) {
    const std::int64_t rows = p.variable_left ? p.n : p.m;
    return std::make_shared<const LinearMap>(DenseMap{outer, rows, p.k, inner, std::move(weights)});
  };
  if (p.variable_left) {
    // x is [m, k], or stored [k, m]: the same order if one of them is 1.
    if (!p.transposed || p.m == 1 || p.k == 1) return dense(p.m, 1);
    if (p.n == 1) return dense(1, p.m);
  } else {
    // x is [k, n], or stored [n, k].
    if (!p.transposed || p.n == 1 || p.k == 1) return dense(1, p.n);
    if (p.m == 1) return dense(p.n, 1);
  }
  const std::int64_t in = p.k * (p.variable_left ? p.m : p.n);
  DenseMap map = full_matrix(node, p.m * p.n, in);
  for (std::int64_t m = 0; m < p.m; ++m) {
    for (std::int64_t n = 0; n < p.n; ++n) {
      for (std::int64_t k = 0; k < p.k; ++k) {
        const std::size_t column =
            p.variable_left ? matrix_index(m, k, p.m, p.k, true) : matrix_index(k, n, p.k, p.n, true);
        map.weights[static_cast<std::size_t>((m * p.n + n) * in) + column] =
            weights[static_cast<std::size_t>((p.variable_left ? n : m) * p.k + k)];
      }
    }
  }
  return std::make_shared<const LinearMap>(std::move(map));
}

Tensor transposed_matrix(const Tensor& matrix) {
  const auto rows = static_cast<std::size_t>(matrix.shape().at(0));
  const auto columns = static_cast<std::size_t>(matrix.shape().at(1));
  return std::visit(
      [&](auto copy) {
        const auto& elements = std::get<decltype(copy)>(matrix.data());
        for (std::size_t c = 0; c < columns; ++c) {
          for (std::size_t r = 0; r < rows; ++r) copy[c * rows + r] = elements[r * columns + c];
        }
        return Tensor({matrix.shape()[1], matrix.shape()[0]}, std::move(copy));
      },
      matrix.data());
}

std::int64_t additions(const Affine& affine) {
  std::int64_t terms = std::any_of(affine.bias.begin(), affine.bias.end(), [](double b) { return b != 0; }) ? 1 : 0;
  for (const AffineTerm& term : affine.terms) terms += term.map->terms();
  return std::max<std::int64_t>(terms - 1, 0);
}

}  // namespace boundflow
