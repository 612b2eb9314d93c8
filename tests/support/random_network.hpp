#pragma once
// Random fully connected networks for tests, built through append_node: layers of Gemm or MatMul and Add, Relu (of the
// input, of a Relu), residual sums, branches that meet in a Concat, slices, transposes and reshapes, sums of a value
// with itself; widths down to one, zero rows and columns, neurons that never or always fire, scales far from one.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "ops/operator.hpp"

namespace boundflow {

struct RandomNetworkOptions {
  std::int64_t inputs = 0;   // 0: random, up to 6
  std::int64_t outputs = 0;  // 0: random, up to 4
  std::int64_t blocks = 0;   // 0: random, up to 6
  std::int64_t max_width = 9;
  DType dtype = DType::Float32;  // float64 weights are not representable in float32
  bool extreme_scales = true;    // some layers are scaled by powers of two between 2^-20 and 2^20
};

class RandomNetwork {
 public:
  RandomNetwork(Random& random, const RandomNetworkOptions& options) : random_(random), options_(options) {}

  Network build() {
    const std::int64_t inputs = options_.inputs > 0 ? options_.inputs : random_.integer(1, 6);
    current_ = network_.add_input("x", {options_.dtype, {1, inputs}});
    if (random_.integer(0, 3) == 0) apply("Relu", {current_});
    const std::int64_t blocks = options_.blocks > 0 ? options_.blocks : random_.integer(1, 6);
    for (std::int64_t i = 0; i < blocks; ++i) add_block();
    linear(options_.outputs > 0 ? options_.outputs : random_.integer(1, 4));
    network_.set_outputs({current_});
    verify_network(network_);
    return std::move(network_);
  }

 private:
  std::int64_t width() const { return network_.size_of(current_); }
  std::int64_t random_width() { return random_.integer(0, 5) == 0 ? 1 : random_.integer(1, options_.max_width); }

  ValueId node(const std::string& op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    const std::string name = op + "_" + std::to_string(names_++);
    const NodeId id =
        append_node(network_, operator_table(), op, name, std::move(inputs), {name + ".out"}, std::move(attributes));
    return network_.node(id).outputs.front();
  }
  void apply(const std::string& op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    current_ = node(op, std::move(inputs), std::move(attributes));
  }

  ValueId constant(Shape shape, const std::vector<double>& values) {
    const std::string name = "c" + std::to_string(names_++);
    if (options_.dtype == DType::Float64) return network_.add_constant(name, Tensor(std::move(shape), values));
    return network_.add_constant(name, Tensor(std::move(shape), std::vector<float>(values.begin(), values.end())));
  }
  ValueId indices(const std::vector<std::int64_t>& values) {
    return network_.add_constant("i" + std::to_string(names_++),
                                 Tensor({static_cast<std::int64_t>(values.size())}, values));
  }

  // [rows, columns] with some zero rows and columns, which make dead inputs and constant outputs.
  std::vector<double> weights(std::int64_t rows, std::int64_t columns) {
    double scale = random_.uniform(0.8, 1.8) / std::sqrt(static_cast<double>(rows));
    if (options_.extreme_scales && random_.integer(0, 7) == 0) {
      scale *= std::ldexp(1.0, static_cast<int>(random_.integer(-20, 20)));
    }
    const std::int64_t dead_row = random_.integer(0, 4 * rows), dead_column = random_.integer(0, 4 * columns);
    std::vector<double> values;
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < columns; ++j) {
        const bool zero = i == dead_row || j == dead_column || random_.integer(0, 9) == 0;
        values.push_back(zero ? 0.0 : scale * random_.uniform(-2, 2));
      }
    }
    return values;
  }
  // Mostly small, so that neurons stay unstable; some far enough out to make one dead or always active.
  std::vector<double> biases(std::int64_t count) {
    std::vector<double> values;
    for (std::int64_t i = 0; i < count; ++i) {
      values.push_back(random_.uniform(-0.5, 0.5) * (random_.integer(0, 5) == 0 ? 100 : 1));
    }
    return values;
  }

  void linear(std::int64_t columns) {
    const std::int64_t rows = width();
    const std::vector<double> w = weights(rows, columns);
    switch (random_.integer(0, 3)) {
      case 0: {  // the matrix stored transposed
        std::vector<double> transposed(w.size());
        for (std::int64_t i = 0; i < rows * columns; ++i) {
          transposed[static_cast<std::size_t>(i % columns * rows + i / columns)] = w[static_cast<std::size_t>(i)];
        }
        const ValueId matrix = constant({columns, rows}, transposed);
        const ValueId bias = constant({columns}, biases(columns));
        return apply("Gemm", {current_, matrix, bias}, {{"transB", std::int64_t{1}}});
      }
      case 1:
        apply("MatMul", {current_, constant({rows, columns}, w)});
        if (random_.coin()) apply("Add", {current_, constant({columns}, biases(columns))});
        return;
      case 2:
        return apply("Gemm", {current_, constant({rows, columns}, w)});
      default: {
        const ValueId matrix = constant({rows, columns}, w);
        return apply("Gemm", {current_, matrix, constant({1, columns}, biases(columns))});
      }
    }
  }

  void add_block() {
    switch (random_.integer(0, 9)) {
      case 0:
        return residual();
      case 1:
        return branches();
      case 2:
        return slice();
      case 3:
        return shuffle();
      case 4:
        apply(random_.coin() ? "Add" : "Sub", {current_, node("Relu", {current_})});
        return;
      case 5:
        apply("Add", {current_, current_});
        return;
      default:
        linear(random_width());
        apply("Relu", {current_});
        if (random_.integer(0, 4) == 0) apply("Relu", {current_});
    }
  }

  void residual() {
    const ValueId before = current_;
    const std::int64_t columns = width();
    linear(random_width());
    apply("Relu", {current_});
    linear(columns);
    const bool swapped = random_.coin();
    apply(random_.coin() ? "Add" : "Sub", {swapped ? current_ : before, swapped ? before : current_});
    if (random_.coin()) apply("Relu", {current_});
  }

  void branches() {
    const ValueId before = current_;
    std::vector<ValueId> parts;
    for (std::int64_t i = random_.integer(1, 2); i >= 0; --i) {
      current_ = before;
      linear(random_.integer(1, 4));
      if (random_.coin()) apply("Relu", {current_});
      parts.push_back(current_);
    }
    if (random_.integer(0, 2) == 0) parts.push_back(before);
    if (random_.integer(0, 3) == 0) parts.push_back(constant({1, 2}, biases(2)));
    if (random_.integer(0, 3) == 0) parts.push_back(parts.front());  // the same value twice
    apply("Concat", parts, {{"axis", std::int64_t{random_.coin() ? 1 : -1}}});
  }

  void slice() {
    const std::int64_t first = random_.integer(0, width() - 1);
    const std::int64_t end = random_.integer(first + 1, width());
    apply("Slice", {current_, indices({first}), indices({end}), indices({1}), indices({random_.coin() ? 1 : 2})});
  }

  // [1, n] -> [a, b] -> [b, a] -> [1, n], so that the order changes; perhaps a Relu in between.
  void shuffle() {
    const std::int64_t n = width();
    std::int64_t a = random_.integer(1, n);
    while (n % a != 0) --a;
    apply("Reshape", {current_, indices({a, -1})});
    apply("Transpose", {current_});
    if (random_.coin()) apply("Relu", {current_});
    apply("Reshape", {current_, indices({1, n})});
  }

  Random& random_;
  RandomNetworkOptions options_;
  Network network_;
  ValueId current_ = kNoValue;
  int names_ = 0;
};

