#include "check/enclosure.hpp"

#include <cmath>

#include "base/rounding.hpp"

namespace boundflow {

namespace {

// a += w [l, u], rounded outward.
void add_product(double w, double l, double u, double& low, double& high) {
  if (w == 0 && std::isfinite(l) && std::isfinite(u)) return;
  const double at_l = w * l;
  const double at_u = w * u;
  low = add_down(low, round_down(w >= 0 ? at_l : at_u));
  high = add_up(high, round_up(w >= 0 ? at_u : at_l));
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
    // The first addition to an exact zero is exact: data movement keeps every bit.
    y.lower[j] = y.lower[j] == 0 ? low : add_down(y.lower[j], low);
    y.upper[j] = y.upper[j] == 0 ? high : add_up(y.upper[j], high);
  }
}

Enclosure affine(const Node& node, const std::vector<AffineTerm>& terms, const std::vector<double>& bias,
                 std::size_t size, const std::vector<Enclosure>& known) {
  Enclosure y{std::vector<double>(size, 0.0), std::vector<double>(size, 0.0)};
  for (const AffineTerm& term : terms) {
    const Enclosure& x = known[static_cast<std::size_t>(node.inputs[term.input])];
    if (const DenseMap* dense = term.map->dense()) add_dense(*dense, x, y);
    if (const IndexMap* index = term.map->index()) add_index(*index, x, y);
  }
  for (std::size_t i = 0; i < bias.size(); ++i) {
    if (bias[i] == 0) continue;
    y.lower[i] = add_down(y.lower[i], bias[i]);
    y.upper[i] = add_up(y.upper[i], bias[i]);
  }
  return y;
}

}  // namespace

std::vector<Enclosure> enclose(const Network& network, const OperatorTable& table, std::span<const double> lower,
                               std::span<const double> upper) {
  std::vector<Enclosure> known(network.values().size());
  known[static_cast<std::size_t>(network.input())] = {{lower.begin(), lower.end()}, {upper.begin(), upper.end()}};
  for (const Node& node : network.nodes()) {
    const Facet facet = table.at(node).lower(NodeView(network, node));
    const auto size = static_cast<std::size_t>(network.size_of(node.outputs[0]));
    Enclosure& y = known[static_cast<std::size_t>(node.outputs[0])];
    if (const auto* linear = std::get_if<Affine>(&facet)) {
      y = affine(node, linear->terms, linear->bias, size, known);
    } else if (const auto* movement = std::get_if<DataMovement>(&facet)) {
      y = affine(node, movement->terms, {}, size, known);
    } else {
      const auto& elementwise = std::get<Elementwise>(facet);
      const Enclosure& x = known[static_cast<std::size_t>(node.inputs[elementwise.input])];
      y.lower.resize(size);
      y.upper.resize(size);
      for (std::size_t i = 0; i < size; ++i) {
        elementwise.function->image(x.lower[i], x.upper[i], y.lower[i], y.upper[i]);
      }
    }
  }
  return known;
}

}  // namespace boundflow
