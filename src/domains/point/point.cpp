#include "domains/point/point.hpp"

#include "domains/rule_registry.hpp"

namespace boundflow::point {

namespace {

struct State {
  const LoweredNetwork& network;
  ProgramBuilder& builder;
  std::vector<BufferId> points;      // per value
  std::vector<BufferId> cotangents;  // per value
};

std::size_t at(ValueId value) {
  return static_cast<std::size_t>(value);
}

void forward_affine(State& state, const LoweredNode& node) {
  TaskOp op{.kind = TaskOpKind::AffineForward, .affine = node.affine};
  for (const ValueId operand : node.operands) op.inputs.push_back(state.points[at(operand)]);
  const BufferId result = state.builder.add_buffer(state.network.buffer(BufferKind::Points, node.output));
  op.outputs = {result};
  state.builder.emit(std::move(op));
  state.points[at(node.output)] = result;
}

void forward_elementwise(State& state, const LoweredNode& node) {
  const BufferId result = state.builder.add_buffer(state.network.buffer(BufferKind::Points, node.output));
  state.builder.emit({.kind = TaskOpKind::ScalarValue,
                      .inputs = {state.points[at(node.operands[0])]},
                      .outputs = {result},
                      .function = node.function});
  state.points[at(node.output)] = result;
}

void forward_joint(State& state, const LoweredNode& node) {
  TaskOp op{.kind = TaskOpKind::JointValue};
  for (const ValueId operand : node.operands) op.inputs.push_back(state.points[at(operand)]);
  op.outputs = {state.builder.add_buffer(state.network.buffer(BufferKind::Points, node.output))};
  op.joint = node.joint;
  state.points[at(node.output)] = op.outputs[0];
  state.builder.emit(std::move(op));
}

void arrive(State& state, ValueId value, BufferId rows) {
  BufferId& there = state.cotangents[at(value)];
  if (there == kNoBuffer) {
    there = rows;
    return;
  }
  const BufferId sum = state.builder.add_buffer(state.network.buffer(BufferKind::Rows, value));
  state.builder.emit({.kind = TaskOpKind::AddRows, .inputs = {there, rows}, .outputs = {sum}});
  there = sum;
}

void backward_affine(State& state, const LoweredNode& node) {
  const BufferId rows = state.cotangents[at(node.output)];
  for (std::size_t t = 0; t < node.operands.size(); ++t) {
    const ValueId operand = node.operands[t];
    const BufferId result = state.builder.add_buffer(state.network.buffer(BufferKind::Rows, operand));
    state.builder.emit(
        {.kind = TaskOpKind::Transpose, .inputs = {rows}, .outputs = {result}, .affine = node.affine, .term = t});
    arrive(state, operand, result);
  }
}

void backward_elementwise(State& state, const LoweredNode& node) {
  const ValueId operand = node.operands[0];
  const BufferId result = state.builder.add_buffer(state.network.buffer(BufferKind::Rows, operand));
  state.builder.emit({.kind = TaskOpKind::ScaleByDerivative,
                      .inputs = {state.cotangents[at(node.output)], state.points[at(operand)]},
                      .outputs = {result},
                      .function = node.function});
  arrive(state, operand, result);
}

void backward_joint(State& state, const LoweredNode& node) {
  TaskOp op{.kind = TaskOpKind::JointGradient};
  for (const ValueId operand : node.operands) {
    op.inputs.push_back(state.points[at(operand)]);
    op.outputs.push_back(state.builder.add_buffer(state.network.buffer(BufferKind::Rows, operand)));
  }
  op.inputs.push_back(state.cotangents[at(node.output)]);
  op.joint = node.joint;
  const std::vector<BufferId> results = op.outputs;
  state.builder.emit(std::move(op));
  for (std::size_t t = 0; t < node.operands.size(); ++t) arrive(state, node.operands[t], results[t]);
}

const RuleRegistry<State>& forward_rules() {
  static const RuleRegistry<State> table("point", {
                                                      {FacetKind::Affine, forward_affine},
                                                      {FacetKind::Elementwise, forward_elementwise},
                                                      {FacetKind::Joint, forward_joint},
                                                  });
  return table;
}

const RuleRegistry<State>& backward_rules() {
  static const RuleRegistry<State> table("point", {
                                                      {FacetKind::Affine, backward_affine},
                                                      {FacetKind::Elementwise, backward_elementwise},
                                                      {FacetKind::Joint, backward_joint},
                                                  });
  return table;
}

}  // namespace

void emit(const LoweredNetwork& network, ProgramBuilder& builder, bool gradients) {
  const std::size_t values = network.network().values().size();
  State state{network, builder, std::vector<BufferId>(values, kNoBuffer), std::vector<BufferId>(values, kNoBuffer)};
  const ValueId input = network.network().input();
  const ValueId output = network.network().output();

  builder.begin_task({.name = "values", .kind = TaskKind::Points});
  state.points[at(input)] = builder.add_buffer(network.buffer(BufferKind::Points, input));
  builder.emit({.kind = TaskOpKind::LoadPoints, .outputs = {state.points[at(input)]}});
  for (const LoweredNode& node : network.nodes()) forward_rules().apply(state, node);
  builder.emit({.kind = TaskOpKind::StorePoints, .inputs = {state.points[at(output)]}});
  if (!gradients) return;

  builder.begin_task({.name = "gradients", .kind = TaskKind::Points});
  state.cotangents[at(output)] = builder.add_buffer(network.buffer(BufferKind::Rows, output));
  builder.emit({.kind = TaskOpKind::LoadCotangents, .outputs = {state.cotangents[at(output)]}});
  for (std::size_t i = network.nodes().size(); i-- > 0;) {
    const LoweredNode& node = network.nodes()[i];
    if (state.cotangents[at(node.output)] != kNoBuffer) backward_rules().apply(state, node);
  }
  builder.emit({.kind = TaskOpKind::StoreGradients, .inputs = {state.cotangents[at(input)]}});
}

bool supports(const LoweredNode& node) {
  return forward_rules().supports(node) && backward_rules().supports(node);
}

}  // namespace boundflow::point