inline Network random_network(Random& random, const RandomNetworkOptions& options = {}) {
  return RandomNetwork(random, options).build();
}

// Appends the nodes of `inner`, which read `input` instead of their own; returns what is their output.
inline ValueId append_network(Network& network, const Network& inner, ValueId input,
                              const OperatorTable& table = operator_table()) {
  std::vector<ValueId> renamed(inner.values().size(), kNoValue);
  renamed[static_cast<std::size_t>(inner.input())] = input;
  for (std::size_t v = 0; v < inner.values().size(); ++v) {
    const Value& value = inner.values()[v];
    if (value.constant) renamed[v] = network.add_constant(value.name, *value.constant);
  }
  for (const Node& node : inner.nodes()) {
    std::vector<ValueId> operands;
    for (const ValueId id : node.inputs) {
      operands.push_back(id == kNoValue ? kNoValue : renamed[static_cast<std::size_t>(id)]);
    }
    std::vector<std::string> names;
    for (const ValueId id : node.outputs) names.push_back(inner.value(id).name);
    const NodeId id = append_node(network, table, node.op, node.name, std::move(operands), names, node.attributes);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      renamed[static_cast<std::size_t>(node.outputs[i])] = network.node(id).outputs[i];
    }
  }
  return renamed[static_cast<std::size_t>(inner.output())];
}

// `inner` with a layer before it and Gemm, Relu, Gemm behind it, so that its operator stands between relaxations: a
// backward walk from the outputs passes a Relu, then the operator, then another Relu.
inline Network surrounded(Random& random, const Network& inner, const OperatorTable& table = operator_table()) {
  Network network;
  int names = 0;
  const auto add = [&](const std::string& op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    const std::string name = "outer_" + std::to_string(names++);
    const NodeId id = append_node(network, table, op, name, std::move(inputs), {name + ".out"}, std::move(attributes));
    return network.node(id).outputs.front();
  };
  const auto constant = [&](Shape shape) {
    std::vector<float> values(static_cast<std::size_t>(element_count(shape)));
    for (float& value : values) value = static_cast<float>(random.uniform(-1.5, 1.5));
    return network.add_constant("outer_" + std::to_string(names++), Tensor(std::move(shape), std::move(values)));
  };
  const auto reshape = [&](ValueId value, const Shape& shape) {
    const auto rank = static_cast<std::int64_t>(shape.size());
    const ValueId target = network.add_constant("outer_" + std::to_string(names++), Tensor({rank}, shape));
    return add("Reshape", {value, target});
  };
  const auto gemm = [&](ValueId value, std::int64_t columns) {
    const std::int64_t rows = network.size_of(value);
    const ValueId matrix = constant({rows, columns});
    return add("Gemm", {value, matrix, constant({columns})});
  };

  const std::int64_t inputs = random.integer(1, 4);
  const ValueId x = network.add_input("outer_x", {DType::Float32, {1, inputs}});
  ValueId before = gemm(x, inner.size_of(inner.input()));
  if (random.coin()) before = add("Relu", {before});
  const ValueId middle = append_network(network, inner, reshape(before, inner.value(inner.input()).type.shape), table);
  ValueId y = gemm(reshape(middle, {1, inner.size_of(inner.output())}), random.integer(1, 5));
  y = gemm(add("Relu", {y}), random.integer(1, 3));
  network.set_outputs({y});
  verify_network(network);
  return network;
}

}  // namespace boundflow
