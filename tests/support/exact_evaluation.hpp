#pragma once
// Piecewise linear networks and properties over the rationals: exact values at any point, for tests that judge
// verdicts.

#include <optional>
#include <vector>

#include "base/rational.hpp"
#include "ir/property.hpp"
#include "ops/operator.hpp"

namespace boundflow {

// The network's output at x, exactly; empty if it has a node that is neither affine nor Relu, or weights that are
// computed and not the file's own numbers.
inline std::optional<std::vector<Rational>> evaluate_exactly(const Network& network, const std::vector<Rational>& x) {
  std::vector<std::vector<Rational>> values(network.values().size());
  values[static_cast<std::size_t>(network.input())] = x;
  std::vector<LinearMap::Entry> entries;
  for (const Node& node : network.nodes()) {
    for (std::size_t output = 0; output < node.outputs.size(); ++output) {
      const ValueId id = node.outputs[output];
      std::vector<Rational>& y = values[static_cast<std::size_t>(id)];
      const Facet facet = operator_table().at(node).lower(NodeView(network, node, output));
      if (const auto* elementwise = std::get_if<Elementwise>(&facet); elementwise != nullptr && node.op == "Relu") {
        y = values[static_cast<std::size_t>(node.inputs[elementwise->input])];
        for (Rational& v : y) v = v < 0 ? Rational(0) : v;
        continue;
      }
      const auto* affine = std::get_if<Affine>(&facet);
      const auto* movement = std::get_if<DataMovement>(&facet);
      if (affine == nullptr && movement == nullptr) return std::nullopt;
      if (affine != nullptr && !affine->bias_magnitude.empty()) return std::nullopt;
      y.resize(static_cast<std::size_t>(network.size_of(id)));
      for (std::size_t j = 0; affine != nullptr && j < affine->bias.size(); ++j) y[j] = Rational(affine->bias[j]);
      for (const AffineTerm& term : affine != nullptr ? affine->terms : movement->terms) {
        if (term.map->weight_error() > 0) return std::nullopt;
        const std::vector<Rational>& operand = values[static_cast<std::size_t>(node.inputs[term.input])];
        for (std::size_t j = 0; j < y.size(); ++j) {
          term.map->row(static_cast<std::int64_t>(j), entries);
          for (const LinearMap::Entry& entry : entries) {
            y[j] += Rational(entry.weight) * operand[static_cast<std::size_t>(entry.column)];
          }
        }
      }
    }
  }
  return values[static_cast<std::size_t>(network.output())];
}

inline bool holds(const Clause& clause, const std::vector<Rational>& x, const std::vector<Rational>& y) {
  for (const Atom& atom : clause.atoms) {
    Rational sum = atom.constant;
    for (const LinearTerm& term : atom.inputs) sum += term.coefficient * x[static_cast<std::size_t>(term.index)];
    for (const LinearTerm& term : atom.outputs) sum += term.coefficient * y[static_cast<std::size_t>(term.index)];
    if (atom.strict ? sum >= 0 : sum > 0) return false;
  }
  for (const std::vector<Clause>& choice : clause.choices) {
    bool any = false;
    for (const Clause& option : choice) any = any || holds(option, x, y);
    if (!any) return false;
  }
  return true;
}

// True if (x, y) is the violation that the property describes.
inline bool holds(const Property& property, const std::vector<Rational>& x, const std::vector<Rational>& y) {
  for (const Region& region : property.regions) {
    bool inside = true;
    for (std::size_t i = 0; i < x.size(); ++i) {
      inside = inside && region.box.lower[i] <= x[i] && x[i] <= region.box.upper[i];
    }
    if (!inside) continue;
    for (const Clause& clause : region.clauses) {
      if (holds(clause, x, y)) return true;
    }
  }
  return false;
}

}  // namespace boundflow
