#include "passes/rearrangement.hpp"

#include <algorithm>
#include <numeric>

namespace boundflow {

namespace {

std::size_t at(std::int64_t i) {
  return static_cast<std::size_t>(i);
}

bool is_permutation_of_all(const Sources& sources) {
  std::vector<char> seen(sources.size(), 0);
  for (const std::int64_t i : sources) {
    if (i < 0 || at(i) >= seen.size() || seen[at(i)] != 0) return false;
    seen[at(i)] = 1;
  }
  return true;
}

// A permutation as the transposition of a tensor with as few axes as possible: `extents` of the operand, outermost
// first, and for each axis of the result the operand's.
struct Transposition {
  std::vector<std::int64_t> extents;
  std::vector<std::size_t> axes;
};

struct Axis {
  std::int64_t extent;
  std::int64_t stride;  // in the operand
};

// The axes of the result, innermost first: each extends for as long as its steps are of one length.
std::optional<std::vector<Axis>> result_axes(const Sources& sources) {
  const auto count = static_cast<std::int64_t>(sources.size());
  if (sources[0] != 0) return std::nullopt;
  std::vector<Axis> axes;
  std::int64_t block = 1;
  while (block < count) {
    const std::int64_t stride = sources[at(block)];
    std::int64_t extent = 1;
    while (extent * block < count && sources[at(extent * block)] == extent * stride) ++extent;
    if (count % (block * extent) != 0) return std::nullopt;
    axes.push_back({extent, stride});
    block *= extent;
  }
  for (std::int64_t j = 0; j < count; ++j) {
    std::int64_t rest = j, source = 0;
    for (const Axis& axis : axes) {
      source += rest % axis.extent * axis.stride;
      rest /= axis.extent;
    }
    if (source != sources[at(j)]) return std::nullopt;
  }
  return axes;
}

std::optional<Transposition> as_transposition(std::int64_t count, const Sources& sources) {
  if (sources.empty() || count == 1) return Transposition{{count}, {0}};
  const auto axes = result_axes(sources);
  if (!axes) return std::nullopt;
  std::vector<std::size_t> order(axes->size());  // of the operand's axes, outermost first
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return (*axes)[a].stride > (*axes)[b].stride; });
  Transposition result;
  std::vector<std::size_t> place(axes->size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    result.extents.push_back((*axes)[order[i]].extent);
    place[order[i]] = i;
  }
  result.axes.assign(place.rbegin(), place.rend());
  return result;
}

// For each extent, the consecutive axes of `shape` that make it up, without those of extent 1; nothing if they do not.
std::optional<std::vector<std::vector<std::int64_t>>> group_axes(const Shape& shape,
                                                                 const std::vector<std::int64_t>& extents) {
  std::vector<std::vector<std::int64_t>> groups;
  std::size_t axis = 0;
  for (const std::int64_t extent : extents) {
    std::vector<std::int64_t>& group = groups.emplace_back();
    for (std::int64_t left = extent; left > 1; ++axis) {
      if (axis == shape.size() || left % shape[axis] != 0) return std::nullopt;
      if (shape[axis] == 1) continue;
      group.push_back(static_cast<std::int64_t>(axis));
      left /= shape[axis];
    }
  }
  return groups;
}

Shape without_ones(const Shape& shape) {
  Shape result;
  std::copy_if(shape.begin(), shape.end(), std::back_inserter(result), [](std::int64_t d) { return d != 1; });
  return result;
}

// The axes of `shape` with extents other than 1 in the order of the result.
std::optional<std::vector<std::int64_t>> moved_axes(const Shape& shape, const Transposition& transposition) {
  const auto groups = group_axes(shape, transposition.extents);
  if (!groups) return std::nullopt;
  std::vector<std::int64_t> axes;
  for (const std::size_t group : transposition.axes) {
    axes.insert(axes.end(), (*groups)[group].begin(), (*groups)[group].end());
  }
  return axes;
}

std::optional<std::vector<std::int64_t>> axis_permutation(const Shape& from, const Shape& to,
                                                          const Transposition& transposition) {
  if (from.size() != to.size()) return std::nullopt;
  const auto moved = moved_axes(from, transposition);
  if (!moved) return std::nullopt;
  std::vector<std::int64_t> ones;
  for (std::size_t d = 0; d < from.size(); ++d) {
    if (from[d] == 1) ones.push_back(static_cast<std::int64_t>(d));
  }
  std::vector<std::int64_t> perm;
  auto next = moved->begin();
  auto one = ones.begin();
  for (const std::int64_t extent : to) {
    if (extent == 1) {
      if (one == ones.end()) return std::nullopt;
      perm.push_back(*one++);
    } else {
      if (next == moved->end() || from[at(*next)] != extent) return std::nullopt;
      perm.push_back(*next++);
    }
  }
  return perm;
}

