#include "passes/compose_layouts.hpp"

#include "passes/rearrangement.hpp"

namespace boundflow {

namespace {

// One way to write the end of a chain.
struct Candidate {
  ValueId from = kNoValue;
  std::vector<LayoutStep> steps;
  std::int64_t gain = -1;    // nodes that the network loses
  std::int64_t shorter = 0;  // nodes that the chain loses
};

bool compose(Rewriter& rewriter, const Node& node, RewriteBudget& budget) {
  const Network& old = rewriter.old();
  const auto own = rearrangement(old, rewriter.table(), node);
  if (!own) return false;
  const Shape& to = old.value(node.outputs[0]).type.shape;
  Candidate best;
  Sources sources = own->sources;
  ValueId from = rewriter.now(own->operand);
  // Nodes of the chain that nobody else reads go with it.
  std::int64_t length = 1, freed = 1;
  for (bool alone = true;; ++length) {
    const auto steps = layout_steps(rewriter.result().value(from).type.shape, to, sources);
    if (steps && (!steps->empty() || rewriter.replaceable(node.outputs[0], from))) {
      const auto count = static_cast<std::int64_t>(steps->size());
      const Candidate candidate{from, *steps, freed - count, length - count};
      if (candidate.shorter > 0 && candidate.gain >= 0 &&
          std::pair(candidate.gain, candidate.shorter) > std::pair(best.gain, best.shorter)) {
        best = candidate;
      }
    }
    const Node* before = rewriter.producer(from);
    if (before == nullptr) break;
    const auto further = rearrangement(rewriter.result(), rewriter.table(), *before);
    if (!further) break;
    alone = alone && rewriter.readers(from) == 1;
    if (alone) ++freed;
    sources = composed(further->sources, sources);
    from = further->operand;
  }
  if (best.shorter == 0 || !budget.take()) return false;
  const std::string& name = old.value(node.outputs[0]).name;
  rewriter.replace(node.outputs[0], add_layout_steps(rewriter, best.from, best.steps, node.name, name));
  return true;
}

}  // namespace

Network compose_layouts(const Network& network, const OperatorTable& table, RewriteBudget& budget) {
  return rewrite_nodes(network, table,
                       [&](Rewriter& rewriter, const Node& node) { return compose(rewriter, node, budget); });
}

}  // namespace boundflow
