#include "passes/specialise.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <memory>

#include "passes/rearrangement.hpp"
#include "passes/weighted_products.hpp"

namespace boundflow {

namespace {

// Multiplications that take the time of moving one element of a row, as the Concat or the Gather of a specialised
// network does.
constexpr double kMovedElement = 16;
// Nodes that stay apart: one, and those that may read its result.
constexpr std::size_t kMostApart = 4;
// The multiplications of two matrices that are worth it: with twice the precision they take a second.
constexpr double kMostMultiplications = 0x1p27;

std::size_t at(std::int64_t i) {
  return static_cast<std::size_t>(i);
}

std::int64_t count(const std::vector<bool>& of) {
  return std::count(of.begin(), of.end(), true);
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

bool is_identity(const ScalarFunction& function, double lower, double upper) {
  if (!function.is_stable(lower, upper)) return false;
  const Relaxation line = function.relax(lower, upper, false);
  return line.lower_slope == 1 && line.upper_slope == 1 && line.lower_intercept == 0 && line.upper_intercept == 0;
}

// The largest magnitude in [lower, upper]; NaN if either is.
double magnitude(double lower, double upper) {
  return std::isnan(upper) ? upper : std::max(std::fabs(lower), std::fabs(upper));
}

// A matrix whose operand and result are one row each, in whatever shape.
bool is_row_product(const WeightedNode& weighted) {
  return weighted.is_matrix() && weighted.x_shape[0] == 1;
}

// A node whose weights are [results, operands, ...] by channels, and whose operand and result have channels at their
// second axis, or are rows.
std::optional<WeightedNode> by_channels(const Network& network, const OperatorTable& table, const Node& node) {
  std::optional<WeightedNode> weighted = weighted_node(network, table, node);
  if (!weighted || NodeView(network, node).int_attribute("group", 1) != 1) return std::nullopt;
  const bool plain_shapes = network.value(weighted->x).type.shape == weighted->x_shape &&
                            network.value(node.outputs[0]).type.shape == weighted->y_shape;
  const Shape& shape = weighted->weight_shape;
  const bool results_first = std::is_sorted(weighted->out_channel.begin(), weighted->out_channel.end());
  if (!(plain_shapes || is_row_product(*weighted)) || !results_first || shape.size() < 2 ||
      shape[0] != weighted->out_channels || shape[1] != weighted->in_channels) {
    return std::nullopt;
  }
  return weighted;
}

double products_of(const Network& network, const OperatorTable& table) {
  double products = 0;
  for (const Node& node : network.nodes()) {
    const Operator& op = table.at(node);
    if (op.cost != nullptr) products += op.cost(NodeView(network, node)).products;
  }
  return products;
}

class Specialisation {
 public:
  Specialisation(const Network& network, const OperatorTable& table, std::span<const ValueRange> ranges, bool merge,
                 const Deadline& deadline)
      : network_(network), table_(table), merge_(merge), deadline_(deadline), readers_(network.values().size()) {
    for (const Node& node : network.nodes()) {
      for (const ValueId id : node.inputs) {
        if (id != kNoValue) readers_[at(id)].push_back(&node);
      }
    }
    for (const ValueId id : network.outputs()) readers_[at(id)].push_back(nullptr);
    for (const ValueRange& range : ranges) ranges_[range.value] = &range;
    for (const ValueRange& range : ranges) find_dead(range);
  }

  SpecialisedNetwork run() {
    Network result = rewrite_nodes(network_, table_, [&](Rewriter& rewriter, const Node& node) {
      deadline_.check();
      return rewrite_weighted(rewriter, node) || rewrite_activation(rewriter, node);
    });
    result_.products = products_of(result, table_);
    result_.products_before = products_of(network_, table_);
    result_.network = std::move(result);
    return std::move(result_);
  }

 private:
  const Kept* kept(ValueId value) const {
    const auto found = kept_.find(value);
    return found == kept_.end() ? nullptr : &found->second;
  }
  const ValueRange* range_of(ValueId value) const {
    const auto found = ranges_.find(value);
    return found == ranges_.end() ? nullptr : found->second;
  }
  const Node* only_reader(ValueId value) const {
    return readers_[at(value)].size() == 1 ? readers_[at(value)][0] : nullptr;
  }

  // As by_channels; taken apart once for all who ask while a few other nodes are looked at, since a node's weights take
  // three times as much room apart.
  std::shared_ptr<const WeightedNode> apart(const Node& node) {
    for (const Apart& known : apart_) {
      if (known.node == &node) return known.weighted;
    }
    std::optional<WeightedNode> weighted = by_channels(network_, table_, node);
    if (apart_.size() == kMostApart) apart_.pop_front();
    apart_.push_back({&node, weighted ? std::make_shared<const WeightedNode>(*std::move(weighted)) : nullptr});
    return apart_.back().weighted;
  }

  // Notes the channels that an activation makes zero, where nothing but weighted nodes stands around it.
  void find_dead(const ValueRange& range) {
    const NodeId producer = network_.value(range.value).producer;
    const Node* activation = only_reader(range.value);
    if (producer == kNoNode || activation == nullptr) return;
    const std::shared_ptr<const ScalarFunction> function = selection(network_, table_, *activation);
    const std::shared_ptr<const WeightedNode> before = apart(network_.node(producer));
    if (!function || !before) return;
    const ValueId activated = activation->outputs[0];
    for (const Node* reader : readers_[at(activated)]) {
      if (reader == nullptr) return;
      const std::shared_ptr<const WeightedNode> after = apart(*reader);
      if (!after || after->x != activated || after->in_channels != before->out_channels) return;
    }
    Kept live(at(before->out_channels), false);
    for (std::size_t j = 0; j < range.lower.size(); ++j) {
      double low = 0, high = 0;
      function->image(range.lower[j], range.upper[j], low, high);
      // NaN is not dead.
      if (!(low == 0 && high == 0)) live[j / at(before->out_inner) % live.size()] = true;
    }
    const std::int64_t dead = before->out_channels - count(live);
    if (dead == 0) return;
    if (dead == before->out_channels) live[0] = true;  // no value is empty
    result_.removed += (before->out_channels - count(live)) * network_.size_of(range.value) / before->out_channels;
    kept_[range.value] = live;
    kept_[activated] = std::move(live);
  }

  bool rewrite_weighted(Rewriter& rewriter, const Node& node) {
    std::optional<WeightedNode> weighted;
    bool changed = true;
    const ValueId result = node.outputs[0];
    if (const auto merged = merged_.find(&node); merged != merged_.end()) {
      weighted = std::move(merged->second);
      weighted->x = rewriter.now(weighted->x);
    } else {
      const std::shared_ptr<const WeightedNode> whole = apart(node);
      if (whole == nullptr) return false;
      weighted = *whole;
      const Kept* operands = kept(weighted->x);
      changed = operands != nullptr || kept(result) != nullptr;
      if (changed) narrow(*weighted, kept(result), operands);
      weighted->x = rewriter.now(weighted->x);
      changed = fold_fixed(rewriter, node, *weighted) || changed;
    }
    const std::string& name = network_.value(result).name;
    const std::optional<Kept> own = merge_into_reader(rewriter, node, *weighted);
    if (!own && !changed) return false;
    if (own && count(*own) == 0) {
      rewriter.narrow(result, weighted->x);
      return true;
    }
    if (own) narrow(*weighted, &*own, nullptr);
    const bool narrowed = own || kept(result) != nullptr;
    const Shape& shape = narrowed ? weighted->y_shape : network_.value(result).type.shape;
    rewriter.narrow(result, add_weighted(rewriter, *weighted, shape, node.name, name));
    return true;
  }

  // What `value` was before reshapes.
  static ValueId unshaped(const Rewriter& rewriter, ValueId value) {
    while (const Node* node = rewriter.producer(value)) {
      const auto moved = rearrangement(rewriter.result(), rewriter.table(), *node);
      if (!moved || !moved->sources.empty()) break;
      value = moved->operand;
    }
    return value;
  }

  // Per element of a new value, what executions do not exceed there; nullptr where that is not known.
  const std::vector<double>* most_of(const Rewriter& rewriter, ValueId value) {
    const ValueId plain = unshaped(rewriter, value);
    if (const ValueRange* range = range_of(network_.input()); range != nullptr && plain == rewriter.now(range->value)) {
      std::vector<double>& most = most_[plain];
      for (std::size_t j = most.size(); j < range->lower.size(); ++j) {
        most.push_back(magnitude(range->lower[j], range->upper[j]));
      }
    }
    const auto found = most_.find(plain);
    return found == most_.end() ? nullptr : &found->second;
  }

  // Inputs with one value go into the bias, and a Gather takes the others.
  bool fold_fixed(Rewriter& rewriter, const Node& node, WeightedNode& weighted) {
    const ValueRange* range = range_of(network_.input());
    if (range == nullptr || !is_row_product(weighted)) return false;
    const ValueId input = unshaped(rewriter, weighted.x);
    if (input != rewriter.now(range->value)) return false;
    std::vector<std::optional<double>> values;
    std::vector<std::int64_t> free;
    for (std::size_t j = 0; j < range->lower.size(); ++j) {
      const bool fixed = range->lower[j] == range->upper[j];
      values.push_back(fixed ? std::optional(range->lower[j]) : std::nullopt);
      if (!fixed) free.push_back(static_cast<std::int64_t>(j));
    }
    const auto fixed = static_cast<std::int64_t>(values.size() - free.size());
    const double saved = static_cast<double>(weighted.out_channels * fixed);
    if (!(saved > kMovedElement * static_cast<double>(values.size()))) return false;
    std::optional<WeightedNode> narrow = without_fixed(weighted, values);
    if (!narrow) return false;
    const std::vector<double> most = *most_of(rewriter, input);
    const std::string& value_name = network_.value(node.outputs[0]).name;
    const ValueId row = reshaped(rewriter, input, weighted.x_shape, node.name + ".x", value_name + ".x");
    const ValueId indices =
        rewriter.add_constant(node.name + ".free", Tensor({static_cast<std::int64_t>(free.size())}, free));
    narrow->x =
        rewriter.add("Gather", node.name + ".gather", {row, indices}, value_name + ".x", {{"axis", std::int64_t{1}}});
    for (const std::int64_t j : free) most_[narrow->x].push_back(most[at(j)]);
    weighted = std::move(*narrow);
    result_.fixed += fixed;
    return true;
  }

  // Where the only reader of the node's result, behind an activation or not, is a matrix that had better read the
  // node's operand: prepares that, and returns which channels of the result the node still computes, of those that
  // are live.
  std::optional<Kept> merge_into_reader(Rewriter& rewriter, const Node& node, WeightedNode& weighted) {
    const ValueId result = node.outputs[0];
    const Node* reader = only_reader(result);
    const std::vector<double>* most = merge_ && is_row_product(weighted) ? most_of(rewriter, weighted.x) : nullptr;
    if (reader == nullptr || most == nullptr) return std::nullopt;
    const std::shared_ptr<const ScalarFunction> function = selection(network_, table_, *reader);
    const Node* activation = function ? reader : nullptr;
    const ValueId read = activation != nullptr ? activation->outputs[0] : result;
    if (activation != nullptr) reader = only_reader(read);
    if (reader == nullptr) return std::nullopt;
    const std::shared_ptr<const WeightedNode> whole = apart(*reader);
    const ValueRange* range = range_of(result);
    if (whole == nullptr || whole->x != read || !is_row_product(*whole) ||
        (activation != nullptr && range == nullptr)) {
      return std::nullopt;
    }
    const Kept* outer_results = kept(reader->outputs[0]);
    Kept through, rest;
    for (std::size_t j = 0; j < at(network_.size_of(result)); ++j) {
      if (kept(result) != nullptr && !(*kept(result))[j]) continue;
      through.push_back(activation == nullptr || is_identity(*function, range->lower[j], range->upper[j]));
      rest.push_back(!through.back());
    }
    const auto own = static_cast<double>(count(rest)), gone = static_cast<double>(count(through));
    const auto columns = static_cast<double>(weighted.in_channels),
               rows = static_cast<double>(outer_results != nullptr ? count(*outer_results) : whole->out_channels);
    const double moved = own > 0 ? kMovedElement * (own + columns) : 0;
    const bool cheaper = gone * (columns + rows) > columns * rows + moved;
    if (!cheaper || gone * columns * rows > kMostMultiplications) return std::nullopt;
    WeightedNode outer = *whole, inner = weighted;
    narrow(outer, outer_results, kept(read));
    narrow(inner, &through, nullptr);
    std::optional<WeightedNode> merged = merged_products(outer, through, inner, *most, deadline_);
    if (!merged) return std::nullopt;
    const std::string& value_name = network_.value(result).name;
    weighted.x = reshaped(rewriter, weighted.x, weighted.x_shape, node.name + ".x", value_name + ".x");
    if (activation != nullptr) joined_[activation] = {weighted.x, rest};
    merged_[reader] = std::move(*merged);
    result_.merged += count(through);
    return rest;
  }

  bool rewrite_activation(Rewriter& rewriter, const Node& node) {
    const auto joined = joined_.find(&node);
    if (joined != joined_.end() && count(joined->second.own) == 0) {
      rewriter.narrow(node.outputs[0], joined->second.x);
      return true;
    }
    const auto known = std::find_if(node.inputs.begin(), node.inputs.end(),
                                    [&](ValueId id) { return id != kNoValue && range_of(id) != nullptr; });
    const auto function = known != node.inputs.end() ? selection(network_, table_, node) : nullptr;
    if (!function) return false;
    rewriter.copy(node);
    const ValueId old = node.outputs[0], activated = rewriter.now(old);
    std::vector<double> most = images(*function, *range_of(*known), kept(old));
    if (joined != joined_.end()) {
      const auto& [x, own] = joined->second;
      std::size_t stay = 0;
      for (std::size_t j = 0; j < most.size(); ++j) {
        if (own[j]) most[stay++] = most[j];
      }
      most.resize(stay);
      const std::vector<double>& most_x = *most_of(rewriter, x);
      most.insert(most.end(), most_x.begin(), most_x.end());
      const std::string& name = network_.value(old).name;
      rewriter.narrow(old, rewriter.add("Concat", node.name + ".joined", {activated, x}, name + ".joined",
                                        {{"axis", std::int64_t{1}}}));
    }
    if (!most.empty()) most_[rewriter.now(old)] = std::move(most);
    return true;
  }

  // The magnitudes of the function's results, of those elements that are live; none where channels have several.
  static std::vector<double> images(const ScalarFunction& function, const ValueRange& range, const Kept* live) {
    std::vector<double> most;
    if (live != nullptr && live->size() != range.lower.size()) return most;
    for (std::size_t j = 0; j < range.lower.size(); ++j) {
      if (live != nullptr && !(*live)[j]) continue;
      double low = 0, high = 0;
      function.image(range.lower[j], range.upper[j], low, high);
      most.push_back(magnitude(low, high));
    }
    return most;
  }

  // An activation whose reader reads, behind what the activation still computes, what stands before its operand.
  struct Joined {
    ValueId x = kNoValue;  // a new value
    Kept own;              // of the channels that are live: those that are computed
  };

  const Network& network_;
  const OperatorTable& table_;
  bool merge_;
  const Deadline& deadline_;
  std::vector<std::vector<const Node*>> readers_;  // per value; nullptr for the network's outputs
  std::map<ValueId, const ValueRange*> ranges_;
  struct Apart {
    const Node* node;
    std::shared_ptr<const WeightedNode> weighted;  // nullptr if the node is none
  };
  std::deque<Apart> apart_;
  std::map<ValueId, Kept> kept_;                // where channels are dead: which are not
  std::map<const Node*, WeightedNode> merged_;  // what old nodes become that read through a product
  std::map<const Node*, Joined> joined_;
  std::map<ValueId, std::vector<double>> most_;  // of new values
  SpecialisedNetwork result_;
};

}  // namespace

SpecialisedNetwork specialise(const Network& network, const OperatorTable& table, std::span<const ValueRange> ranges,
                              bool merge, const Deadline& deadline) {
  return Specialisation(network, table, ranges, merge, deadline).run();
}

}  // namespace boundflow
