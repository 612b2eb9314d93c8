#include "domains/crown/crown.hpp"

#include "domains/rule_registry.hpp"

namespace boundflow::crown {

namespace {

std::size_t at(ValueId value) {
  return static_cast<std::size_t>(value);
}

// Adds rows that arrive at `value`; at a join both ways are summed.
void arrive(State& state, ValueId value, BufferId rows) {
  BufferId& there = state.rows[at(value)];
  if (there == kNoBuffer) {
    there = rows;
    return;
  }
  const BufferId sum = state.builder.add_buffer(BufferKind::Rows, value, state.network.columns(value));
  state.builder.emit(
      {.kind = TaskOpKind::Accumulate, .inputs = {there, rows, state.known.bounds[at(value)]}, .outputs = {sum}});
  there = sum;
}

bool needs_bias_and_error(const AffineData& affine) {
  if (!affine.bias.empty() || affine.deployed_roundings > 0) return true;
  for (const auto& map : affine.maps) {
    if (map->transpose_rounds()) return true;
  }
  return false;
}

void affine(State& state, const LoweredNode& node) {
  const BufferId rows = state.rows[at(node.output)];
  if (needs_bias_and_error(*node.affine)) {
    state.builder.emit({.kind = TaskOpKind::BiasAndError,
                        .inputs = {rows, state.known.error_weights[at(node.output)]},
                        .affine = node.affine});
  }
  for (std::size_t t = 0; t < node.operands.size(); ++t) {
    const ValueId operand = node.operands[t];
    if (node.affine->maps[t]->is_identity()) {
      arrive(state, operand, rows);
      continue;
    }
    const BufferId result = state.builder.add_buffer(BufferKind::Rows, operand, state.network.columns(operand));
    state.builder.emit(
        {.kind = TaskOpKind::Transpose, .inputs = {rows}, .outputs = {result}, .affine = node.affine, .term = t});
    arrive(state, operand, result);
  }
}

void elementwise(State& state, const LoweredNode& node) {
  const ValueId operand = node.operands[0];
  const BufferId result = state.builder.add_buffer(BufferKind::Rows, operand, state.network.columns(operand));
  state.builder.emit({.kind = TaskOpKind::ApplyRelaxation,
                      .inputs = {state.rows[at(node.output)], state.known.lines[at(node.output)]},
                      .outputs = {result}});
  arrive(state, operand, result);
}

const RuleRegistry<State>& rules() {
  static const RuleRegistry<State> table("crown", {
                                                      {FacetKind::Affine, affine},
                                                      {FacetKind::Elementwise, elementwise},
                                                  });
  return table;
}

// Walks all rows down to the input through the nodes before `end` in reverse order, and concretizes there.
void walk_back(State& state, std::size_t end) {
  const auto& nodes = state.network.nodes();
  for (std::size_t i = end; i-- > 0;) {
    if (state.rows[at(nodes[i].output)] != kNoBuffer) rules().apply(state, nodes[i]);
  }
  const ValueId input = state.network.network().input();
  ensure(state.rows[at(input)] != kNoBuffer, "a row did not reach the input");
  state.builder.emit(
      {.kind = TaskOpKind::Concretize, .inputs = {state.rows[at(input)], state.known.bounds[at(input)]}});
}

State start(const LoweredNetwork& network, ProgramBuilder& builder, const KnownBounds& known) {
  return {network, builder, known, std::vector<BufferId>(network.network().values().size(), kNoBuffer)};
}

}  // namespace

void emit_lines(ProgramBuilder& builder, KnownBounds& known, const LoweredNode& node, std::int64_t columns) {
  const ValueId operand = node.operands[0];
  const BufferId lines = builder.add_buffer(BufferKind::Lines, operand, columns);
  builder.emit({.kind = TaskOpKind::Relax,
                .inputs = {known.bounds[at(operand)]},
                .outputs = {lines},
                .function = node.function,
                .unit_roundoff = node.unit_roundoff});
  known.lines[at(node.output)] = lines;
}

void emit_neurons(const LoweredNetwork& network, ProgramBuilder& builder, const KnownBounds& known, ValueId target) {
  State state = start(network, builder, known);
  const std::int64_t producer = network.producer(target);
  ensure(producer >= 0, "rows of the network's input need no walk");
  const LoweredNode& node = network.nodes().at(static_cast<std::size_t>(producer));
  // e_i carried through y = W x + b is row i of W: no product is needed.
  const bool gather = node.facet == FacetKind::Affine && node.affine->maps.size() == 1 &&
                      node.affine->maps[0]->dense() && node.affine->maps[0]->dense()->outer == 1 &&
                      node.affine->maps[0]->dense()->inner == 1;
  if (gather) {
    const ValueId operand = node.operands[0];
    const BufferId rows = builder.add_buffer(BufferKind::Rows, operand, network.columns(operand));
    builder.emit({.kind = TaskOpKind::GatherRows,
                  .inputs = {known.error_weights[at(target)]},
                  .outputs = {rows},
                  .affine = node.affine});
    state.rows[at(operand)] = rows;
    walk_back(state, static_cast<std::size_t>(producer));
  } else {
    const BufferId rows = builder.add_buffer(BufferKind::Rows, target, network.columns(target));
    builder.emit({.kind = TaskOpKind::OneHot, .outputs = {rows}});
    state.rows[at(target)] = rows;
    walk_back(state, static_cast<std::size_t>(producer) + 1);
  }
}

void emit_spec(const LoweredNetwork& network, ProgramBuilder& builder, const KnownBounds& known, bool input_terms) {
  State state = start(network, builder, known);
  const ValueId output = network.network().output();
  const ValueId input = network.network().input();
  const BufferId rows = builder.add_buffer(BufferKind::Rows, output, network.columns(output));
  builder.emit({.kind = TaskOpKind::SpecRows, .inputs = {known.bounds[at(output)]}, .outputs = {rows}});
  arrive(state, output, rows);
  if (input_terms) {
    const BufferId input_rows = builder.add_buffer(BufferKind::Rows, input, network.columns(input));
    builder.emit({.kind = TaskOpKind::SpecInputRows, .inputs = {known.bounds[at(input)]}, .outputs = {input_rows}});
    arrive(state, input, input_rows);
  }
  walk_back(state, network.nodes().size());
}

}  // namespace boundflow::crown
