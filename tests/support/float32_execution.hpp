#pragma once
// One of the many float32 executions that the deployed semantics admits: every sum in a random order, sequential or
// pairwise, with or without FMA, with or without flushing subnormal numbers to zero.

#include <cmath>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "base/rounding.hpp"
#include "ops/operator.hpp"

namespace boundflow {

class Float32Execution {
 public:
  Float32Execution(const Network& network, Random& random, const OperatorTable& table = operator_table())
      : network_(network), random_(random), table_(table) {
    fma_ = random.coin();
    flush_ = random.integer(0, 3) == 0;
  }

  // The activations of every value (empty for constants) of a network of float32 nodes.
  std::vector<std::vector<double>> run(const std::vector<double>& input) {
    std::vector<std::vector<float>> values(network_.values().size());
    values[static_cast<std::size_t>(network_.input())].assign(input.begin(), input.end());
    for (const Node& node : network_.nodes()) {
      for (std::size_t output = 0; output < node.outputs.size(); ++output) {
        const Facet facet = table_.at(node).lower(NodeView(network_, node, output));
        std::vector<float>& y = values[static_cast<std::size_t>(node.outputs[output])];
        if (const auto* elementwise = std::get_if<Elementwise>(&facet)) {
          for (const float x : values[static_cast<std::size_t>(node.inputs[elementwise->input])]) {
            y.push_back(perturbed(elementwise->function->value(static_cast<double>(x)),
                                  elementwise->function->deployed_error(static_cast<double>(x), static_cast<double>(x),
                                                                        kUnitRoundoff32)));
          }
        } else if (const auto* movement = std::get_if<DataMovement>(&facet)) {
          y = affine(node, output, {.terms = movement->terms}, values);
        } else if (const auto* joint = std::get_if<Joint>(&facet)) {
          y = several(node, *joint, values);
        } else {
          const auto& sum = std::get<Affine>(facet);
          y = affine(node, output, sum, values);
        }
      }
    }
    std::vector<std::vector<double>> result;
    for (const auto& value : values) result.emplace_back(value.begin(), value.end());
    return result;
  }

 private:
  struct Product {
    float weight;
    float x;
  };

  // What is computed within a stated accuracy may be off by nearly as much.
  float perturbed(double value, double error) {
    const double room = error - 1.01 * kUnitRoundoff32 * std::fabs(value) - kSmallestNormal32;  // to round at the end
    if (!(room > 0) || !std::isfinite(room)) return static_cast<float>(value);
    return static_cast<float>(value + 0.9 * room * random_.uniform(-1, 1));
  }

  std::vector<float> several(const Node& node, const Joint& joint, const std::vector<std::vector<float>>& values) {
    std::vector<float> y;
    std::vector<double> x;
    for (std::size_t j = 0; j + 1 < joint.starts.size(); ++j) {
      x.clear();
      for (auto t = static_cast<std::size_t>(joint.starts[j]); t < static_cast<std::size_t>(joint.starts[j + 1]); ++t) {
        const Joint::Term& term = joint.terms[t];
        const std::size_t input = term.operand < 0 ? 0 : joint.inputs[static_cast<std::size_t>(term.operand)];
        x.push_back(
            term.operand < 0
                ? term.constant
                : static_cast<double>(
                      values[static_cast<std::size_t>(node.inputs[input])][static_cast<std::size_t>(term.index)]));
      }
      y.push_back(static_cast<float>(joint.function->value(x)));
    }
    return y;
  }

  float flushed(float x) const { return flush_ && std::fabs(x) < 0x1p-126F ? 0.0F : x; }

  // Where a node only moves data, subnormal numbers stay, a padding's constant among them.
  static float moved(const std::vector<Product>& products) {
    float total = 0;
    for (const Product& p : products) total += p.weight * p.x;
    return total;
  }

  float sum(std::vector<Product>& products) {
    for (std::size_t i = products.size(); i > 1; --i) {
      std::swap(products[i - 1],
                products[static_cast<std::size_t>(random_.integer(0, static_cast<std::int64_t>(i) - 1))]);
    }
    if (random_.coin()) return pairwise(products.data(), products.size());
    float total = 0;
    for (const Product& p : products) {
      total = flushed(fma_ ? std::fma(p.weight, p.x, total) : total + flushed(p.weight * p.x));
    }
    return total;
  }
  float pairwise(const Product* products, std::size_t count) const {
    if (count == 0) return 0;
    if (count == 1) return flushed(products->weight * products->x);
    return flushed(pairwise(products, count / 2) + pairwise(products + count / 2, count - count / 2));
  }

  std::vector<float> affine(const Node& node, std::size_t output, const Affine& facet,
                            const std::vector<std::vector<float>>& values) {
    std::vector<std::vector<Product>> products(static_cast<std::size_t>(network_.size_of(node.outputs[output])));
    std::vector<LinearMap::Entry> entries;
    bool moves = facet.deployed_roundings == 0;
    for (const AffineTerm& term : facet.terms) {
      moves = moves && !term.map->rounds();
      const std::vector<float>& x = values[static_cast<std::size_t>(node.inputs[term.input])];
      for (std::size_t j = 0; j < products.size(); ++j) {
        term.map->row(static_cast<std::int64_t>(j), entries);
        for (const LinearMap::Entry& entry : entries) {
          if (entry.weight == 0) continue;
          products[j].push_back({static_cast<float>(entry.weight), x[static_cast<std::size_t>(entry.column)]});
        }
      }
    }
    std::vector<float> y;
    for (std::size_t j = 0; j < products.size(); ++j) {
      if (!facet.bias.empty() && facet.bias[j] != 0) products[j].push_back({static_cast<float>(facet.bias[j]), 1});
      y.push_back(moves ? moved(products[j]) : sum(products[j]));
    }
    return y;
  }

  const Network& network_;
  Random& random_;
  const OperatorTable& table_;
  bool fma_;
  bool flush_;
};

}  // namespace boundflow
