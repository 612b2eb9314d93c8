// Gather: slices of one axis, picked by constant indices of any shape, which takes the axis's place. Opsets 1 to 13.
#include <fmt/format.h>

#include "ops/layout.hpp"
#include "ops/operator_list.hpp"
#include "ops/sample_network.hpp"
#include "ops/type_rules.hpp"

namespace boundflow {

namespace {

struct Gather {
  std::size_t axis = 0;
  std::vector<std::int64_t> indices;  // of [0, extent)
  Shape output;
};

Gather read(const NodeView& node) {
  const Shape& shape = node.input_type(0).shape;
  const Tensor* indices = node.constant(1);
  if (indices == nullptr) node.unsupported("the indices (input 1) must be a constant");
  if (indices->dtype() != DType::Int64) {
    node.malformed(fmt::format("the indices (input 1) are {}, expected int64", to_string(indices->type())));
  }
  Gather gather;
  gather.axis = static_cast<std::size_t>(normalised_axis(node, node.int_attribute("axis", 0), shape.size()));
  const std::int64_t extent = shape[gather.axis];
  for (const std::int64_t index : indices->int64s()) {
    if (index < -extent || index >= extent) {
      node.malformed(fmt::format("index {} is out of range for axis {} of {}", index, gather.axis, to_string(shape)));
    }
    gather.indices.push_back(index < 0 ? index + extent : index);
  }
  const auto split = shape.begin() + static_cast<std::ptrdiff_t>(gather.axis);
  gather.output.assign(shape.begin(), split);
  gather.output.insert(gather.output.end(), indices->shape().begin(), indices->shape().end());
  gather.output.insert(gather.output.end(), split + 1, shape.end());
  return gather;
}

std::vector<TensorType> infer(const NodeView& node) {
  return {{node.input_type(0).dtype, read(node).output}};
}

Sources sources(const NodeView& node, const Gather& gather) {
  const Shape& shape = node.input_type(0).shape;
  const std::int64_t inner = row_major_strides(shape)[gather.axis];
  const std::int64_t slice = shape[gather.axis] * inner;
  Sources sources;
  for (std::int64_t begin = 0; begin < element_count(shape); begin += slice) {
    for (const std::int64_t index : gather.indices) {
      for (std::int64_t i = 0; i < inner; ++i) sources.push_back(begin + index * inner + i);
    }
  }
  return sources;
}

std::vector<Tensor> evaluate(const NodeView& node, std::span<const Tensor* const> inputs) {
  const Gather gather = read(node);
  return evaluate_layout(*inputs[0], gather.output, sources(node, gather));
}

Facet lower(const NodeView& node) {
  const Gather gather = read(node);
  return lower_layout(node, element_count(gather.output), sources(node, gather));
}

std::vector<Spelling> spell(const NodeView& node) {
  const Gather gather = read(node);
  Spelling spelling = as_written(node);
  spelling.inputs[1] = Tensor(node.constant(1)->shape(), gather.indices);
  spelling.attributes["axis"] = static_cast<std::int64_t>(gather.axis);
  return {spelling};
}

Network sample(Random& random) {
  SampleNetwork sample(random);
  const ValueId x = sample.input(sample.shape(static_cast<int>(random.integer(1, 3))));
  const Shape& shape = sample.shape_of(x);
  const auto rank = static_cast<std::int64_t>(shape.size());
  const std::int64_t axis = random.integer(-rank, rank - 1);
  const std::int64_t extent = shape[static_cast<std::size_t>(axis < 0 ? axis + rank : axis)];
  // A scalar, a vector or a matrix of indices, some of them from the end, some repeated.
  const Shape picked = sample.shape(static_cast<int>(random.integer(0, 2)), 4);
  std::vector<std::int64_t> indices;
  for (std::int64_t i = element_count(picked); i > 0; --i) indices.push_back(random.integer(-extent, extent - 1));
  Attributes attributes;
  if (axis != 0 || random.coin()) attributes["axis"] = axis;
  return sample.finish("Gather", {x, sample.indices(picked, indices)}, std::move(attributes));
}

}  // namespace

Operator gather_operator() {
  return {.name = "Gather",
          .min_inputs = 2,
          .max_inputs = 2,
          .layout_only = true,
          .attributes = {"axis"},
          .infer = infer,
          .evaluate = evaluate,
          .lower = lower,
          .spell = spell,
          .sample = sample};
}

}  // namespace boundflow
