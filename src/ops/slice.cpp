// Slice: along some axes, every step-th element from start up to but without end. In the form of opset 10 to 13, whose
// starts, ends, axes and steps are inputs; the attributes of opset 1 become inputs at import.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "ops/layout.hpp"
#include "ops/operator_list.hpp"
#include "ops/sample_network.hpp"
#include "ops/type_rules.hpp"

namespace boundflow {

namespace {

struct AxisRange {
  std::int64_t start = 0;
  std::int64_t step = 1;
  std::int64_t count = 0;
};

// Negative places count from the end; places beyond the ends are clamped, to -1 .. extent - 1 where the step is
// negative.
AxisRange range_of(std::int64_t start, std::int64_t end, std::int64_t step, std::int64_t extent) {
  if (extent == 0) return {};
  const std::int64_t last = step > 0 ? extent : extent - 1;
  start = std::clamp<std::int64_t>(start < 0 ? start + extent : start, 0, last);
  end = std::clamp<std::int64_t>(end < 0 ? end + extent : end, step > 0 ? 0 : -1, last);
  // No step is longer than this, so that its magnitude exists.
  step = std::max(step, -std::numeric_limits<std::int64_t>::max());
  const std::int64_t distance = step > 0 ? end - start : start - end;
  const std::int64_t count = distance <= 0 ? 0 : (distance - 1) / std::abs(step) + 1;
  // The step to a second element is in range; without one it must not overflow in strides.
  return {start, count > 1 ? step : 1, count};
}

std::vector<AxisRange> ranges(const NodeView& node) {
  const Shape& shape = node.input_type(0).shape;
  std::vector<AxisRange> all;
  for (const std::int64_t extent : shape) all.push_back({0, 1, extent});
  const std::vector<std::int64_t>& starts = constant_indices(node, 1, "starts");
  const std::vector<std::int64_t>& ends = constant_indices(node, 2, "ends");
  std::vector<std::int64_t> axes(starts.size());
  std::iota(axes.begin(), axes.end(), 0);
  if (node.has_input(3)) axes = constant_indices(node, 3, "axes");
  std::vector<std::int64_t> steps(starts.size(), 1);
  if (node.has_input(4)) steps = constant_indices(node, 4, "steps");
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size()) {
    node.malformed(fmt::format("{} starts, {} ends, {} axes and {} steps; equal numbers are expected", starts.size(),
                               ends.size(), axes.size(), steps.size()));
  }
  std::vector<bool> seen(shape.size(), false);
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const auto axis = static_cast<std::size_t>(normalised_axis(node, axes[i], shape.size()));
    if (seen[axis]) node.malformed(fmt::format("axis {} is sliced twice", axis));
    if (steps[i] == 0) node.malformed("a step is 0");
    seen[axis] = true;
    all[axis] = range_of(starts[i], ends[i], steps[i], shape[axis]);
  }
  return all;
}

std::vector<TensorType> infer(const NodeView& node) {
  Shape shape;
  for (const AxisRange& range : ranges(node)) shape.push_back(range.count);
  return {{node.input_type(0).dtype, std::move(shape)}};
}

Sources sources(const NodeView& node) {
  const Shape& from = node.input_type(0).shape;
  const std::vector<std::int64_t> own = row_major_strides(from);
  std::vector<std::int64_t> strides;
  std::int64_t offset = 0;
  const std::vector<AxisRange> all = ranges(node);
  for (std::size_t d = 0; d < all.size(); ++d) {
    offset += all[d].start * own[d];
    strides.push_back(all[d].step * own[d]);
  }
  return strided_sources(infer(node)[0].shape, offset, strides, element_count(from));
}

std::vector<Tensor> evaluate(const NodeView& node, std::span<const Tensor* const> inputs) {
  return evaluate_layout(*inputs[0], infer(node)[0].shape, sources(node));
}

Facet lower(const NodeView& node) {
  return lower_layout(node, element_count(infer(node)[0].shape), sources(node));
}

std::vector<Spelling> spell(const NodeView& node) {
  const Shape& shape = node.input_type(0).shape;
  const std::vector<AxisRange> all = ranges(node);
  std::vector<std::int64_t> starts, ends, axes, steps;
  for (std::size_t d = 0; d < all.size(); ++d) {
    const auto [start, step, count] = all[d];
    if (count == shape[d] && step == 1) continue;
    const std::int64_t last = start + (count - 1) * step;
    starts.push_back(start);
    // Before the first element there is no place but one far below zero.
    ends.push_back(step > 0 ? last + 1 : last > 0 ? last - 1 : -shape[d] - 1);
    axes.push_back(static_cast<std::int64_t>(d));
    steps.push_back(step);
  }
  if (axes.empty()) return {as_written(node)};  // compose-layouts removes it
  return {{"Slice",
           {node.node().inputs[0], index_vector(starts), index_vector(ends), index_vector(axes), index_vector(steps)},
           {}}};
}

Network sample(Random& random) {
  SampleNetwork sample(random);
  const ValueId x = sample.input(sample.shape(static_cast<int>(random.integer(1, 3))));
  const Shape shape = sample.shape_of(x);
  const auto rank = static_cast<std::int64_t>(shape.size());
  const bool named_axes = random.coin();
  const bool stepped = named_axes && random.coin();
  std::vector<std::int64_t> starts, ends, axes, steps;
  for (std::int64_t d = 0; d < rank; ++d) {
    if (named_axes && random.integer(0, 3) == 0) continue;
    const std::int64_t extent = shape[static_cast<std::size_t>(d)];
    // Non-empty by construction: `first` is taken, whatever the step.
    const std::int64_t first = random.integer(0, extent - 1);
    const std::int64_t step = stepped ? (random.coin() ? 1 : -1) * random.integer(1, 3) : 1;
    const std::int64_t beyond = random.coin() ? extent + 3 : std::numeric_limits<std::int64_t>::max();
    std::int64_t end = step > 0 ? random.integer(first + 1, extent) : random.integer(0, first) - 1;
    if (step > 0 && end == extent && random.coin()) end = beyond;
    if (end == -1) end = -beyond;  // -1 itself would mean the last element
    starts.push_back(random.coin() ? first : first - extent);
    ends.push_back(end);
    axes.push_back(random.coin() ? d : d - rank);
    steps.push_back(step);
  }
  std::vector<ValueId> inputs{x, sample.indices(starts), sample.indices(ends)};
  if (named_axes) inputs.push_back(sample.indices(axes));
  if (stepped) inputs.push_back(sample.indices(steps));
  return sample.finish("Slice", std::move(inputs));
}

}  // namespace

Operator slice_operator() {
  return {.name = "Slice",
          .min_inputs = 3,
          .max_inputs = 5,
          .layout_only = true,
          .infer = infer,
          .evaluate = evaluate,
          .lower = lower,
          .spell = spell,
          .sample = sample};
}

}  // namespace boundflow
