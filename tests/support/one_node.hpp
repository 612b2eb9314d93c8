#pragma once
// Networks of one node, for tests of operators with hand-written operands.

#include <functional>
#include <string>
#include <vector>

#include "ops/operator.hpp"

namespace boundflow {

using Ints = std::vector<std::int64_t>;

inline Tensor floats(Shape shape, std::vector<float> values) {
  return Tensor(std::move(shape), std::move(values));
}
inline Tensor doubles(Shape shape, std::vector<double> values) {
  return Tensor(std::move(shape), std::move(values));
}
inline Tensor ints(Ints values) {
  return Tensor({static_cast<std::int64_t>(values.size())}, values);
}
// 0, 1, 2, ...
inline Tensor counting(const Shape& shape) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < element_count(shape); ++i) values.push_back(static_cast<float>(i));
  return floats(shape, values);
}

// A network of one node; the first operand is its input unless `variable` says otherwise.
struct OneNode {
  OneNode(std::string op, std::vector<Tensor> operands, Attributes attributes = {}, std::size_t variable = 0) {
    std::vector<ValueId> ids;
    for (std::size_t i = 0; i < operands.size(); ++i) {
      const std::string name = "v" + std::to_string(i);
      ids.push_back(i == variable ? network.add_input(name, operands[i].type())
                                  : network.add_constant(name, operands[i]));
    }
    const NodeId id = append_node(network, operator_table(), op, "node", ids, {"y"}, std::move(attributes));
    network.set_outputs(network.node(id).outputs);
    if (variable < operands.size()) input = operands[variable];
  }
  Tensor value() const { return evaluate_network(network, input)[static_cast<std::size_t>(network.output())]; }
  Facet facet() const { return operator_table().at(network.nodes()[0]).lower(NodeView(network, network.nodes()[0])); }
  Network network;
  Tensor input;
};

inline std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace boundflow
