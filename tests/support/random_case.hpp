#pragma once
// Random tiny networks and properties whose truth can be computed exactly: weights and grid points are small dyadic
// numbers, so that evaluation in double has no rounding; rationals serve any other point.

#include <string>
#include <vector>

#include "base/random.hpp"
#include "base/rational.hpp"
#include "support/verify_case.hpp"

namespace boundflow {

// y = layers(x), with the values of the first hidden layer added to the second's where the widths allow it.
struct TinyNetwork {
  int inputs = 1;
  int outputs = 1;
  bool residual = false;
  std::vector<DenseLayer> layers;

  template <class T>
  std::vector<T> evaluate(const std::vector<T>& x) const {
    std::vector<T> values = x;
    std::vector<T> first;
    for (std::size_t k = 0; k < layers.size(); ++k) {
      std::vector<T> next;
      for (std::size_t o = 0; o < layers[k].bias.size(); ++o) {
        T sum = layers[k].bias[o];
        for (std::size_t i = 0; i < values.size(); ++i) {
          sum += T(layers[k].weights[i * layers[k].bias.size() + o]) * values[i];
        }
        if (layers[k].relu && sum < 0) sum = 0;
        next.push_back(sum);
      }
      if (k == 0) first = next;
      if (k == 1 && residual) {
        for (std::size_t i = 0; i < next.size(); ++i) next[i] += first[i];
      }
      values = std::move(next);
    }
    return values;
  }

  OnnxModel model() const {
    OnnxModel result = dense_model(inputs, layers);
    if (!residual) return result;
    // The second layer's output becomes the sum, which the third reads.
    for (onnx::NodeProto& node : *result.graph()->mutable_node()) {
      if (node.name() == "gemm2") node.set_input(0, "skip");
    }
    onnx::GraphProto* graph = result.graph();
    result.node("Add", "add", {"r1", "r0"}, {"skip"});
    // Nodes stand in topological order: the new one before the last Gemm.
    for (int i = graph->node_size() - 1; i > 0 && graph->node(i - 1).name() == "gemm2"; --i) {
      graph->mutable_node()->SwapElements(i, i - 1);
    }
    return result;
  }
};

inline DenseLayer random_layer(Random& random, int inputs, int outputs, bool relu) {
  DenseLayer layer;
  layer.relu = relu;
  for (int i = 0; i < inputs * outputs; ++i) layer.weights.push_back(static_cast<float>(random.integer(-4, 4)) / 2);
  for (int i = 0; i < outputs; ++i) layer.bias.push_back(static_cast<float>(random.integer(-4, 4)) / 4);
  return layer;
}

inline TinyNetwork random_tiny_network(Random& random) {
  TinyNetwork network;
  network.inputs = static_cast<int>(random.integer(1, 2));
  network.outputs = static_cast<int>(random.integer(1, 2));
  network.residual = random.coin();
  const int width = static_cast<int>(random.integer(2, 4));
  network.layers.push_back(random_layer(random, network.inputs, width, true));
  if (network.residual || random.coin()) network.layers.push_back(random_layer(random, width, width, true));
  network.layers.push_back(random_layer(random, width, network.outputs, false));
  return network;
}

// An and/or tree of atoms sum c_j v_j <= t over inputs and outputs, as VNN-LIB text and as a predicate.
struct RandomFormula {
  enum Kind { And, Or, Atom } kind = Atom;
  std::vector<RandomFormula> children;
  std::vector<int> coefficients;  // of the inputs, then the outputs
  int threshold = 0;              // in units of 1/16
  bool at_most = true;            // <= or >=
  bool strict = false;

  template <class T>
  T left_side(const std::vector<T>& x, const std::vector<T>& y) const {
    T sum = 0;
    for (std::size_t i = 0; i < coefficients.size(); ++i) {
      sum += T(coefficients[i]) * (i < x.size() ? x[i] : y[i - x.size()]);
    }
    return sum;
  }

