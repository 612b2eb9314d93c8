#include "domains/crown/sweep.hpp"

#include <algorithm>
#include <optional>

#include "domains/crown/windows.hpp"
#include "domains/rule_registry.hpp"

namespace boundflow::crown {

namespace {

std::size_t at(ValueId value) {
  return static_cast<std::size_t>(value);
}

struct Sweep {
  const State& walk;
  std::vector<BufferId> points;  // per value, in the window of the rows that left it

  const std::optional<Window>& window_of(ValueId value) const {
    return walk.builder.buffer(walk.reached[at(value)]).window;
  }
  BufferId add_points(ValueId value, const std::optional<Window>& window) const {
    return walk.builder.add_buffer(in_window(walk.network.buffer(BufferKind::Points, value), window));
  }
  BufferId add_points(ValueId value) const { return add_points(value, window_of(value)); }
  // The points of a value, of which rows have passed more than what is asked for where several nodes read it.
  BufferId points_in(ValueId value, const std::optional<Window>& window) const {
    const BufferId all = points[at(value)];
    if (!window || walk.builder.buffer(all).window == window) return all;
    const BufferId cut = add_points(value, window);
    walk.builder.emit({.kind = TaskOpKind::CutWindow, .inputs = {all}, .outputs = {cut}});
    return cut;
  }
};

// What a map reads of its operand for the window of its result.
std::optional<Window> read_by(const LinearMap& map, const std::optional<Window>& window) {
  if (!window || map.is_identity()) return window;
  return through(map, *window);
}

void affine(Sweep& state, const LoweredNode& node) {
  TaskOp op{.kind = TaskOpKind::AffineForward, .affine = node.affine};
  for (std::size_t t = 0; t < node.operands.size(); ++t) {
    op.inputs.push_back(
        state.points_in(node.operands[t], read_by(*node.affine->maps[t], state.window_of(node.output))));
  }
  op.outputs = {state.add_points(node.output)};
  state.points[at(node.output)] = op.outputs[0];
  state.walk.builder.emit(std::move(op));
}

void elementwise(Sweep& state, const LoweredNode& node) {
  const BufferId result = state.add_points(node.output);
  state.walk.builder.emit(
      {.kind = TaskOpKind::LineValue,
       .inputs = {state.points_in(node.operands[0], state.window_of(node.output)), state.walk.reached[at(node.output)],
                  state.walk.known.relaxations[at(node.output)]},
       .outputs = {result}});
  state.points[at(node.output)] = result;
}

void joint(Sweep& state, const LoweredNode& node) {
  TaskOp op{.kind = TaskOpKind::PlaneValue, .joint = node.joint};
  for (const ValueId operand : node.operands) op.inputs.push_back(state.points[at(operand)]);
  op.inputs.push_back(state.walk.reached[at(node.output)]);
  op.inputs.push_back(state.walk.known.relaxations[at(node.output)]);
  op.outputs = {state.add_points(node.output)};
  state.points[at(node.output)] = op.outputs[0];
  state.walk.builder.emit(std::move(op));
}

const RuleRegistry<Sweep>& rules() {
  static const RuleRegistry<Sweep> table(
      "sweep", {{FacetKind::Affine, affine}, {FacetKind::Elementwise, elementwise}, {FacetKind::Joint, joint}});
  return table;
}

}  // namespace

void sweep(State& walk, const std::vector<NeuronLayer>& layers, bool to_output) {
  const ValueId input = walk.network.network().input();
  Sweep state{walk, std::vector<BufferId>(walk.known.bounds.size(), kNoBuffer)};
  state.points[at(input)] = state.add_points(input);
  walk.builder.begin_task({.name = "sweep", .kind = TaskKind::Spec});
  walk.builder.emit({.kind = TaskOpKind::Minimizer,
                     .inputs = {walk.rows[at(input)], walk.known.bounds[at(input)]},
                     .outputs = {state.points[at(input)]}});
  for (const LoweredNode& node : walk.network.nodes()) {
    // What the rows do not pass has no part in them.
    if (walk.reached[at(node.output)] == kNoBuffer) continue;
    const auto layer =
        node.facet != FacetKind::Elementwise
            ? layers.end()
            : std::find_if(layers.begin(), layers.end(), [&](const auto& l) { return l.value == node.operands[0]; });
    if (layer != layers.end()) {
      walk.builder.emit(
          {.kind = TaskOpKind::KeepPoints, .inputs = {state.points[at(layer->value)]}, .offset = layer->offset});
      walk.builder.emit(
          {.kind = TaskOpKind::KeepRows, .inputs = {walk.reached[at(node.output)]}, .offset = layer->offset});
    }
    rules().apply(state, node);
  }
  if (!to_output) return;
  walk.builder.emit({.kind = TaskOpKind::StorePoints, .inputs = {state.points[at(walk.network.network().output())]}});
}

}  // namespace boundflow::crown
