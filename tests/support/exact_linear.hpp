#pragma once
// Purely linear networks over the rationals: the exact coefficients of a row at the input and its exact minimum over a
// box, which every stated error must admit.

#include <vector>

#include "base/rational.hpp"
#include "ir/query.hpp"
#include "ops/operator.hpp"

namespace boundflow {

struct ExactRow {
  std::vector<Rational> coefficients;  // at the input
  Rational constant;

  Rational at(const std::vector<double>& x) const {
    Rational value = constant;
    for (std::size_t i = 0; i < x.size(); ++i) value += coefficients[i] * Rational(x[i]);
    return value;
  }
  Rational minimum(const InputBox& box) const {
    Rational value = constant;
    for (std::size_t i = 0; i < coefficients.size(); ++i) {
      value += coefficients[i] * Rational(coefficients[i] >= 0 ? box.lower[i] : box.upper[i]);
    }
    return value;
  }
};

// lambda . value + constant, walked back to the input through Affine and DataMovement nodes.
inline ExactRow exact_row(const Network& network, ValueId value, const std::vector<double>& lambda, double constant) {
  std::vector<std::vector<Rational>> rows(network.values().size());
  for (std::size_t v = 0; v < rows.size(); ++v) {
    rows[v].resize(static_cast<std::size_t>(network.size_of(static_cast<ValueId>(v))));
  }
  for (std::size_t i = 0; i < lambda.size(); ++i) rows[static_cast<std::size_t>(value)][i] = Rational(lambda[i]);
  ExactRow result;
  result.constant = Rational(constant);
  for (std::size_t n = network.nodes().size(); n-- > 0;) {
    const Node& node = network.nodes()[n];
    const Facet facet = operator_table().at(node).lower(NodeView(network, node));
    const std::vector<Rational>& y = rows[static_cast<std::size_t>(node.outputs[0])];
    const auto* affine = std::get_if<Affine>(&facet);
    if (std::holds_alternative<Elementwise>(facet)) continue;  // behind `value`
    if (affine != nullptr) {
      for (std::size_t i = 0; i < affine->bias.size(); ++i) result.constant += y[i] * Rational(affine->bias[i]);
    }
    for (const AffineTerm& term : affine != nullptr ? affine->terms : std::get<DataMovement>(facet).terms) {
      std::vector<Rational>& x = rows[static_cast<std::size_t>(node.inputs[term.input])];
      if (const IndexMap* index = term.map->index()) {
        for (std::size_t j = 0; j < y.size(); ++j) {
          const std::int64_t i = index->source.empty() ? static_cast<std::int64_t>(j) : index->source[j];
          if (i >= 0) x[static_cast<std::size_t>(i)] += Rational(index->factor) * y[j];
        }
        continue;
      }
      const DenseMap& map = *term.map->dense();
      for (std::size_t j = 0; j < y.size(); ++j) {
        const auto out = static_cast<std::int64_t>(j);
        const std::int64_t c = out % map.inner, o = out / map.inner % map.rows, a = out / map.inner / map.rows;
        for (std::int64_t i = 0; i < map.columns; ++i) {
          x[static_cast<std::size_t>((a * map.columns + i) * map.inner + c)] +=
              Rational(map.weights[static_cast<std::size_t>(o * map.columns + i)]) * y[j];
        }
      }
    }
  }
  result.coefficients = rows[static_cast<std::size_t>(network.input())];
  return result;
}

}  // namespace boundflow