  // `slack` > 0 asks for more than the formula does.
  template <class T>
  bool holds(const std::vector<T>& x, const std::vector<T>& y, const T& slack = T(0)) const {
    if (kind != Atom) {
      for (const RandomFormula& child : children) {
        if (child.holds(x, y, slack) == (kind == Or)) return kind == Or;
      }
      return kind == And;
    }
    const T distance = at_most ? T(T(threshold) / 16 - left_side(x, y)) : T(left_side(x, y) - T(threshold) / 16);
    return strict ? distance > slack : distance >= slack;
  }

  std::string text(int inputs) const {
    if (kind != Atom) {
      std::string result = kind == And ? "(and" : "(or";
      for (const RandomFormula& child : children) result += " " + child.text(inputs);
      return result + ")";
    }
    std::string sum = "(+ 0";
    for (std::size_t i = 0; i < coefficients.size(); ++i) {
      const auto k = static_cast<int>(i);
      if (coefficients[i] == 0) continue;
      sum += " (* " + std::to_string(coefficients[i]) + ".0 " +
             (k < inputs ? "X_" + std::to_string(k) : "Y_" + std::to_string(k - inputs)) + ")";
    }
    const std::string comparison = std::string(at_most ? "<" : ">") + (strict ? "" : "=");
    return "(" + comparison + " " + sum + ") " + exact_decimal(threshold / 16.0) + ")";
  }
};

// Atoms with thresholds at or near values that the sampled points attain, so that the answer is seldom obvious.
inline RandomFormula random_formula(Random& random, const TinyNetwork& network,
                                    const std::vector<std::vector<double>>& points, int depth) {
  RandomFormula formula;
  if (depth > 0 && random.integer(0, 3) > 0) {
    formula.kind = random.coin() ? RandomFormula::And : RandomFormula::Or;
    for (std::int64_t i = random.integer(2, 3); i > 0; --i) {
      formula.children.push_back(random_formula(random, network, points, depth - 1));
    }
    return formula;
  }
  const bool over_inputs = random.integer(0, 3) == 0;
  for (int i = 0; i < network.inputs; ++i) {
    formula.coefficients.push_back(over_inputs ? static_cast<int>(random.integer(-1, 1)) : 0);
  }
  for (int i = 0; i < network.outputs; ++i) {
    formula.coefficients.push_back(static_cast<int>(random.integer(-2, 2)));
  }
  if (formula.coefficients.back() == 0) formula.coefficients.back() = 1;
  formula.at_most = random.coin();
  formula.strict = random.integer(0, 3) == 0;
  double extreme = 0;
  for (std::size_t p = 0; p < points.size(); ++p) {
    const double value = formula.left_side(points[p], network.evaluate(points[p]));
    if (p == 0 || (formula.at_most ? value < extreme : value > extreme)) extreme = value;
  }
  const auto units = static_cast<int>(extreme * 16);
  const auto beyond = static_cast<int>(random.integer(-3, 6));
  formula.threshold = formula.at_most ? units + beyond : units - beyond;
  return formula;
}

// All points of the box [-1, 1]^n on multiples of 1/16.
inline std::vector<std::vector<double>> grid(int inputs) {
  std::vector<std::vector<double>> points;
  for (int i = -16; i <= 16; ++i) {
    if (inputs == 1) {
      points.push_back({i / 16.0});
      continue;
    }
    for (int j = -16; j <= 16; ++j) points.push_back({i / 16.0, j / 16.0});
  }
  return points;
}

struct RandomCase {
  TinyNetwork network;
  RandomFormula formula;
  std::vector<std::vector<double>> points;

  explicit RandomCase(std::uint64_t seed) : RandomCase(Random(seed)) {}
  explicit RandomCase(Random random) {
    network = random_tiny_network(random);
    points = grid(network.inputs);
    formula = random_formula(random, network, points, 2);
  }

  std::string property() const {
    std::string text = declarations(network.inputs, network.outputs);
    for (int i = 0; i < network.inputs; ++i) text += input_bounds(i, "-1", "1");
    return text + "(assert " + formula.text(network.inputs) + ")\n";
  }
  bool violated_at(const std::vector<double>& point, double slack = 0) const {
    return formula.holds(point, network.evaluate(point), slack);
  }
};

}  // namespace boundflow
