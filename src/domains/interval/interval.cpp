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

// The input set itself, up to order, signs and a shift: there a ball is still a ball. Null if it is not.
std::shared_ptr<const std::vector<bool>> moved_ball(const State& state, const LoweredNode& node) {
  if (node.operands.size() != 1 || !state.ball[at(node.operands[0])]) return nullptr;
  const IndexMap* map = node.affine->maps[0]->index();
  if (map == nullptr || node.affine->maps[0]->transpose_terms() > 1) return nullptr;
  const std::vector<bool>& before = *state.ball[at(node.operands[0])];
  if (map->source.empty()) return state.ball[at(node.operands[0])];
  auto moved = std::make_shared<std::vector<bool>>();
  for (const std::int64_t i : map->source) moved->push_back(i >= 0 && before[static_cast<std::size_t>(i)]);
  return moved;
}

void affine(State& state, const LoweredNode& node) {
  TaskOp op{.kind = TaskOpKind::IntervalAffine, .inputs = operand_bounds(state, node), .affine = node.affine};
  state.ball[at(node.output)] = moved_ball(state, node);
  if (node.operands.size() == 1 && !state.ball[at(node.output)]) op.ball = state.ball[at(node.operands[0])];
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
    : network(lowered), builder(to), known(found), ball(lowered.network().values().size()) {}

void emit_input(State& state, bool balls) {
  const ValueId input = state.network.network().input();
  state.builder.emit({.kind = TaskOpKind::InputBox, .outputs = {add_bounds(state, input)}});
  if (!balls) return;
  const auto coordinates = static_cast<std::size_t>(state.network.columns(input));
  state.ball[at(input)] = std::make_shared<const std::vector<bool>>(coordinates, true);
}

void emit(State& state, const LoweredNode& node) {
  rules().apply(state, node);
}

bool supports(const LoweredNode& node) {
  return rules().supports(node);
}

}  // namespace boundflow::interval
