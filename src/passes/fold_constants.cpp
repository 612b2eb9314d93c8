#include "passes/fold_constants.hpp"

#include <algorithm>

namespace boundflow {

namespace {

bool is_output(const Network& network, const Node& node) {
  return std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId id) {
    return std::find(network.outputs().begin(), network.outputs().end(), id) != network.outputs().end();
  });
}

bool fold(Rewriter& rewriter, const Node& node, RewriteBudget& budget) {
  const OperatorTable& table = rewriter.table();
  if (is_output(rewriter.old(), node)) return false;
  Node now = node;
  now.inputs = rewriter.now(node.inputs);
  if (!table.at(node).reads_shapes_only && !reads_constants_only(rewriter.result(), now)) return false;
  std::optional<std::vector<Tensor>> outputs = fold_node(rewriter.result(), table, now);
  if (!outputs) return false;
  if (!std::all_of(outputs->begin(), outputs->end(), [](const Tensor& tensor) { return tensor.is_finite(); })) {
    return false;
  }
  if (!budget.take()) return false;
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    const std::string& name = rewriter.old().value(node.outputs[i]).name;
    rewriter.replace(node.outputs[i], rewriter.add_constant(name, std::move((*outputs)[i])));
  }
  return true;
}

}  // namespace

Network fold_constants(const Network& network, const OperatorTable& table, RewriteBudget& budget) {
  return rewrite_nodes(network, table,
                       [&](Rewriter& rewriter, const Node& node) { return fold(rewriter, node, budget); });
}

}  // namespace boundflow
