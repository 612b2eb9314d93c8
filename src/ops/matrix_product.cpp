#include "ops/matrix_product.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/limits.hpp"

namespace boundflow {

namespace {

DenseMap left_product(const MatrixProduct& p, const std::function<double(std::int64_t, std::int64_t)>& weight,
                      std::int64_t outer, std::int64_t inner) {
  DenseMap map{outer, p.n, p.k, inner, {}};
  map.weights.reserve(static_cast<std::size_t>(p.n * p.k));
  for (std::int64_t n = 0; n < p.n; ++n) {
    for (std::int64_t k = 0; k < p.k; ++k) map.weights.push_back(weight(k, n));
  }
  return map;
}

DenseMap right_product(const MatrixProduct& p, const std::function<double(std::int64_t, std::int64_t)>& weight,
                       std::int64_t outer, std::int64_t inner) {
  DenseMap map{outer, p.m, p.k, inner, {}};
  map.weights.reserve(static_cast<std::size_t>(p.m * p.k));
  for (std::int64_t m = 0; m < p.m; ++m) {
    for (std::int64_t k = 0; k < p.k; ++k) map.weights.push_back(weight(m, k));
  }
  return map;
}

}  // namespace

DenseMap full_matrix(const NodeView& node, std::int64_t out, std::int64_t in) {
  if (in > 0 && out > kMaxStoredNumbers / in) {
    node.unsupported(fmt::format("a {} x {} matrix would be needed for this layout", out, in));
  }
  return DenseMap{1, out, in, 1, std::vector<double>(static_cast<std::size_t>(out * in), 0.0)};
}

std::shared_ptr<const LinearMap> product_map(const NodeView& node, const MatrixProduct& p,
                                             const std::function<double(std::int64_t, std::int64_t)>& weight) {
  const auto share = [](DenseMap map) { return std::make_shared<const LinearMap>(std::move(map)); };
  if (p.variable_left) {
    // x is [m, k], or stored [k, m]: the same order if one of them is 1.
    if (!p.transposed || p.m == 1 || p.k == 1) return share(left_product(p, weight, p.m, 1));
    if (p.n == 1) return share(left_product(p, weight, 1, p.m));
  } else {
    // x is [k, n], or stored [n, k].
    if (!p.transposed || p.n == 1 || p.k == 1) return share(right_product(p, weight, 1, p.n));
    if (p.m == 1) return share(right_product(p, weight, p.n, 1));
  }
  const std::int64_t in = p.k * (p.variable_left ? p.m : p.n);
  DenseMap map = full_matrix(node, p.m * p.n, in);
  for (std::int64_t m = 0; m < p.m; ++m) {
    for (std::int64_t n = 0; n < p.n; ++n) {
      for (std::int64_t k = 0; k < p.k; ++k) {
        const std::size_t column =
            p.variable_left ? matrix_index(m, k, p.m, p.k, true) : matrix_index(k, n, p.k, p.n, true);
        map.weights[static_cast<std::size_t>((m * p.n + n) * in) + column] =
            p.variable_left ? weight(k, n) : weight(m, k);
      }
    }
  }
  return share(std::move(map));
}

std::int64_t additions(const Affine& affine) {
  std::int64_t terms = std::any_of(affine.bias.begin(), affine.bias.end(), [](double b) { return b != 0; }) ? 1 : 0;
  for (const AffineTerm& term : affine.terms) terms += term.map->terms();
  return std::max<std::int64_t>(terms - 1, 0);
}

}  // namespace boundflow
