#include "engine/lower.hpp"

#include <algorithm>

#include "domains/crown/crown.hpp"
#include "domains/interval/interval.hpp"
#include "domains/point/point.hpp"

namespace boundflow {

namespace {

// How far interval steps from the input still give each coordinate's exact range (in real arithmetic).
enum class Exactness {
  Independent,  // coordinates vary independently: the input box and what data movement makes of it
  Exact,        // one linear map of independent coordinates, or an elementwise image of bounds that are final: a walk
                // would find no tighter range, although coordinates depend on each other
  Loose,        // interval arithmetic has lost dependencies: a backward walk can tighten
};

std::size_t at(ValueId value) {
  return static_cast<std::size_t>(value);
}

class BoundsLowering {
 public:
  BoundsLowering(const LoweredNetwork& network, const BoundLowering& options)
      : network_(network),
        options_(options),
        known_(network.network().values().size()),
        intervals_(network.network().values().size()),
        forward_(network, builder_, known_),
        interval_forward_(network, builder_, intervals_),
        exactness_(network.network().values().size(), Exactness::Independent),
        final_(network.network().values().size(), false),
        consumers_(network.network().values().size()) {
    for (const LoweredNode& node : network.nodes()) {
      if (node.facet == FacetKind::Affine) continue;
      for (const ValueId operand : node.operands) consumers_[at(operand)].push_back(&node);
    }
  }

  BoundProgram run() {
    builder_.begin_task({.name = "input", .kind = TaskKind::Batch});
    interval::emit_input(forward_, options_.balls);
    const ValueId input = network_.network().input();
    intervals_.bounds[at(input)] = known_.bounds[at(input)];
    interval_forward_.ball = forward_.ball;
    for (const LoweredNode& node : network_.nodes()) {
      if (node.facet != FacetKind::Affine) {
        for (const ValueId operand : node.operands) finish_bounds(operand);
      }
      builder_.begin_task({.name = "interval of " + name_of(node.output), .kind = TaskKind::Batch});
      if (node.facet != FacetKind::Affine && options_.specification == SpecificationBounds::Crown) {
        crown::emit_relaxation(network_, builder_, known_, node);
      }
      interval::emit(forward_, node);
      if (two_chains()) interval::emit(interval_forward_, node);
      exactness_[at(node.output)] = exactness_after(node);
    }
    builder_.begin_task({.name = "specification", .kind = TaskKind::Spec});
    if (options_.specification == SpecificationBounds::Crown) {
      crown::emit_spec(network_, builder_, known_, options_.input_terms);
    } else {
      crown::emit_last_affine(network_, builder_, known_, options_.input_terms);
    }
    return builder_.finish(network_.columns(network_.network().input()), network_.columns(network_.network().output()));
  }

 private:
  const std::string& name_of(ValueId value) const { return network_.network().value(value).name; }
  // Pure interval bounds, next to those that rows have tightened.
  bool two_chains() const { return options_.intermediate == IntermediateBounds::CrownWhereIntervalUnstable; }

  Exactness exactness_after(const LoweredNode& node) const {
    if (node.facet == FacetKind::Joint || node.operands.size() != 1) return Exactness::Loose;
    const Exactness before = exactness_[at(node.operands[0])];
    // An elementwise image of bounds that are as tight as they get is as tight as a walk could make it.
    if (node.facet == FacetKind::Elementwise) return Exactness::Exact;
    const LinearMap& map = *node.affine->maps[0];
    const bool moves = map.index() != nullptr && map.transpose_terms() <= 1;
    if (moves) return before;
    return before == Exactness::Independent ? Exactness::Exact : Exactness::Loose;
  }

  // The bounds of what a relaxation is about to read: rows where interval steps are not enough.
  void finish_bounds(ValueId value) {
    if (final_[at(value)]) return;
    final_[at(value)] = true;
    if (options_.intermediate == IntermediateBounds::Interval || network_.producer(value) < 0) return;
    if (exactness_[at(value)] != Exactness::Loose) return;
    Task task{.name = "bounds of " + name_of(value), .kind = TaskKind::Neurons};
    if (two_chains()) {
      builder_.begin_task({.name = "interval of " + name_of(value), .kind = TaskKind::Batch});
      const BufferId copy = builder_.add_buffer(network_.buffer(BufferKind::Bounds, value));
      builder_.emit({.kind = TaskOpKind::CopyBounds, .inputs = {intervals_.bounds[at(value)]}, .outputs = {copy}});
      known_.bounds[at(value)] = copy;
      task.intersect = false;
    }
    task.target = known_.bounds[at(value)];
    for (const LoweredNode* consumer : consumers_[at(value)]) select_rows(*consumer, task);
    if (options_.rows == NeuronRows::All) task.all_neurons = true;
    const bool probes = options_.rows == NeuronRows::UntilConstant && !two_chains() && may_end_early(value, task);
    builder_.begin_task(std::move(task));
    crown::emit_neurons(network_, builder_, known_, value,
                        {.windows = options_.windows, .probes = probes, .gather = options_.gather});
  }

  // True if bounds of a neuron can show that nothing needs them any tighter: elementwise functions alone read it, and
  // may be constant.
  bool may_end_early(ValueId value, const Task& task) const {
    const bool read_by_affine = std::any_of(network_.nodes().begin(), network_.nodes().end(), [&](const auto& node) {
      return node.facet == FacetKind::Affine &&
             std::find(node.operands.begin(), node.operands.end(), value) != node.operands.end();
    });
    return !read_by_affine && !task.all_neurons && task.joints.empty() &&
           std::all_of(task.functions.begin(), task.functions.end(),
                       [](const auto& function) { return function->can_be_constant(); });
  }

