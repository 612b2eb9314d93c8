#include "domains/interval/interval.hpp"

#include "domains/rule_registry.hpp"

namespace boundflow::interval {

namespace {

std::size_t at(ValueId value) {
  return static_cast<std::size_t>(value);
}

std::vector<BufferId> operand_bounds(const State& state, const LoweredNode& node) {
  std::vector<BufferId> bounds;
  for (const ValueId operand : node.operands) bounds.push_back(state.known.bounds[at(operand)]);
  return bounds;
}

BufferId add_bounds(State& state, ValueId value) {
  return state.known.bounds[at(value)] = state.builder.add_buffer(state.network.buffer(BufferKind::Bounds, value));
}

// The input set itself, up to order, signs and a shift: there a ball is still a ball.
bool keeps_ball(const State& state, const LoweredNode& node) {
  if (node.operands.size() != 1 || !state.ball[at(node.operands[0])]) return false;
  const LinearMap& map = *node.affine->maps[0];
  return map.index() != nullptr && map.transpose_terms() <= 1;
}

void affine(State& state, const LoweredNode& node) {
  TaskOp op{.kind = TaskOpKind::IntervalAffine, .inputs = operand_bounds(state, node), .affine = node.affine};
  op.at_input = node.operands.size() == 1 && state.ball[at(node.operands[0])] && !keeps_ball(state, node);
  state.ball[at(node.output)] = keeps_ball(state, node);
  const BufferId bounds = add_bounds(state, node.output);
  const BufferId weights = state.builder.add_buffer(state.network.buffer(BufferKind::ErrorWeights, node.output));
  op.outputs = {bounds, weights};
  state.known.error_weights[at(node.output)] = weights;
  state.builder.emit(std::move(op));
}

void elementwise(State& state, const LoweredNode& node) {
  TaskOp op{.kind = TaskOpKind::IntervalImage, .inputs = operand_bounds(state, node)};
  op.outputs = {add_bounds(state, node.output)};
  op.function = node.function;
  op.unit_roundoff = node.unit_roundoff;
  state.builder.emit(std::move(op));
}

void joint(State& state, const LoweredNode& node) {
  TaskOp op{.kind = TaskOpKind::IntervalJoint, .inputs = operand_bounds(state, node)};
  op.outputs = {add_bounds(state, node.output)};
  op.joint = node.joint;
  op.unit_roundoff = node.unit_roundoff;
  state.builder.emit(std::move(op));
}

const RuleRegistry<State>& rules() {
  static const RuleRegistry<State> table("interval", {
                                                         {FacetKind::Affine, affine},
                                                         {FacetKind::Elementwise, elementwise},
                                                         {FacetKind::Joint, joint},
                                                     });
  return table;
}

}  // namespace

State::State(const LoweredNetwork& lowered, ProgramBuilder& to, KnownBounds& found)
    : network(lowered), builder(to), known(found), ball(lowered.network().values().size(), false) {}

void emit_input(State& state, bool balls) {
  const ValueId input = state.network.network().input();
  state.builder.emit({.kind = TaskOpKind::InputBox, .outputs = {add_bounds(state, input)}});
  state.ball[at(input)] = balls;
}

void emit(State& state, const LoweredNode& node) {
  rules().apply(state, node);
}

bool supports(const LoweredNode& node) {
  return rules().supports(node);
}

}  // namespace boundflow::interval
