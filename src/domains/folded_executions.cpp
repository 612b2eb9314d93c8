#include "domains/folded_executions.hpp"

#include <algorithm>

namespace boundflow {

namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

// Each component reads one coordinate of each operand and keeps its place: scales, shifts, sums, renaming.
bool is_pointwise(const LoweredNode& node) {
  if (node.facet != FacetKind::Affine || node.operands.empty()) return false;
  return std::all_of(node.affine->maps.begin(), node.affine->maps.end(), [](const auto& map) {
    if (const IndexMap* index = map->index()) return index->source.empty() || map->transpose_terms() <= 1;
    return map->scale() != nullptr;
  });
}

bool computes_products(const LoweredNode& node) {
  return node.facet == FacetKind::Affine &&
         std::any_of(node.affine->maps.begin(), node.affine->maps.end(), [](const auto& map) { return map->rounds(); });
}

std::vector<int> count_uses(const Network& network) {
  std::vector<int> uses(network.values().size(), 0);
  for (const Node& node : network.nodes()) {
    for (const ValueId input : node.inputs) {
      if (input != kNoValue) ++uses[static_cast<std::size_t>(input)];
    }
  }
  for (const ValueId output : network.outputs()) ++uses[static_cast<std::size_t>(output)];
  return uses;
}

}  // namespace

void cover_folded_executions(const Network& network, std::vector<LoweredNode>& nodes) {
  const std::vector<int> uses = count_uses(network);
  // Per value: the node whose sum of products an execution of the value may be part of.
  std::vector<std::size_t> root(network.values().size(), kNone);
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    LoweredNode& node = nodes[n];
    std::size_t& own_root = root[static_cast<std::size_t>(node.output)];
    if (!is_pointwise(node)) {
      if (computes_products(node)) own_root = n;
      continue;
    }
    auto behind = std::make_shared<AffineData>(*node.affine);
    for (const ValueId operand : node.operands) {
      const std::size_t r =
          uses[static_cast<std::size_t>(operand)] == 1 ? root[static_cast<std::size_t>(operand)] : kNone;
      if (r == kNone) continue;
      own_root = r;
      // What the node does to a product of the sum, each product may undergo on its own.
      auto sum = std::make_shared<AffineData>(*nodes[r].affine);
      sum->deployed_products += node.affine->deployed_products;
      sum->deployed_roundings += node.affine->deployed_products;
      // What it adds may take part in every partial sum.
      const bool adds = node.affine->deployed_roundings > node.affine->deployed_products;
      if (adds) behind->deployed_roundings += sum->deployed_roundings - sum->deployed_products;
      nodes[r].affine = std::move(sum);
    }
    node.affine = std::move(behind);
    if (own_root == kNone && computes_products(node)) own_root = n;  // a scale that others may be folded into
  }
}

}  // namespace boundflow
