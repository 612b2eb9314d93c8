#include "engine/lower.hpp"

#include "domains/crown/crown.hpp"
#include "domains/interval/interval.hpp"
#include "domains/point/point.hpp"

namespace boundflow {

namespace {

// How far interval steps from the input box still give each coordinate's exact range (in real arithmetic).
enum class Exactness {
  Independent,  // coordinates vary independently: the input box and what data movement makes of it
  Exact,        // one linear map of independent coordinates: ranges are exact, coordinates depend on each other
  Loose,        // interval arithmetic has lost dependencies: a backward walk can tighten
};

Exactness exactness_after(const LoweredNode& node, const std::vector<Exactness>& known) {
  if (node.facet == FacetKind::Elementwise || node.operands.size() != 1) return Exactness::Loose;
  const Exactness before = known[static_cast<std::size_t>(node.operands[0])];
  const LinearMap& map = *node.affine->maps[0];
  const bool moves = map.index() != nullptr && map.transpose_terms() <= 1;
  if (moves) return before;
  return before == Exactness::Independent ? Exactness::Exact : Exactness::Loose;
}

}  // namespace

BoundProgram lower_bounds(const LoweredNetwork& network, const BoundLowering& options) {
  const std::size_t values = network.network().values().size();
  ProgramBuilder builder;
  KnownBounds known(values);
  std::vector<Exactness> exactness(values, Exactness::Independent);
  std::vector<bool> tightened(values, false);
  interval::State forward{network, builder, known};

  builder.begin_task({.name = "input", .kind = TaskKind::Batch});
  interval::emit_input(forward);
  for (const LoweredNode& node : network.nodes()) {
    const std::string& name = network.network().value(node.output).name;
    if (node.facet == FacetKind::Elementwise) {
      const ValueId operand = node.operands[0];
      const auto k = static_cast<std::size_t>(operand);
      const bool first_visit = !tightened[k];
      tightened[k] = true;
      if (first_visit && options.intermediate == IntermediateBounds::Crown && exactness[k] == Exactness::Loose) {
        builder.begin_task({.name = "bounds of " + network.network().value(operand).name,
                            .kind = TaskKind::Neurons,
                            .target = known.bounds[k],
                            .function = node.function});
        crown::emit_neurons(network, builder, known, operand);
      }
      builder.begin_task({.name = "interval of " + name, .kind = TaskKind::Batch});
      crown::emit_lines(builder, known, node, network.columns(operand));
    } else {
      builder.begin_task({.name = "interval of " + name, .kind = TaskKind::Batch});
    }
    interval::emit(forward, node);
    exactness[static_cast<std::size_t>(node.output)] = exactness_after(node, exactness);
  }
  builder.begin_task({.name = "specification", .kind = TaskKind::Spec});
  crown::emit_spec(network, builder, known, options.input_terms);
  return builder.finish(network.columns(network.network().input()), network.columns(network.network().output()));
}

BoundProgram lower_values(const LoweredNetwork& network, bool gradients) {
  ProgramBuilder builder;
  point::emit(network, builder, gradients);
  return builder.finish(network.columns(network.network().input()), network.columns(network.network().output()));
}

}  // namespace boundflow
