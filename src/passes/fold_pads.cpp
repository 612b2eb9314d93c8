#include "passes/fold_pads.hpp"

#include <algorithm>
#include <optional>

#include "base/limits.hpp"

namespace boundflow {

namespace {

// [before.., after..] of the spatial axes, as attribute pads has them; nothing if the node pads anything else or with
// anything else than zeros. Of nodes in their normal spelling.
std::optional<std::vector<std::int64_t>> image_pads(const Network& network, const Node& node) {
  if (node.op != "Pad" || !node.attributes.empty() || node.inputs.size() != 2) return std::nullopt;
  const Tensor* constant = network.value(node.inputs[1]).constant.get();
  if (constant == nullptr) return std::nullopt;
  const std::vector<std::int64_t>& all = constant->int64s();
  const std::size_t rank = all.size() / 2;
  std::vector<std::int64_t> pads;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool spatial = i % rank >= 2;
    if (all[i] < 0 || (!spatial && all[i] != 0)) return std::nullopt;
    if (spatial) pads.push_back(all[i]);
  }
  return pads;
}

bool fold(Rewriter& rewriter, const Node& node, RewriteBudget& budget) {
  if (node.op != "Conv" || node.attributes.contains("auto_pad")) return false;
  const ValueId x = rewriter.now(node.inputs[0]);
  const Node* pad = rewriter.producer(x);
  if (pad == nullptr || rewriter.readers(x) != 1) return false;
  auto pads = image_pads(rewriter.result(), *pad);
  if (!pads) return false;
  const NodeView view(rewriter.old(), node);
  const std::vector<std::int64_t> own = view.ints_attribute("pads", std::vector<std::int64_t>(pads->size(), 0));
  for (std::size_t i = 0; i < pads->size(); ++i) (*pads)[i] += own.at(i);
  if (*std::max_element(pads->begin(), pads->end()) > kMaxWindowExtent || !budget.take()) return false;
  std::vector<ValueId> inputs = rewriter.now(node.inputs);
  inputs[0] = pad->inputs[0];
  Attributes attributes = node.attributes;
  attributes["pads"] = *pads;
  const std::string& name = rewriter.old().value(node.outputs[0]).name;
  rewriter.replace(node.outputs[0], rewriter.add(node.op, node.name, std::move(inputs), name, std::move(attributes)));
  return true;
}

}  // namespace

Network fold_pads(const Network& network, const OperatorTable& table, RewriteBudget& budget) {
  return rewrite_nodes(network, table,
                       [&](Rewriter& rewriter, const Node& node) { return fold(rewriter, node, budget); });
}

}  // namespace boundflow