// The shape that `transposition` takes to `to`, if it has one: `to` with its axes put back.
std::optional<Shape> shape_before(const Shape& to, const Transposition& transposition) {
  std::vector<std::int64_t> extents;
  for (const std::size_t axis : transposition.axes) extents.push_back(transposition.extents[axis]);
  const auto groups = group_axes(to, extents);
  if (!groups) return std::nullopt;
  Shape shape(to.size() - without_ones(to).size(), 1);
  std::vector<std::size_t> place(transposition.axes.size());
  for (std::size_t i = 0; i < place.size(); ++i) place[transposition.axes[i]] = i;
  for (const std::size_t group : place) {
    for (const std::int64_t axis : (*groups)[group]) shape.push_back(to[at(axis)]);
  }
  return shape;
}

}  // namespace

std::optional<Rearrangement> rearrangement(const Network& network, const OperatorTable& table, const Node& node) {
  const Operator& op = table.at(node);
  if (!op.layout_only || node.outputs.size() != 1) return std::nullopt;
  if (reads_constants_only(network, node) || !is_floating(network.value(node.outputs[0]).type.dtype)) {
    return std::nullopt;
  }
  const Facet facet = op.lower(NodeView(network, node));
  const auto* movement = std::get_if<DataMovement>(&facet);
  if (movement == nullptr || movement->terms.size() != 1) return std::nullopt;
  const IndexMap* map = movement->terms[0].map->index();
  if (map == nullptr || map->in != map->out || map->factor != 1 || !is_permutation_of_all(map->source)) {
    return std::nullopt;
  }
  return Rearrangement{node.inputs.at(movement->terms[0].input), map->source};
}

Sources composed(const Sources& first, const Sources& second) {
  if (first.empty()) return second;
  if (second.empty()) return first;
  Sources sources;
  bool same_order = true;
  for (const std::int64_t i : second) {
    sources.push_back(first[at(i)]);
    same_order = same_order && sources.back() == static_cast<std::int64_t>(sources.size()) - 1;
  }
  if (same_order) sources.clear();
  return sources;
}

std::optional<std::vector<std::int64_t>> axis_permutation(const Shape& from, const Shape& to, const Sources& sources) {
  const auto transposition = as_transposition(element_count(from), sources);
  return transposition ? axis_permutation(from, to, *transposition) : std::nullopt;
}

std::optional<std::vector<LayoutStep>> layout_steps(const Shape& from, const Shape& to, const Sources& sources) {
  const auto transposition = as_transposition(element_count(from), sources);
  if (!transposition) return std::nullopt;
  const LayoutStep last{false, to};
  if (std::is_sorted(transposition->axes.begin(), transposition->axes.end())) {
    return from == to ? std::vector<LayoutStep>{} : std::vector<LayoutStep>{last};
  }
  if (const auto perm = axis_permutation(from, to, *transposition)) return std::vector<LayoutStep>{{true, *perm}};
  if (const auto before = shape_before(to, *transposition)) {
    const auto perm = axis_permutation(*before, to, *transposition);
    ensure(perm.has_value(), "layout steps: a shape that was put back does not fit");
    return std::vector<LayoutStep>{{false, *before}, {true, *perm}};
  }
  Shape middle = from;
  auto moved = moved_axes(from, *transposition);
  std::vector<LayoutStep> steps;
  if (!moved) {
    middle = transposition->extents;
    steps.push_back({false, middle});
    moved = moved_axes(middle, *transposition);
  }
  // Axes of extent 1 go first, such as a batch.
  std::vector<std::int64_t> perm;
  for (std::size_t d = 0; d < middle.size(); ++d) {
    if (middle[d] == 1) perm.push_back(static_cast<std::int64_t>(d));
  }
  perm.insert(perm.end(), moved->begin(), moved->end());
  steps.push_back({true, std::move(perm)});
  steps.push_back(last);
  return steps;
}

ValueId add_layout_steps(Rewriter& rewriter, ValueId operand, const std::vector<LayoutStep>& steps,
                         const std::string& name, const std::string& value_name) {
  ValueId value = operand;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const bool last = i + 1 == steps.size();
    const std::string own = last ? name : name + "." + std::to_string(i);
    const std::string own_value = last ? value_name : value_name + "." + std::to_string(i);
    const std::vector<std::int64_t>& argument = steps[i].argument;
    if (steps[i].transpose) {
      value = rewriter.add("Transpose", own, {value}, own_value, {{"perm", argument}});
    } else {
      const ValueId shape =
          rewriter.add_constant(own + ".shape", Tensor({static_cast<std::int64_t>(argument.size())}, argument));
      value = rewriter.add("Reshape", own, {value, shape}, own_value);
    }
  }
  return value;
}

}  // namespace boundflow
