#pragma once
// One of the many float32 executions that the deployed semantics admits: every sum in a random order, sequential or
// pairwise, with or without FMA, with or without flushing subnormal numbers to zero.

#include <cmath>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "ops/operator.hpp"

namespace boundflow {

class Float32Execution {
 public:
  Float32Execution(const Network& network, Random& random) : network_(network), random_(random) {
    fma_ = random.coin();
    flush_ = random.integer(0, 3) == 0;
  }

  // The activations of every value (empty for constants) of a network of float32 nodes.
  std::vector<std::vector<double>> run(const std::vector<double>& input) {
    std::vector<std::vector<float>> values(network_.values().size());
    values[static_cast<std::size_t>(network_.input())].assign(input.begin(), input.end());
    for (const Node& node : network_.nodes()) {
      const Facet facet = operator_table().at(node).lower(NodeView(network_, node));
      std::vector<float>& y = values[static_cast<std::size_t>(node.outputs[0])];
      if (const auto* elementwise = std::get_if<Elementwise>(&facet)) {
        for (const float x : values[static_cast<std::size_t>(node.inputs[elementwise->input])]) {
          y.push_back(static_cast<float>(elementwise->function->value(static_cast<double>(x))));
        }
      } else if (const auto* movement = std::get_if<DataMovement>(&facet)) {
        y = affine(node, movement->terms, {}, values);
      } else {
        const auto& sum = std::get<Affine>(facet);
        y = affine(node, sum.terms, sum.bias, values);
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

  float flushed(float x) const { return flush_ && std::fabs(x) < 0x1p-126F ? 0.0F : x; }

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

  std::vector<float> affine(const Node& node, const std::vector<AffineTerm>& terms, const std::vector<double>& bias,
                            const std::vector<std::vector<float>>& values) {
    std::vector<std::vector<Product>> products(static_cast<std::size_t>(network_.size_of(node.outputs[0])));
    for (const AffineTerm& term : terms) {
      const std::vector<float>& x = values[static_cast<std::size_t>(node.inputs[term.input])];
      if (const IndexMap* index = term.map->index()) {
        for (std::size_t j = 0; j < products.size(); ++j) {
          const std::int64_t i = index->source.empty() ? static_cast<std::int64_t>(j) : index->source[j];
          if (i >= 0) products[j].push_back({static_cast<float>(index->factor), x[static_cast<std::size_t>(i)]});
        }
        continue;
      }
      const DenseMap& map = *term.map->dense();
      for (std::size_t j = 0; j < products.size(); ++j) {
        const auto out = static_cast<std::int64_t>(j);
        const std::int64_t c = out % map.inner, o = out / map.inner % map.rows, a = out / map.inner / map.rows;
        for (std::int64_t i = 0; i < map.columns; ++i) {
          const auto weight = static_cast<float>(map.weights[static_cast<std::size_t>(o * map.columns + i)]);
          if (weight != 0) {
            products[j].push_back({weight, x[static_cast<std::size_t>((a * map.columns + i) * map.inner + c)]});
          }
        }
      }
    }
    std::vector<float> y;
    for (std::size_t j = 0; j < products.size(); ++j) {
      if (!bias.empty() && bias[j] != 0) products[j].push_back({static_cast<float>(bias[j]), 1});
      y.push_back(sum(products[j]));
    }
    return y;
  }

  const Network& network_;
  Random& random_;
  bool fma_;
  bool flush_;
};

}  // namespace boundflow
