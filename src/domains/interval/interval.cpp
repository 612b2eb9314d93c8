#include "domains/interval/interval.hpp"

#include "domains/rule_registry.hpp"

namespace boundflow::interval {

namespace {

void affine(State& state, const LoweredNode& node) {
  TaskOp op{.kind = TaskOpKind::IntervalAffine, .affine = node.affine};
  for (const ValueId operand : node.operands)
    op.inputs.push_back(state.known.bounds[static_cast<std::size_t>(operand)]);
  const std::int64_t columns = state.network.columns(node.output);
  const BufferId bounds = state.builder.add_buffer(BufferKind::Bounds, node.output, columns);
  const BufferId weights = state.builder.add_buffer(BufferKind::ErrorWeights, node.output, columns);
  op.outputs = {bounds, weights};
  state.known.bounds[static_cast<std::size_t>(node.output)] = bounds;
  state.known.error_weights[static_cast<std::size_t>(node.output)] = weights;
  state.builder.emit(std::move(op));
}

void elementwise(State& state, const LoweredNode& node) {
  const BufferId bounds = state.builder.add_buffer(BufferKind::Bounds, node.output, state.network.columns(node.output));
  state.builder.emit({.kind = TaskOpKind::IntervalImage,
                      .inputs = {state.known.bounds[static_cast<std::size_t>(node.operands[0])]},
                      .outputs = {bounds},
                      .function = node.function,
                      .unit_roundoff = node.unit_roundoff});
  state.known.bounds[static_cast<std::size_t>(node.output)] = bounds;
}

const RuleRegistry<State>& rules() {
  static const RuleRegistry<State> table("interval", {
                                                         {FacetKind::Affine, affine},
                                                         {FacetKind::Elementwise, elementwise},
                                                     });
  return table;
}

}  // namespace

void emit_input(State& state) {
  const ValueId input = state.network.network().input();
  const BufferId bounds = state.builder.add_buffer(BufferKind::Bounds, input, state.network.columns(input));
  state.builder.emit({.kind = TaskOpKind::InputBox, .outputs = {bounds}});
  state.known.bounds[static_cast<std::size_t>(input)] = bounds;
}

void emit(State& state, const LoweredNode& node) {
  rules().apply(state, node);
}

}  // namespace boundflow::interval
