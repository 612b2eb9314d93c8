#include "passes/specialise.hpp"

#include <algorithm>
#include <map>

#include "passes/weighted_node.hpp"

namespace boundflow {

namespace {

std::size_t at(std::int64_t i) {
  return static_cast<std::size_t>(i);
}

using Kept = std::vector<bool>;  // per channel

// The node's function of one variable, if it is one that executions compute exactly, the same for all elements and
// whatever the shape.
std::shared_ptr<const ScalarFunction> selection(const Network& network, const OperatorTable& table, const Node& node) {
  if (node.outputs.size() != 1 || reads_constants_only(network, node)) return nullptr;
  for (const ValueId id : node.inputs) {
    if (id != kNoValue && network.is_constant(id) && network.size_of(id) != 1) return nullptr;
  }
  const Facet facet = table.at(node).lower(NodeView(network, node));
  const auto* elementwise = std::get_if<Elementwise>(&facet);
  return elementwise != nullptr && elementwise->function->is_selection() ? elementwise->function : nullptr;
}

// A node whose weights are [results, operands, ...] by channels, and whose operand and result have channels at their
// second axis.
std::optional<WeightedNode> by_channels(const Network& network, const OperatorTable& table, const Node& node) {
  std::optional<WeightedNode> weighted = weighted_node(network, table, node);
  if (!weighted || NodeView(network, node).int_attribute("group", 1) != 1) return std::nullopt;
  const bool plain_shapes = network.value(weighted->x).type.shape == weighted->x_shape &&
                            network.value(node.outputs[0]).type.shape == weighted->y_shape;
  const Shape& shape = weighted->weight_shape;
  const bool results_first = std::is_sorted(weighted->out_channel.begin(), weighted->out_channel.end());
  if (!plain_shapes || !results_first || shape.size() < 2 || shape[0] != weighted->out_channels ||
      shape[1] != weighted->in_channels) {
    return std::nullopt;
  }
  return weighted;
}

class Specialisation {
 public:
  Specialisation(const Network& network, const OperatorTable& table, std::span<const ValueRange> ranges)
      : network_(network), table_(table), readers_(network.values().size()) {
    for (const Node& node : network.nodes()) {
      for (const ValueId id : node.inputs) {
        if (id != kNoValue) readers_[at(id)].push_back(&node);
      }
    }
    for (const ValueId id : network.outputs()) readers_[at(id)].push_back(nullptr);
    for (const ValueRange& range : ranges) find_dead(range);
  }

  SpecialisedNetwork run() {
    Network result = rewrite_nodes(network_, table_, [&](Rewriter& rewriter, const Node& node) {
      const Kept* results = kept(node.outputs[0]);
      const Kept* operands = nullptr;
      for (const ValueId id : node.inputs) {
        if (id != kNoValue && kept(id) != nullptr) operands = kept(id);
      }
      if (results == nullptr && operands == nullptr) return false;
      std::optional<WeightedNode> weighted = by_channels(network_, table_, node);
      if (!weighted) return false;  // the activation between two of them: what it reads has become narrower
      narrow(*weighted, results, operands);
      weighted->x = rewriter.now(weighted->x);
      const std::string& name = network_.value(node.outputs[0]).name;
      const ValueId y = add_weighted(rewriter, *weighted, weighted->y_shape, node.name, name);
      rewriter.narrow(node.outputs[0], y);
      return true;
    });
    return {std::move(result), removed_};
  }

 private:
  const Kept* kept(ValueId value) const {
    const auto found = kept_.find(value);
    return found == kept_.end() ? nullptr : &found->second;
  }

  // Notes the channels that an activation makes zero, where nothing but weighted nodes stands around it.
  void find_dead(const ValueRange& range) {
    const NodeId producer = network_.value(range.value).producer;
    if (producer == kNoNode || readers_[at(range.value)].size() != 1) return;
    const Node* activation = readers_[at(range.value)][0];
    if (activation == nullptr) return;
    const std::shared_ptr<const ScalarFunction> function = selection(network_, table_, *activation);
    const std::optional<WeightedNode> before = by_channels(network_, table_, network_.node(producer));
    if (!function || !before) return;
    const ValueId activated = activation->outputs[0];
    for (const Node* reader : readers_[at(activated)]) {
      if (reader == nullptr) return;
      const std::optional<WeightedNode> after = by_channels(network_, table_, *reader);
      if (!after || after->x != activated || after->in_channels != before->out_channels) return;
    }
    Kept live(at(before->out_channels), false);
    for (std::size_t j = 0; j < range.lower.size(); ++j) {
      double low = 0, high = 0;
      function->image(range.lower[j], range.upper[j], low, high);
      // NaN is not dead.
      if (!(low == 0 && high == 0)) live[j / at(before->out_inner) % live.size()] = true;
    }
    const auto dead = static_cast<std::int64_t>(std::count(live.begin(), live.end(), false));
    if (dead == 0) return;
    if (dead == before->out_channels) live[0] = true;  // no value is empty
    const std::int64_t gone = dead == before->out_channels ? dead - 1 : dead;
    removed_ += gone * network_.size_of(range.value) / before->out_channels;
    kept_[range.value] = live;
    kept_[activated] = std::move(live);
  }

  static void narrow(WeightedNode& weighted, const Kept* results, const Kept* operands) {
    const auto stays = [](const Kept* kept, std::int64_t channel) { return kept == nullptr || (*kept)[at(channel)]; };
    std::vector<double> weights;
    for (std::size_t w = 0; w < weighted.weights.size(); ++w) {
      if (stays(results, weighted.out_channel[w]) && stays(operands, weighted.in_channel[w])) {
        weights.push_back(weighted.weights[w]);
      }
    }
    weighted.weights = std::move(weights);
    if (results != nullptr) {
      std::vector<double> bias, magnitude;
      for (std::int64_t c = 0; c < weighted.out_channels; ++c) {
        if (!stays(results, c)) continue;
        bias.push_back(weighted.bias[at(c)]);
        magnitude.push_back(weighted.magnitude[at(c)]);
      }
      weighted.bias = std::move(bias);
      weighted.magnitude = std::move(magnitude);
      weighted.out_channels = static_cast<std::int64_t>(weighted.bias.size());
      weighted.weight_shape[0] = weighted.y_shape[1] = weighted.out_channels;
    }
    if (operands != nullptr) {
      weighted.in_channels = static_cast<std::int64_t>(std::count(operands->begin(), operands->end(), true));
      weighted.weight_shape[1] = weighted.x_shape[1] = weighted.in_channels;
    }
  }

  const Network& network_;
  const OperatorTable& table_;
  std::vector<std::vector<const Node*>> readers_;  // per value; nullptr for the network's outputs
  std::map<ValueId, Kept> kept_;
  std::int64_t removed_ = 0;
};

}  // namespace

SpecialisedNetwork specialise(const Network& network, const OperatorTable& table, std::span<const ValueRange> ranges) {
  return Specialisation(network, table, ranges).run();
}

}  // namespace boundflow
