#include "passes/normal_spelling.hpp"

#include <algorithm>

#include "passes/rearrangement.hpp"

namespace boundflow {

namespace {

using Input = std::variant<ValueId, Tensor>;

bool equal(const Tensor& a, const Tensor& b) {
  return a.type() == b.type() && a.data() == b.data();
}

bool equal(const Attribute& a, const Attribute& b) {
  if (a.index() != b.index()) return false;
  if (const Tensor* tensor = std::get_if<Tensor>(&a)) return equal(*tensor, std::get<Tensor>(b));
  bool same = false;
  std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (!std::is_same_v<T, Tensor>) same = value == std::get<T>(b);
      },
      a);
  return same;
}

bool is_spelled(const NodeView& node, const Spelling& spelling) {
  const Node& own = node.node();
  const bool same_inputs =
      own.inputs.size() == spelling.inputs.size() &&
      std::equal(own.inputs.begin(), own.inputs.end(), spelling.inputs.begin(), [&](ValueId id, const Input& input) {
        if (const ValueId* value = std::get_if<ValueId>(&input)) return *value == id;
        return id != kNoValue && node.network().is_constant(id) &&
               equal(*node.network().value(id).constant, std::get<Tensor>(input));
      });
  return own.op == spelling.op && same_inputs &&
         std::equal(own.attributes.begin(), own.attributes.end(), spelling.attributes.begin(),
                    spelling.attributes.end(),
                    [](const auto& a, const auto& b) { return a.first == b.first && equal(a.second, b.second); });
}

// As a Reshape, if the node is one. What changes nothing at all is gone behind compose-layouts.
std::optional<Spelling> as_reshape(const NodeView& node, const OperatorTable& table) {
  const auto moved = rearrangement(node.network(), table, node.node());
  if (!moved || !moved->sources.empty()) return std::nullopt;
  if (node.network().value(moved->operand).type == node.output_type()) return std::nullopt;
  return Spelling{"Reshape", {moved->operand, index_vector(node.output_type().shape)}, {}};
}

std::vector<Spelling> spellings(const NodeView& node, const OperatorTable& table) {
  if (auto reshape = as_reshape(node, table)) return {std::move(*reshape)};
  const auto spell = table.at(node.node()).spell;
  return spell == nullptr ? std::vector<Spelling>{} : spell(node);
}

bool write(Rewriter& rewriter, const Node& node, RewriteBudget& budget) {
  const NodeView view(rewriter.old(), node);
  if (reads_constants_only(rewriter.old(), node)) return false;  // folded, or refused by whoever lowers it
  const std::vector<Spelling> all = spellings(view, rewriter.table());
  if (all.empty() || (all.size() == 1 && is_spelled(view, all[0]))) return false;
  ensure(all.size() == node.outputs.size(), "normal spelling: one per output expected");
  if (!budget.take()) return false;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Value& result = rewriter.old().value(node.outputs[i]);
    const std::string name = all.size() == 1 ? node.name : node.name + "." + std::to_string(i);
    std::vector<ValueId> inputs;
    for (std::size_t k = 0; k < all[i].inputs.size(); ++k) {
      const Input& input = all[i].inputs[k];
      const ValueId* value = std::get_if<ValueId>(&input);
      inputs.push_back(value != nullptr
                           ? rewriter.now(*value)
                           : rewriter.add_constant(name + ".input" + std::to_string(k), std::get<Tensor>(input)));
    }
    rewriter.replace(node.outputs[i], rewriter.add(all[i].op, name, std::move(inputs), result.name, all[i].attributes));
  }
  return true;
}

}  // namespace

Network normal_spelling(const Network& network, const OperatorTable& table, RewriteBudget& budget) {
  return rewrite_nodes(network, table,
                       [&](Rewriter& rewriter, const Node& node) { return write(rewriter, node, budget); });
}

}  // namespace boundflow
