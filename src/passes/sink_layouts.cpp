#include "passes/sink_layouts.hpp"

#include <algorithm>

#include "passes/rearrangement.hpp"

namespace boundflow {

namespace {

using Permutation = std::vector<std::int64_t>;

// What stands before every operand of a node that is no constant.
struct Common {
  Node layout;  // of the new network, one of several that are alike
  Shape from;
  Shape to;
  Sources sources;
  std::optional<Permutation> axes;  // if it is one Transpose
  bool sole_reader = false;         // of `layout`
};

// The common rearrangement of the operands; nothing if they differ, or if no node would become superfluous.
std::optional<Common> common_rearrangement(const Rewriter& rewriter, const std::vector<ValueId>& operands) {
  const Network& network = rewriter.result();
  std::optional<Common> common;
  bool frees = false;
  for (const ValueId operand : operands) {
    if (operand == kNoValue || network.is_constant(operand)) continue;
    const Node* layout = rewriter.producer(operand);
    if (layout == nullptr) return std::nullopt;
    const auto moved = rearrangement(network, rewriter.table(), *layout);
    if (!moved) return std::nullopt;
    const Shape &from = network.value(moved->operand).type.shape, &to = network.value(operand).type.shape;
    const bool alone = rewriter.readers(operand) == std::count(operands.begin(), operands.end(), operand);
    frees = frees || alone;
    if (!common) common = Common{*layout, from, to, moved->sources, axis_permutation(from, to, moved->sources), alone};
    const bool alike = common->sources == moved->sources && common->from == from && common->to == to;
    const bool same_axes = common->axes && common->axes == axis_permutation(from, to, moved->sources);
    if (!alike && !same_axes) return std::nullopt;
  }
  return frees ? common : std::nullopt;
}

// The constant that gives the same result before the rearrangement; nothing if it would have to be spread out.
std::optional<Tensor> before(const Tensor& constant, const Common& common) {
  if (constant.size() == 1) {
    return static_cast<std::size_t>(constant.shape().size()) <= common.from.size() ? constant : constant.reshaped({});
  }
  if (constant.shape() == common.to) {
    if (common.sources.empty()) return constant.reshaped(common.from);
    std::vector<std::int64_t> inverse(common.sources.size());
    for (std::size_t j = 0; j < inverse.size(); ++j) {
      inverse[static_cast<std::size_t>(common.sources[j])] = static_cast<std::int64_t>(j);
    }
    return constant.gathered(common.from, inverse);
  }
  if (!common.axes || constant.shape().size() > common.to.size()) return std::nullopt;
  // Its axes, missing ones in front, are a result's, and go back to where they came from.
  const std::size_t rank = common.to.size();
  Shape aligned(rank - constant.shape().size(), 1);
  aligned.insert(aligned.end(), constant.shape().begin(), constant.shape().end());
  const std::vector<std::int64_t> strides = row_major_strides(aligned);
  Shape shape(rank);
  std::vector<std::int64_t> own_strides(rank);
  for (std::size_t d = 0; d < rank; ++d) {
    shape[static_cast<std::size_t>((*common.axes)[d])] = aligned[d];
    own_strides[static_cast<std::size_t>((*common.axes)[d])] = strides[d];
  }
  const Sources sources = strided_sources(shape, 0, own_strides, constant.size());
  return sources.empty() ? constant.reshaped(shape) : constant.gathered(shape, sources);
}

// The attributes before the rearrangement: the axis of a Concat moves with it.
std::optional<Attributes> attributes_before(const Rewriter& rewriter, const Node& node, const Common& common) {
  const Operator& op = rewriter.table().at(node);
  if (op.pointwise) return node.attributes;
  if (!op.concatenates || !common.axes) return std::nullopt;
  const auto rank = static_cast<std::int64_t>(common.axes->size());
  const std::int64_t axis = NodeView(rewriter.old(), node).int_attribute("axis", 0);
  Attributes attributes = node.attributes;
  attributes["axis"] = (*common.axes)[static_cast<std::size_t>(axis < 0 ? axis + rank : axis)];
  return attributes;
}

bool sink(Rewriter& rewriter, const Node& node, RewriteBudget& budget) {
  const Operator& op = rewriter.table().at(node);
  if ((!op.pointwise && !op.concatenates) || node.outputs.size() != 1) return false;
  const auto common = common_rearrangement(rewriter, rewriter.now(node.inputs));
  if (!common) return false;
  const Shape& shape = rewriter.old().value(node.outputs[0]).type.shape;
  // A pointwise operator must not stretch its operands, since the rearrangement is one of their shape.
  if (op.pointwise && shape != common->to) return false;
  auto attributes = attributes_before(rewriter, node, *common);
  if (!attributes) return false;
  std::vector<std::optional<Tensor>> constants;
  for (const ValueId operand : node.inputs) {
    constants.emplace_back();
    if (operand == kNoValue || !rewriter.old().is_constant(operand)) continue;
    constants.back() = before(*rewriter.old().value(operand).constant, *common);
    if (!constants.back()) return false;
  }
  if (!budget.take()) return false;
  std::vector<ValueId> operands;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const ValueId now = rewriter.now(node.inputs[i]);
    if (constants[i]) {
      const Value& old = rewriter.old().value(node.inputs[i]);
      const bool same = constants[i]->shape() == old.type.shape && constants[i]->data() == old.constant->data();
      operands.push_back(same ? now : rewriter.add_constant(old.name, std::move(*constants[i])));
    } else {
      operands.push_back(now == kNoValue
                             ? kNoValue
                             : rearrangement(rewriter.result(), rewriter.table(), *rewriter.producer(now))->operand);
    }
  }
  const std::string& name = rewriter.old().value(node.outputs[0]).name;
  const ValueId moved = rewriter.add(node.op, node.name, std::move(operands), name, std::move(*attributes));
  if (common->sole_reader) rewriter.release(common->layout);
  if (op.concatenates) {
    const Node& layout = common->layout;
    rewriter.replace(node.outputs[0], rewriter.add("Transpose", layout.name, {moved}, name, {{"perm", *common->axes}}));
    return true;
  }
  std::vector<ValueId> inputs = common->layout.inputs;
  for (ValueId& input : inputs) {
    if (input != kNoValue && !rewriter.result().is_constant(input)) input = moved;
  }
  const Node& layout = common->layout;
  rewriter.replace(node.outputs[0], rewriter.add(layout.op, layout.name, std::move(inputs), name, layout.attributes));
  return true;
}

}  // namespace

Network sink_layouts(const Network& network, const OperatorTable& table, RewriteBudget& budget) {
  return rewrite_nodes(network, table,
                       [&](Rewriter& rewriter, const Node& node) { return sink(rewriter, node, budget); });
}

}  // namespace boundflow
