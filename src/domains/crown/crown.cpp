#include "domains/crown/crown.hpp"

#include <optional>

#include "domains/crown/sweep.hpp"
#include "domains/crown/windows.hpp"
#include "domains/rule_registry.hpp"

namespace boundflow::crown {

namespace {

std::size_t at(ValueId value) {
  return static_cast<std::size_t>(value);
}

const std::optional<Window>& window_of(const State& state, BufferId rows) {
  return state.builder.buffer(rows).window;
}

BufferId add_rows(State& state, ValueId value, const std::optional<Window>& window = std::nullopt) {
  return state.builder.add_buffer(in_window(state.network.buffer(BufferKind::Rows, value), window));
}

BufferId to_image(State& state, BufferId rows) {
  if (!window_of(state, rows)) return rows;
  const BufferId image = add_rows(state, state.builder.buffer(rows).value);
  state.builder.emit({.kind = TaskOpKind::WindowToImage, .inputs = {rows}, .outputs = {image}});
  return image;
}

// The same of a value that rows leave as an image; a sweep comes back to it as one.
BufferId leave_as_image(State& state, ValueId value) {
  BufferId& rows = state.rows[at(value)];
  rows = to_image(state, rows);
  if (state.split != nullptr) state.reached[at(value)] = rows;
  return rows;
}

// Adds rows that arrive at `value`; at a join both ways are summed. Windows align to their hull.
void arrive(State& state, ValueId value, BufferId rows) {
  BufferId& there = state.rows[at(value)];
  if (there == kNoBuffer) {
    there = rows;
    return;
  }
  std::optional<Window> window;
  if (window_of(state, there) && window_of(state, rows)) {
    window = hull(*window_of(state, there), *window_of(state, rows));
  }
  if (!window || is_image_cheaper(*window)) {
    window.reset();
    there = to_image(state, there);
    rows = to_image(state, rows);
  }
  const BufferId sum = add_rows(state, value, window);
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

// The rows as the map's transpose takes them, and the window of what it gives.
struct Step {
  BufferId rows;
  std::optional<Window> window;
};

Step prepare(State& state, const LinearMap& map, BufferId rows) {
  const std::optional<Window> window = window_of(state, rows);
  if (!window) return {rows, std::nullopt};
  if (const std::optional<Window> result = through(map, *window)) return {rows, result};
  return {to_image(state, rows), std::nullopt};
}

// A sweep adds up all terms of a node in one window, or in the image.
bool terms_keep_window(const State& state, const AffineData& affine, const Window& window) {
  return state.split == nullptr || std::all_of(affine.maps.begin(), affine.maps.end(), [&](const auto& map) {
           return map->is_identity() || through(*map, window);
         });
}

void affine(State& state, const LoweredNode& node) {
  BufferId rows = state.rows[at(node.output)];
  if (window_of(state, rows) && !terms_keep_window(state, *node.affine, *window_of(state, rows))) {
    rows = leave_as_image(state, node.output);
  }
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
    const Step step = prepare(state, *node.affine->maps[t], rows);
    const BufferId result = add_rows(state, operand, step.window);
    state.builder.emit(
        {.kind = TaskOpKind::Transpose, .inputs = {step.rows}, .outputs = {result}, .affine = node.affine, .term = t});
    arrive(state, operand, result);
  }
}

// Bounds the rows over the known bounds of all values where they are now.
void probe(State& state) {
  std::vector<TaskOp> ops;
  for (std::size_t value = 0; value < state.rows.size(); ++value) {
    if (state.rows[value] == kNoBuffer) continue;
    ops.push_back({.kind = TaskOpKind::Probe,
                   .inputs = {state.rows[value], state.known.bounds[value]},
                   .first = ops.empty(),
                   .last = false});
  }
  ops.back().last = true;
  for (TaskOp& op : ops) state.builder.emit(std::move(op));
}

void elementwise(State& state, const LoweredNode& node) {
  if (state.probes && state.relaxed) probe(state);
  state.relaxed = true;
  const ValueId operand = node.operands[0];
  const BufferId rows = state.rows[at(node.output)];
  const BufferId result = add_rows(state, operand, window_of(state, rows));
  state.builder.emit({.kind = TaskOpKind::ApplyRelaxation,
                      .inputs = {rows, state.known.relaxations[at(node.output)]},
                      .outputs = {result}});
  arrive(state, operand, result);
}

void joint(State& state, const LoweredNode& node) {
  const BufferId rows = leave_as_image(state, node.output);
  TaskOp op{.kind = TaskOpKind::ApplyPlanes, .inputs = {rows, state.known.relaxations[at(node.output)]}};
  for (const ValueId operand : node.operands) op.outputs.push_back(add_rows(state, operand));
  op.joint = node.joint;
  const std::vector<BufferId> results = op.outputs;
  state.builder.emit(std::move(op));
  for (std::size_t t = 0; t < node.operands.size(); ++t) arrive(state, node.operands[t], results[t]);
}

const RuleRegistry<State>& rules() {
  static const RuleRegistry<State> table("crown", {
                                                      {FacetKind::Affine, affine},
                                                      {FacetKind::Elementwise, elementwise},
                                                      {FacetKind::Joint, joint},
                                                  });
  return table;
}

void concretize(State& state, ValueId value, bool last) {
  state.builder.emit({.kind = TaskOpKind::Concretize,
                      .inputs = {state.rows[at(value)], state.known.bounds[at(value)]},
                      .at_input = value == state.network.network().input(),
                      .last = last});
}

// Rows leave a value for good: what its splits say of it counts now.
void leave(State& state, ValueId value) {
  BufferId& rows = state.rows[at(value)];
  if ((*state.split)[at(value)]) {
    const BufferId result = add_rows(state, value, window_of(state, rows));
    state.builder.emit(
        {.kind = TaskOpKind::ApplySplits, .inputs = {rows, state.known.bounds[at(value)]}, .outputs = {result}});
    rows = result;
  }
  state.reached[at(value)] = rows;
}

// Walks all rows down to the input through the nodes before `end` in reverse order, and concretizes there.
void walk_back(State& state, std::size_t end) {
  const auto& nodes = state.network.nodes();
  for (std::size_t i = end; i-- > 0;) {
    BufferId& rows = state.rows[at(nodes[i].output)];
    if (rows == kNoBuffer) continue;
    if (state.split != nullptr) leave(state, nodes[i].output);
    rules().apply(state, nodes[i]);
    rows = kNoBuffer;
  }
  const ValueId input = state.network.network().input();
  ensure(state.rows[at(input)] != kNoBuffer, "a row did not reach the input");
  if (state.split != nullptr) leave(state, input);
  concretize(state, input, true);
}

State start(const LoweredNetwork& network, ProgramBuilder& builder, const KnownBounds& known) {
  const std::vector<BufferId> none(network.network().values().size(), kNoBuffer);
  return {.network = network, .builder = builder, .known = known, .rows = none, .reached = none};
}

void start_spec(State& state, bool input_terms) {
  const ValueId output = state.network.network().output();
  const ValueId input = state.network.network().input();
  const BufferId rows = add_rows(state, output);
  state.builder.emit({.kind = TaskOpKind::SpecRows, .inputs = {state.known.bounds[at(output)]}, .outputs = {rows}});
  arrive(state, output, rows);
  if (!input_terms) return;
  const BufferId input_rows = add_rows(state, input);
  state.builder.emit(
      {.kind = TaskOpKind::SpecInputRows, .inputs = {state.known.bounds[at(input)]}, .outputs = {input_rows}});
  arrive(state, input, input_rows);
}

// The image that the value is for the convolutions around it, if it is stored channels last.
std::optional<Window> image_of(const LoweredNetwork& network, ValueId value) {
  for (const LoweredNode& node : network.nodes()) {
    if (node.facet != FacetKind::Affine) continue;
    for (std::size_t t = 0; t < node.operands.size(); ++t) {
      const ConvMap* conv = node.affine->maps[t]->conv();
      if (conv == nullptr) continue;
      const ConvImages both = images(*conv);
      if (node.output == value && conv->out_channels_last) return start_window(both.result_channels, both.result);
      if (node.operands[t] == value && conv->in_channels_last) return start_window(both.operand_channels, both.operand);
    }
  }
  return std::nullopt;
}

// A sum of images is one as well: what its first operand is.
std::optional<Window> image_through_sums(const LoweredNetwork& network, ValueId value) {
  for (ValueId v = value; v != kNoValue;) {
    if (const std::optional<Window> found = image_of(network, v)) return found;
    const std::int64_t producer = network.producer(v);
    if (producer < 0) return std::nullopt;
    const LoweredNode& node = network.nodes()[static_cast<std::size_t>(producer)];
    const bool sum = node.facet == FacetKind::Affine && !node.operands.empty() && node.affine->maps[0]->is_identity();
    v = sum ? node.operands[0] : kNoValue;
  }
  return std::nullopt;
}

// Rows e_i of a value, in the window of its image that is pixel i, if it is one.
void start_one_hot(State& state, ValueId value, const std::optional<Window>& image) {
  const bool small = image && !is_image_cheaper(*image);
  const BufferId rows = add_rows(state, value, small ? image : std::nullopt);
  state.builder.emit({.kind = TaskOpKind::OneHot, .outputs = {rows}});
  state.rows[at(value)] = rows;
}

// e_i carried through y = W x + b is row i of W: no product is needed.
bool can_gather(const LoweredNode& node, const std::optional<Window>& image) {
  if (node.facet != FacetKind::Affine || node.affine->maps.size() != 1) return false;
  if (const DenseMap* dense = node.affine->maps[0]->dense()) return dense->outer == 1 && dense->inner == 1;
  const ConvMap* conv = node.affine->maps[0]->conv();
  return conv != nullptr && image && through(*conv, *image) && !is_image_cheaper(*through(*conv, *image));
}

}  // namespace

void emit_relaxation(const LoweredNetwork& network, ProgramBuilder& builder, KnownBounds& known,
                     const LoweredNode& node) {
  const bool elementwise = node.facet == FacetKind::Elementwise;
  Buffer buffer = elementwise ? network.buffer(BufferKind::Lines, node.operands[0])
                              : network.buffer(BufferKind::Planes, node.output);
  if (!elementwise) buffer.terms = static_cast<std::int64_t>(node.joint->terms.size());
  TaskOp op{.kind = elementwise ? TaskOpKind::Relax : TaskOpKind::RelaxJoint};
  for (const ValueId operand : node.operands) op.inputs.push_back(known.bounds[at(operand)]);
  op.outputs = {builder.add_buffer(std::move(buffer))};
  op.function = node.function;
  op.joint = node.joint;
  op.unit_roundoff = node.unit_roundoff;
  known.relaxations[at(node.output)] = op.outputs[0];
  builder.emit(std::move(op));
}

void emit_neurons(const LoweredNetwork& network, ProgramBuilder& builder, const KnownBounds& known, ValueId target,
                  const NeuronWalk& walk) {
  State state = start(network, builder, known);
  state.probes = walk.probes;
  const std::int64_t producer = network.producer(target);
  ensure(producer >= 0, "rows of the network's input need no walk");
  const LoweredNode& node = network.nodes().at(static_cast<std::size_t>(producer));
  const std::optional<Window> image = walk.windows ? image_through_sums(network, target) : std::nullopt;
  if (walk.gather && can_gather(node, image)) {
    const LinearMap& map = *node.affine->maps[0];
    const ValueId operand = node.operands[0];
    const BufferId rows = add_rows(state, operand, map.conv() != nullptr ? through(*map.conv(), *image) : std::nullopt);
    builder.emit({.kind = TaskOpKind::GatherRows,
                  .inputs = {known.error_weights[at(target)]},
                  .outputs = {rows},
                  .affine = node.affine});
    state.rows[at(operand)] = rows;
    walk_back(state, static_cast<std::size_t>(producer));
  } else {
    start_one_hot(state, target, image);
    walk_back(state, static_cast<std::size_t>(producer) + 1);
  }
}

void emit_spec(const LoweredNetwork& network, ProgramBuilder& builder, const KnownBounds& known, bool input_terms) {
  State state = start(network, builder, known);
  start_spec(state, input_terms);
  walk_back(state, network.nodes().size());
}

void emit_split_rows(const LoweredNetwork& network, ProgramBuilder& builder, const KnownBounds& known,
                     const std::vector<NeuronLayer>& layers, std::optional<ValueId> target, bool input_terms,
                     bool windows) {
  std::vector<bool> split(network.network().values().size(), false);
  for (const NeuronLayer& layer : layers) split[at(layer.value)] = true;
  State state = start(network, builder, known);
  state.split = &split;
  builder.begin_task({.name = target ? "neurons" : "specification", .kind = TaskKind::Spec});
  if (target) {
    start_one_hot(state, *target, windows ? image_through_sums(network, *target) : std::nullopt);
    walk_back(state, static_cast<std::size_t>(network.producer(*target)) + 1);
  } else {
    start_spec(state, input_terms);
    walk_back(state, network.nodes().size());
  }
  sweep(state, layers, !target);
}

void emit_last_affine(const LoweredNetwork& network, ProgramBuilder& builder, const KnownBounds& known,
                      bool input_terms) {
  State state = start(network, builder, known);
  start_spec(state, input_terms);
  const auto& nodes = network.nodes();
  std::vector<ValueId> ends;
  for (std::size_t i = nodes.size(); i-- > 0;) {
    const ValueId value = nodes[i].output;
    if (state.rows[at(value)] == kNoBuffer) continue;
    if (nodes[i].facet == FacetKind::Affine) {
      rules().apply(state, nodes[i]);
    } else {
      ends.push_back(value);
    }
  }
  if (state.rows[at(network.network().input())] != kNoBuffer) ends.push_back(network.network().input());
  for (std::size_t i = 0; i < ends.size(); ++i) concretize(state, ends[i], i + 1 == ends.size());
}

bool supports(const LoweredNode& node) {
  return rules().supports(node);
}

}  // namespace boundflow::crown
