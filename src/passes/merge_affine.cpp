#include "passes/merge_affine.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "passes/rearrangement.hpp"
#include "passes/weighted_arithmetic.hpp"

namespace boundflow {

namespace {

constexpr double kSmallestScale = 0x1p-60;

// y_i = scale_i x_i + shift_i.
struct Pointwise {
  ValueId x = kNoValue;
  std::vector<double> scale;      // [n]
  std::vector<double> shift;      // [n] or empty
  std::vector<double> magnitude;  // [n] or empty
  std::int64_t shift_roundings = 0;
  double scale_error = 0;
  std::int64_t products = 0;
  std::int64_t additions = 0;
  double growth = 1;   // of intermediate results, and of what is lost before the scale
  bool exact = false;  // 1 or -1 times x, plus the network's own numbers
};

std::optional<Affine> affine_facet(const Network& network, const OperatorTable& table, const Node& node) {
  try {
    Facet facet = table.at(node).lower(NodeView(network, node));
    if (auto* affine = std::get_if<Affine>(&facet)) return std::move(*affine);
  } catch (const UnsupportedError&) {
    // Whoever lowers the network says so.
  }
  return std::nullopt;
}

std::optional<Pointwise> pointwise_node(const Network& network, const OperatorTable& table, const Node& node) {
  const Operator& op = table.at(node);
  if (node.outputs.size() != 1 || op.layout_only || !op.merged_form.empty() || op.lower == nullptr) return std::nullopt;
  const TensorType& type = network.value(node.outputs[0]).type;
  std::int64_t variables = 0;
  for (const ValueId id : node.inputs) {
    if (id == kNoValue || network.is_constant(id)) continue;
    ++variables;
    if (network.value(id).type != type) return std::nullopt;
  }
  if (variables != 1 || !is_floating(type.dtype)) return std::nullopt;
  const auto affine = affine_facet(network, table, node);
  if (!affine || affine->terms.size() != 1) return std::nullopt;
  const LinearMap& map = *affine->terms[0].map;
  Pointwise result;
  if (const IndexMap* index = map.index(); index != nullptr && index->source.empty()) {
    result.scale.assign(static_cast<std::size_t>(index->out), index->factor);
    result.exact = affine->bias_magnitude.empty();
  } else if (const ScaleMap* scale = map.scale(); scale != nullptr && scale->source.empty()) {
    result.scale = scale->factors;
  } else {
    return std::nullopt;
  }
  result.x = node.inputs[affine->terms[0].input];
  result.shift = affine->bias;
  result.magnitude = affine->bias_magnitude;
  if (!affine->bias_magnitude.empty()) result.shift_roundings = affine->bias_roundings;
  result.scale_error = map.weight_error();
  result.products = affine->deployed_products;
  result.additions = affine->deployed_roundings - affine->deployed_products;
  result.growth = affine->deployed_growth;
  for (const double s : result.scale) {
    if (s == 0) return std::nullopt;  // what overflows before it would not show in the sum
    result.growth = std::max({result.growth, std::fabs(s), 1 / std::fabs(s)});
  }
  const bool fits = in_range(result.scale, kSmallestScale) && in_range(result.shift, kSmallestNumber) &&
                    in_range(result.magnitude, kSmallestNumber);
  return fits ? std::optional(std::move(result)) : std::nullopt;
}

// Scale, shift and the magnitude of the shift per channel.
struct Channels {
  std::vector<double> scale, shift, magnitude;
};

std::optional<Channels> channels_of(const Pointwise& pointwise, std::int64_t channels, std::int64_t inner) {
  auto scale = per_channel(pointwise.scale, channels, inner);
  auto shift = per_channel(pointwise.shift, channels, inner);
  auto magnitude = per_channel(pointwise.magnitude, channels, inner);
  if (!scale || !shift || !magnitude) return std::nullopt;
  for (std::size_t c = 0; c < shift->size(); ++c) (*magnitude)[c] = std::max((*magnitude)[c], std::fabs((*shift)[c]));
  return Channels{std::move(*scale), std::move(*shift), std::move(*magnitude)};
}

bool any(const std::vector<double>& values) {
  return std::any_of(values.begin(), values.end(), [](double v) { return v != 0; });
}

void merge_weights(WeightedNode& merged, const std::vector<double>& scale, const std::vector<std::int64_t>& channel,
                   const Pointwise& pointwise) {
  for (std::size_t w = 0; w < merged.weights.size(); ++w) {
    merged.weights[w] *= scale[static_cast<std::size_t>(channel[w])];
  }
  // (1 + a)(1 + b)(1 + 2^-53) - 1, with a and b below 2^-40.
  if (!pointwise.exact) merged.weight_error += pointwise.scale_error + 2 * kSmallestError;
  merged.products += pointwise.products;
  // The factor 4 covers what the scale and the shift themselves lose to underflow.
  merged.growth *= 4 * pointwise.growth;
}

// s (W x + b) + t. With every term scaled, partial sums are those of the merged sum, whether s comes before or after
// the addition; so the counts of roundings add up.
std::optional<WeightedNode> merged_behind(const WeightedNode& node, const Pointwise& pointwise) {
  const auto channels = channels_of(pointwise, node.out_channels, node.out_inner);
  if (!channels || !in_range(node.weights, kSmallestNumber) || !in_range(node.magnitude, kSmallestNumber))
    return std::nullopt;
  WeightedNode merged = node;
  merge_weights(merged, channels->scale, node.out_channel, pointwise);
  for (std::size_t c = 0; c < merged.bias.size(); ++c) {
    const double s = channels->scale[c];
    merged.bias[c] = s * node.bias[c] + channels->shift[c];
    merged.magnitude[c] = (std::fabs(s) * node.magnitude[c] + channels->magnitude[c]) * (1 + 0x1p-50);
  }
  const bool shifts = any(channels->shift) || any(channels->magnitude);
  // b' = fl(fl(s b) + t): the product's error and those of its factors, or t's, and the sum's rounding.
  const std::int64_t scaled = node.bias_roundings + in_roundings(pointwise.scale_error) + 1;
  merged.bias_roundings = std::max(scaled, pointwise.shift_roundings) + 2;
  if (shifts || !pointwise.exact) merged.additions += pointwise.additions;  // adding zero does not round
  merged.has_bias = node.has_bias || shifts;
  // A sign, or the first bias, leaves nothing that the operator itself would not say.
  merged.plain = node.plain && pointwise.exact && (!any(node.bias) || !shifts) &&
                 merged.additions == node.additions + (shifts ? 1 : 0);
  if (merged.plain) merged.growth = 1;
  return is_sound(merged) ? std::optional(std::move(merged)) : std::nullopt;
}

// W (s x + t) + b. What the shift's addition rounds is relative to s x and t each, like a product; it is no partial sum
// of the merged node.
std::optional<WeightedNode> merged_before(const WeightedNode& node, const Pointwise& pointwise) {
  const auto channels = channels_of(pointwise, node.in_channels, node.in_inner);
  if (!channels || !in_range(node.weights, kSmallestNumber) || !in_range(node.magnitude, kSmallestNumber))
    return std::nullopt;
  const bool shifts = any(channels->shift) || any(channels->magnitude);
  // Outside of an image there is nothing to shift.
  if (shifts && node.pads) return std::nullopt;
  WeightedNode merged = node;
  merge_weights(merged, channels->scale, node.in_channel, pointwise);
  merged.plain = node.plain && pointwise.exact && !shifts;
  if (shifts) {
    std::vector<Accumulator> bias;
    for (const double b : node.bias) bias.emplace_back(b);
    for (std::size_t w = 0; w < node.weights.size(); ++w) {
      const auto from = static_cast<std::size_t>(node.in_channel[w]),
                 to = static_cast<std::size_t>(node.out_channel[w]);
      bias[to].add_product(node.weights[w], channels->shift[from]);
      merged.magnitude[to] += std::fabs(node.weights[w]) * channels->magnitude[from];
    }
    const double slack = 1 + 0x1p-50 + 0x1p-52 * static_cast<double>(node.weights.size());
    for (std::size_t c = 0; c < bias.size(); ++c) {
      merged.bias[c] = bias[c].sum();
      merged.magnitude[c] *= slack;
    }
    merged.bias_roundings =
        std::max(node.bias_roundings, pointwise.shift_roundings + in_roundings(node.weight_error)) + 3;
    merged.has_bias = true;
    merged.products += pointwise.additions;
    merged.additions += 1;
    merged.shifts_terms = true;
  }
  if (merged.plain) {
    merged.growth = 1;
    return merged;
  }
  // Executions overflow where an operand's own scale and shift do; shifts are below kLargestNumber.
  const double largest = node.dtype == DType::Float32 ? 0x1p127 : 0x1p1023;
  merged.operand_range =
      std::min(node.operand_range / pointwise.growth - kLargestNumber, largest / 4 / pointwise.growth);
  if (!(merged.operand_range > 0)) return std::nullopt;
  return is_sound(merged) ? std::optional(std::move(merged)) : std::nullopt;
}

bool write(Rewriter& rewriter, const Node& node, ValueId x, WeightedNode merged) {
  merged.x = x;
  const Value& y = rewriter.old().value(node.outputs[0]);
  rewriter.replace(node.outputs[0], add_weighted(rewriter, merged, y.type.shape, node.name, y.name));
  return true;
}

// The value before any reshapes that nobody else reads. A matrix product does not mind them: it sees flat rows.
ValueId before_reshapes(const Rewriter& rewriter, ValueId value) {
  while (rewriter.readers(value) == 1) {
    const Node* node = rewriter.producer(value);
    if (node == nullptr) break;
    const auto moved = rearrangement(rewriter.result(), rewriter.table(), *node);
    if (!moved || !moved->sources.empty()) break;
    value = moved->operand;
  }
  return value;
}

bool merge_behind(Rewriter& rewriter, const Node& node, RewriteBudget& budget) {
  const auto pointwise = pointwise_node(rewriter.old(), rewriter.table(), node);
  if (!pointwise) return false;
  const ValueId operand = before_reshapes(rewriter, rewriter.now(pointwise->x));
  const Node* product = rewriter.producer(operand);
  if (product == nullptr || rewriter.readers(operand) != 1) return false;
  const auto weighted = weighted_node(rewriter.result(), rewriter.table(), *product);
  if (!weighted || (operand != rewriter.now(pointwise->x) && !weighted->is_matrix())) return false;
  auto merged = merged_behind(*weighted, *pointwise);
  return merged && budget.take() && write(rewriter, node, weighted->x, std::move(*merged));
}

// True if a runtime may fold what stands behind the value into a sum of products: the value is one, but for additions
// and moves in between. Such an execution rounds relative to that sum's terms (domains/folded_executions), which a
// scale that has become part of a later product does not know of.
bool ends_a_sum(const Rewriter& rewriter, ValueId value) {
  std::vector<ValueId> open{value};
  std::set<ValueId> seen;
  while (!open.empty()) {
    const ValueId next = open.back();
    open.pop_back();
    const Node* node = rewriter.producer(next);
    if (node == nullptr || !seen.insert(next).second) continue;
    const auto output = std::find(node->outputs.begin(), node->outputs.end(), next) - node->outputs.begin();
    Facet facet;
    try {
      facet = rewriter.table().at(*node).lower(NodeView(rewriter.result(), *node, static_cast<std::size_t>(output)));
    } catch (const UnsupportedError&) {
      return true;  // whoever lowers the network says so
    }
    const auto* affine = std::get_if<Affine>(&facet);
    const auto* movement = std::get_if<DataMovement>(&facet);
    if (affine == nullptr && movement == nullptr) continue;
    for (const AffineTerm& term : affine != nullptr ? affine->terms : movement->terms) {
      if (term.map->rounds()) return true;
      open.push_back(node->inputs[term.input]);
    }
  }
  return false;
}

bool merge_before(Rewriter& rewriter, const Node& node, RewriteBudget& budget) {
  if (!may_be_weighted(rewriter.old(), rewriter.table(), node)) return false;
  const auto variable = std::find_if(node.inputs.begin(), node.inputs.end(),
                                     [&](ValueId id) { return id != kNoValue && !rewriter.old().is_constant(id); });
  const ValueId operand = before_reshapes(rewriter, rewriter.now(*variable));
  const Node* before = rewriter.producer(operand);
  if (before == nullptr || rewriter.readers(operand) != 1) return false;
  const auto pointwise = pointwise_node(rewriter.result(), rewriter.table(), *before);
  if (!pointwise || ends_a_sum(rewriter, pointwise->x)) return false;
  const auto weighted = weighted_node(rewriter.old(), rewriter.table(), node);
  if (!weighted || (operand != rewriter.now(*variable) && !weighted->is_matrix())) return false;
  auto merged = merged_before(*weighted, *pointwise);
  return merged && budget.take() && write(rewriter, node, pointwise->x, std::move(*merged));
}

}  // namespace

Network merge_affine(const Network& network, const OperatorTable& table, RewriteBudget& budget) {
  return rewrite_nodes(network, table, [&](Rewriter& rewriter, const Node& node) {
    return merge_behind(rewriter, node, budget) || merge_before(rewriter, node, budget);
  });
}

}  // namespace boundflow
