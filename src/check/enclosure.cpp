#include "check/enclosure.hpp"

#include <cmath>

#include "base/rounding.hpp"

namespace boundflow {

namespace {

// a + b and a b rounded down to a double, or to the one below it, and exact where a double is: what a property asks for
// with equality can be shown where nothing is rounded. The remainder of a sum is a double (Knuth), that of a product as
// well unless it underflows. NaN and infinities stay.
double sum_down(double a, double b) {
  const double sum = a + b;
  const double part = sum - a;
  const double remainder = (a - (sum - part)) + (b - part);
  return remainder >= 0 ? sum : add_down(a, b);
}

double sum_up(double a, double b) {
  return -sum_down(-a, -b);
}

double product_down(double a, double b) {
  constexpr double kRemainderExact = 0x1p-960;
  const double product = a * b;
  if (a == 0 || b == 0) return product;
  const bool exact_remainder = std::fabs(product) >= kRemainderExact && std::fma(a, b, -product) >= 0;
  return exact_remainder ? product : round_down(product);
}

double product_up(double a, double b) {
  return -product_down(-a, b);
}

// [low, high] += w [l, u], rounded outward.
void add_product(double w, double l, double u, double& low, double& high) {
  if (w == 0 && std::isfinite(l) && std::isfinite(u)) return;
  low = sum_down(low, product_down(w, w >= 0 ? l : u));
  high = sum_up(high, product_up(w, w >= 0 ? u : l));
}

void add_dense(const DenseMap& map, const Enclosure& x, Enclosure& y) {
  for (std::int64_t a = 0; a < map.outer; ++a) {
    for (std::int64_t o = 0; o < map.rows; ++o) {
      for (std::int64_t c = 0; c < map.inner; ++c) {
        const auto out = static_cast<std::size_t>((a * map.rows + o) * map.inner + c);
        for (std::int64_t i = 0; i < map.columns; ++i) {
          const auto in = static_cast<std::size_t>((a * map.columns + i) * map.inner + c);
          add_product(map.weights[static_cast<std::size_t>(o * map.columns + i)], x.lower[in], x.upper[in],
                      y.lower[out], y.upper[out]);
        }
      }
    }
  }
}

void add_index(const IndexMap& map, const Enclosure& x, Enclosure& y) {
  for (std::size_t j = 0; j < y.lower.size(); ++j) {
    const std::int64_t source = map.source.empty() ? static_cast<std::int64_t>(j) : map.source[j];
    if (source < 0) continue;
    const auto k = static_cast<std::size_t>(source);
    const double low = map.factor < 0 ? -x.upper[k] : x.lower[k];
    const double high = map.factor < 0 ? -x.lower[k] : x.upper[k];
    y.lower[j] = sum_down(y.lower[j], low);
    y.upper[j] = sum_up(y.upper[j], high);
  }
}

// Any other map, row by row; its weights may be off the numbers they stand for by `weight_error`.
void add_rows(const LinearMap& map, const Enclosure& x, Enclosure& y) {
  std::vector<LinearMap::Entry> entries;
  for (std::size_t j = 0; j < y.lower.size(); ++j) {
    map.row(static_cast<std::int64_t>(j), entries);
    for (const LinearMap::Entry& entry : entries) {
      const auto k = static_cast<std::size_t>(entry.column);
      add_product(entry.weight, x.lower[k], x.upper[k], y.lower[j], y.upper[j]);
      if (map.weight_error() == 0) continue;
      const double lost = mul_up(mul_up(2 * map.weight_error(), std::fabs(entry.weight)),
                                 std::max(std::fabs(x.lower[k]), std::fabs(x.upper[k])));
      y.lower[j] = sub_down(y.lower[j], lost);
      y.upper[j] = add_up(y.upper[j], lost);
    }
  }
}

Enclosure joint(const Node& node, const Joint& facet, std::size_t size, const std::vector<Enclosure>& known) {
  Enclosure y{std::vector<double>(size), std::vector<double>(size)};
  std::vector<double> lower;
  std::vector<double> upper;
  for (std::size_t j = 0; j < size; ++j) {
    lower.clear();
    upper.clear();
    for (auto t = static_cast<std::size_t>(facet.starts[j]); t < static_cast<std::size_t>(facet.starts[j + 1]); ++t) {
      const Joint::Term& term = facet.terms[t];
      if (term.operand < 0) {
        lower.push_back(term.constant);
        upper.push_back(term.constant);
        continue;
      }
      const ValueId operand = node.inputs[facet.inputs[static_cast<std::size_t>(term.operand)]];
      const Enclosure& x = known[static_cast<std::size_t>(operand)];
      lower.push_back(x.lower[static_cast<std::size_t>(term.index)]);
      upper.push_back(x.upper[static_cast<std::size_t>(term.index)]);
    }
    facet.function->image(lower, upper, y.lower[j], y.upper[j]);
  }
  return y;
}

Enclosure affine(const Node& node, const std::vector<AffineTerm>& terms, std::size_t size,
                 const std::vector<Enclosure>& known) {
  Enclosure y{std::vector<double>(size, 0.0), std::vector<double>(size, 0.0)};
  for (const AffineTerm& term : terms) {
    const Enclosure& x = known[static_cast<std::size_t>(node.inputs[term.input])];
    if (const DenseMap* dense = term.map->dense(); dense != nullptr && term.map->weight_error() == 0) {
      add_dense(*dense, x, y);
    } else if (const IndexMap* index = term.map->index()) {
      add_index(*index, x, y);
    } else {
      add_rows(*term.map, x, y);
    }
  }
  return y;
}

Enclosure affine(const Node& node, const Affine& facet, std::size_t size, const std::vector<Enclosure>& known) {
  Enclosure y = affine(node, facet.terms, size, known);
  for (std::size_t i = 0; i < facet.bias.size(); ++i) {
    // 8 * 2^-53 of the magnitude that a computed bias is made from; see facet.hpp.
    const double lost = facet.bias_magnitude.empty() ? 0 : 2 * kBiasError * facet.bias_magnitude[i];
    if (facet.bias[i] == 0 && lost == 0) continue;
    y.lower[i] = sum_down(sum_down(y.lower[i], facet.bias[i]), -lost);
    y.upper[i] = sum_up(sum_up(y.upper[i], facet.bias[i]), lost);
  }
  return y;
}

}  // namespace

std::vector<Enclosure> enclose(const Network& network, const OperatorTable& table, std::span<const double> lower,
                               std::span<const double> upper, const Deadline& deadline) {
  std::vector<Enclosure> known(network.values().size());
  known[static_cast<std::size_t>(network.input())] = {{lower.begin(), lower.end()}, {upper.begin(), upper.end()}};
  for (const Node& node : network.nodes()) {
    for (std::size_t output = 0; output < node.outputs.size(); ++output) {
      deadline.check();
      const Facet facet = table.at(node).lower(NodeView(network, node, output));
      const auto size = static_cast<std::size_t>(network.size_of(node.outputs[output]));
      Enclosure& y = known[static_cast<std::size_t>(node.outputs[output])];
      if (const auto* linear = std::get_if<Affine>(&facet)) {
        y = affine(node, *linear, size, known);
      } else if (const auto* movement = std::get_if<DataMovement>(&facet)) {
        y = affine(node, movement->terms, size, known);
      } else if (const auto* several = std::get_if<Joint>(&facet)) {
        y = joint(node, *several, size, known);
      } else {
        const auto& elementwise = std::get<Elementwise>(facet);
        const Enclosure& x = known[static_cast<std::size_t>(node.inputs[elementwise.input])];
        y = {std::vector<double>(size), std::vector<double>(size)};
        for (std::size_t i = 0; i < size; ++i) {
          elementwise.function->image(x.lower[i], x.upper[i], y.lower[i], y.upper[i]);
        }
      }
    }
  }
  return known;
}

}  // namespace boundflow
