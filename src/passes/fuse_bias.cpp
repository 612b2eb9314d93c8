#include "passes/fuse_bias.hpp"

#include <optional>

namespace boundflow {

namespace {

// The constant operand that can serve as Gemm's C: one value per output column.
std::optional<ValueId> row_bias(const Network& network, const Node& add, ValueId product) {
  const ValueId other = add.inputs[0] == product ? add.inputs[1] : add.inputs[0];
  if (other == product || !network.is_constant(other)) return std::nullopt;
  const Shape& shape = network.value(other).type.shape;
  const std::int64_t columns = network.value(product).type.shape.back();
  const bool fits = shape == Shape{columns} || shape == Shape{1, columns};
  return fits ? std::optional(other) : std::nullopt;
}

bool is_matrix_product(const Network& network, const Node& node) {
  const bool product = node.op == "MatMul" || (node.op == "Gemm" && node.inputs.size() == 2);
  return product && !network.is_constant(node.inputs[0]) && network.is_constant(node.inputs[1]) &&
         network.value(node.inputs[0]).type.shape.size() == 2 && network.value(node.inputs[1]).type.shape.size() == 2;
}

bool fuse(Rewriter& rewriter, const Node& add, RewriteBudget& budget) {
  if (add.op != "Add") return false;
  const Network& old = rewriter.old();
  for (const ValueId operand : add.inputs) {
    const ValueId now = rewriter.now(operand);
    const Node* product = rewriter.producer(now);
    if (product == nullptr || rewriter.readers(now) != 1 || !is_matrix_product(rewriter.result(), *product)) continue;
    const std::optional<ValueId> bias = row_bias(old, add, operand);
    if (!bias || !budget.take()) continue;
    const ValueId sum = rewriter.add("Gemm", add.name, {product->inputs[0], product->inputs[1], rewriter.now(*bias)},
                                     old.value(add.outputs[0]).name, product->attributes);
    rewriter.replace(add.outputs[0], sum);
    return true;
  }
  return false;
}

}  // namespace

Network fuse_bias(const Network& network, const OperatorTable& table, RewriteBudget& budget) {
  return rewrite_nodes(network, table,
                       [&](Rewriter& rewriter, const Node& node) { return fuse(rewriter, node, budget); });
}

}  // namespace boundflow
