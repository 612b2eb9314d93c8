#include "passes/absorb_layouts.hpp"

#include <algorithm>

#include "passes/rearrangement.hpp"
#include "passes/weighted_node.hpp"

namespace boundflow {

namespace {

std::size_t at(std::int64_t i) {
  return static_cast<std::size_t>(i);
}

// A vector times a matrix. Of several rows, a rearrangement mixes elements that no column could take in.
bool is_one_row(const WeightedNode& node) {
  return node.y_shape.size() == 2 && node.x_shape[0] == 1 && node.weight_shape.size() == 2;
}

// What stands before a fully connected node goes into its columns.
bool absorb_before(Rewriter& rewriter, const Node& node, RewriteBudget& budget) {
  Node now = node;
  now.inputs = rewriter.now(node.inputs);
  if (!may_be_weighted(rewriter.result(), rewriter.table(), now)) return false;
  const auto variable = std::find_if(now.inputs.begin(), now.inputs.end(),
                                     [&](ValueId id) { return id != kNoValue && !rewriter.result().is_constant(id); });
  ValueId from = *variable;
  Sources sources;
  while (const Node* before = rewriter.producer(from)) {
    const auto moved = rearrangement(rewriter.result(), rewriter.table(), *before);
    if (!moved) break;
    sources = composed(moved->sources, sources);
    from = moved->operand;
  }
  if (sources.empty()) return false;
  now.outputs = node.outputs;
  auto weighted = weighted_node(rewriter.old(), rewriter.table(), node);
  if (!weighted || !is_one_row(*weighted) || !budget.take()) return false;
  const std::vector<double> weights = weighted->weights;
  const std::int64_t columns = weighted->in_channels;
  for (std::int64_t o = 0; o < weighted->out_channels; ++o) {
    for (std::int64_t j = 0; j < columns; ++j) {
      weighted->weights[at(o * columns + sources[at(j)])] = weights[at(o * columns + j)];
    }
  }
  weighted->x = from;
  const Value& y = rewriter.old().value(node.outputs[0]);
  rewriter.replace(node.outputs[0], add_weighted(rewriter, *weighted, y.type.shape, node.name, y.name));
  return true;
}

// True if the node works on each element of one variable alone, whatever its place.
bool keeps_places(const Rewriter& rewriter, const Node& node) {
  const Network& network = rewriter.result();
  const Operator& op = rewriter.table().at(node);
  if (node.outputs.size() != 1) return false;
  if (const auto moved = rearrangement(network, rewriter.table(), node)) return moved->sources.empty();
  if (!op.pointwise) return false;
  std::int64_t variables = 0;
  for (const ValueId id : node.inputs) {
    if (id == kNoValue) continue;
    if (!network.is_constant(id)) {
      ++variables;
      if (network.value(id).type.shape != network.value(node.outputs[0]).type.shape) return false;
    } else if (network.size_of(id) != 1) {
      return false;
    }
  }
  return variables == 1;
}

// The one operand that is no constant.
ValueId variable_of(const Network& network, const Node& node) {
  return *std::find_if(node.inputs.begin(), node.inputs.end(),
                       [&](ValueId id) { return id != kNoValue && !network.is_constant(id); });
}

// What stands behind a fully connected node goes into its rows and its bias.
bool absorb_behind(Rewriter& rewriter, const Node& node, RewriteBudget& budget) {
  const Network& network = rewriter.result();
  const auto moved = rearrangement(rewriter.old(), rewriter.table(), node);
  if (!moved || moved->sources.empty()) return false;
  // From the rearrangement back to the product; nobody else may read anything on the way.
  std::vector<Node> between;
  ValueId value = rewriter.now(moved->operand);
  const Node* product = nullptr;
  for (;;) {
    product = rewriter.producer(value);
    if (product == nullptr || rewriter.readers(value) != 1) return false;
    if (may_be_weighted(network, rewriter.table(), *product)) break;
    if (!keeps_places(rewriter, *product)) return false;
    between.push_back(*product);
    value = variable_of(network, *product);
  }
  auto weighted = weighted_node(network, rewriter.table(), *product);
  if (!weighted || !is_one_row(*weighted) || !budget.take()) return false;
  const WeightedNode before = *weighted;
  const std::int64_t columns = before.in_channels;
  for (std::int64_t o = 0; o < before.out_channels; ++o) {
    const std::int64_t source = moved->sources[at(o)];
    weighted->bias[at(o)] = before.bias[at(source)];
    weighted->magnitude[at(o)] = before.magnitude[at(source)];
    std::copy_n(before.weights.begin() + source * columns, columns, weighted->weights.begin() + o * columns);
  }
  const std::string product_name = product->name;
  const Value y = network.value(value);
  rewriter.release(*product);
  value = add_weighted(rewriter, *weighted, y.type.shape, product_name, y.name);
  for (auto step = between.rbegin(); step != between.rend(); ++step) {
    std::vector<ValueId> inputs = step->inputs;
    *std::find(inputs.begin(), inputs.end(), variable_of(network, *step)) = value;
    rewriter.release(*step);
    const std::string name = network.value(step->outputs[0]).name;
    value = rewriter.add(step->op, step->name, std::move(inputs), name, step->attributes);
  }
  const Value& result = rewriter.old().value(node.outputs[0]);
  const Shape& shape = network.value(value).type.shape;
  if (shape != result.type.shape) {
    value = add_layout_steps(rewriter, value, {{false, result.type.shape}}, node.name, result.name);
  }
  rewriter.replace(node.outputs[0], value);
  return true;
}

}  // namespace

Network absorb_layouts(const Network& network, const OperatorTable& table, RewriteBudget& budget) {
  return rewrite_nodes(network, table, [&](Rewriter& rewriter, const Node& node) {
    return absorb_before(rewriter, node, budget) || absorb_behind(rewriter, node, budget);
  });
}

}  // namespace boundflow
