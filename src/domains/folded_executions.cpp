#include "domains/folded_executions.hpp"

#include <algorithm>
#include <cmath>

namespace boundflow {

namespace {

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

// By how much a scale may magnify or shrink what an execution works with before it is applied.
double growth(const AffineData& affine) {
  double largest = 1;
  for (const auto& map : affine.maps) {
    if (map->scale() == nullptr) continue;
    for (const double factor : map->scale()->factors) {
      if (factor != 0) largest = std::max({largest, std::fabs(factor), 1 / std::fabs(factor)});
    }
  }
  return largest;
}

}  // namespace

void cover_folded_executions(const Network& network, std::vector<LoweredNode>& nodes) {
  const std::vector<int> uses = count_uses(network);
  // Per value: the nodes that an execution of the value may compute as one sum, the sum of products first.
  std::vector<std::vector<std::size_t>> folded(network.values().size());
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    LoweredNode& node = nodes[n];
    std::vector<std::size_t>& own = folded[static_cast<std::size_t>(node.output)];
    if (is_pointwise(node)) {
      const std::shared_ptr<const AffineData> alone = node.affine;  // outlives what replaces it
      const AffineData& data = *alone;
      const bool adds = data.deployed_roundings > data.deployed_products;
      auto behind = std::make_shared<AffineData>(data);
      for (const ValueId operand : node.operands) {
        if (uses[static_cast<std::size_t>(operand)] != 1) continue;
        for (const std::size_t before : folded[static_cast<std::size_t>(operand)]) {
          // What the node does to a sum, each of its terms may undergo on its own.
          auto sum = std::make_shared<AffineData>(*nodes[before].affine);
          sum->deployed_products += data.deployed_products;
          sum->deployed_roundings += data.deployed_products;
          sum->deployed_growth *= growth(data);
          // What it adds may take part in every partial sum.
          if (adds) behind->deployed_roundings += sum->deployed_roundings - sum->deployed_products;
          nodes[before].affine = std::move(sum);
          own.push_back(before);
        }
      }
      node.affine = std::move(behind);
      if (!own.empty() && data.deployed_roundings > 0) own.push_back(n);
    }
    if (own.empty() && computes_products(node)) own.push_back(n);
  }
}

}  // namespace boundflow