  void select_rows(const LoweredNode& consumer, Task& task) const {
    if (consumer.facet == FacetKind::Elementwise) {
      task.functions.push_back(consumer.function);
      return;
    }
    Task::JointUse use{consumer.joint, {}};
    for (const ValueId operand : consumer.operands) use.bounds.push_back(known_.bounds[at(operand)]);
    // Where another operand's bounds come later, no component is known to be stable.
    if (std::find(use.bounds.begin(), use.bounds.end(), kNoBuffer) != use.bounds.end()) {
      task.all_neurons = true;
    } else {
      task.joints.push_back(std::move(use));
    }
  }

  const LoweredNetwork& network_;
  const BoundLowering options_;
  ProgramBuilder builder_;
  KnownBounds known_;
  KnownBounds intervals_;
  interval::State forward_;
  interval::State interval_forward_;
  std::vector<Exactness> exactness_;
  std::vector<bool> final_;
  std::vector<std::vector<const LoweredNode*>> consumers_;  // per value: nodes that relax
};

}  // namespace

BoundProgram lower_bounds(const LoweredNetwork& network, const BoundLowering& options) {
  return BoundsLowering(network, options).run();
}

namespace {

// The activations that can be split; nothing if there are none, or if several read one value.
std::vector<crown::NeuronLayer> neuron_layers(const LoweredNetwork& network) {
  std::vector<crown::NeuronLayer> layers;
  std::vector<int> readers(network.network().values().size(), 0);  // that relax
  std::int64_t neurons = 0;
  for (const LoweredNode& node : network.nodes()) {
    if (node.facet != FacetKind::Elementwise) continue;
    const ValueId value = node.operands[0];
    if (++readers[at(value)] > 1) return {};  // each of them has lines of its own
    if (!node.function->can_be_split()) continue;
    const std::int64_t columns = network.columns(value);
    layers.push_back({value, columns, neurons, node.function, node.unit_roundoff});
    neurons += columns;
  }
  return layers;
}

BoundProgram lower_split_rows(const LoweredNetwork& network, const std::vector<crown::NeuronLayer>& layers,
                              std::optional<ValueId> target, bool input_terms, bool windows) {
  ProgramBuilder builder;
  KnownBounds known(network.network().values().size());
  builder.begin_task({.name = "given", .kind = TaskKind::Batch});
  const auto give_bounds = [&](ValueId value) {
    known.bounds[at(value)] = builder.add_buffer(network.buffer(BufferKind::Bounds, value));
    builder.emit({.kind = TaskOpKind::GivenBounds, .outputs = {known.bounds[at(value)]}});
  };
  give_bounds(network.network().input());
  for (const LoweredNode& node : network.nodes()) {
    give_bounds(node.output);
    if (node.facet != FacetKind::Affine) {
      crown::emit_relaxation(network, builder, known, node);
      continue;
    }
    known.error_weights[at(node.output)] = builder.add_buffer(network.buffer(BufferKind::ErrorWeights, node.output));
    builder.emit({.kind = TaskOpKind::GivenErrors, .outputs = {known.error_weights[at(node.output)]}});
  }
  builder.begin_task({.name = "slopes", .kind = TaskKind::Batch});
  for (const LoweredNode& node : network.nodes()) {
    const auto layer = std::find_if(layers.begin(), layers.end(), [&](const crown::NeuronLayer& l) {
      return node.facet == FacetKind::Elementwise && l.value == node.operands[0];
    });
    if (layer == layers.end()) continue;
    BufferId& lines = known.relaxations[at(node.output)];
    const BufferId chosen = builder.add_buffer(network.buffer(BufferKind::Lines, layer->value));
    builder.emit({.kind = TaskOpKind::ApplySlopes,
                  .inputs = {lines, known.bounds[at(layer->value)]},
                  .outputs = {chosen},
                  .offset = layer->offset,
                  .function = node.function,
                  .unit_roundoff = node.unit_roundoff});
    lines = chosen;
  }
  crown::emit_split_rows(network, builder, known, layers, target, input_terms, windows);
  const ValueId input = network.network().input(), output = network.network().output();
  return builder.finish(network.columns(input), network.columns(output));
}

// Whether rows of the value go through an activation that can be split.
bool has_layer_before(const LoweredNetwork& network, const std::vector<crown::NeuronLayer>& layers, ValueId value) {
  std::vector<bool> reached(network.network().values().size(), false);
  reached[at(value)] = true;
  for (std::size_t i = network.nodes().size(); i-- > 0;) {
    const LoweredNode& node = network.nodes()[i];
    if (!reached[at(node.output)]) continue;
    for (const ValueId operand : node.operands) {
      reached[at(operand)] = true;
      const bool splits = std::any_of(layers.begin(), layers.end(), [&](const auto& l) { return l.value == operand; });
      if (splits && node.facet == FacetKind::Elementwise) return true;
    }
  }
  return false;
}

}  // namespace

SplitPrograms lower_splits(const LoweredNetwork& network, bool input_terms, bool windows) {
  SplitPrograms result;
  result.layers = neuron_layers(network);
  if (result.layers.empty()) return result;
  result.programs.push_back(lower_split_rows(network, result.layers, std::nullopt, input_terms, windows));
  for (std::size_t k = 0; k < result.layers.size(); ++k) {
    const ValueId value = result.layers[k].value;
    if (!has_layer_before(network, result.layers, value)) continue;
    result.programs.push_back(lower_split_rows(network, result.layers, value, false, windows));
    result.targets.push_back(k);
  }
  return result;
}

BoundProgram lower_values(const LoweredNetwork& network, bool gradients) {
  ProgramBuilder builder;
  point::emit(network, builder, gradients);
  return builder.finish(network.columns(network.network().input()), network.columns(network.network().output()));
}

}  // namespace boundflow
