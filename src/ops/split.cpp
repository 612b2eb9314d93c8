// Split into pieces along one axis. In the form of opset 13, whose second input holds the pieces' extents; the other
// forms, equal pieces among them, get that input at import.
#include <fmt/format.h>

#include "ops/layout.hpp"
#include "ops/operator_list.hpp"
#include "ops/sample_network.hpp"
#include "ops/type_rules.hpp"

namespace boundflow {

namespace {

std::size_t axis_of(const NodeView& node) {
  return static_cast<std::size_t>(
      normalised_axis(node, node.int_attribute("axis", 0), node.input_type(0).shape.size()));
}

std::vector<TensorType> infer(const NodeView& node) {
  const TensorType& type = node.input_type(0);
  const std::size_t axis = axis_of(node);
  const std::vector<std::int64_t>& extents = constant_indices(node, 1, "split");
  std::int64_t left = type.shape[axis];
  std::vector<TensorType> pieces;
  for (const std::int64_t extent : extents) {
    if (extent < 0 || extent > left) left = -1;
    if (left < 0) break;
    left -= extent;
    TensorType piece = type;
    piece.shape[axis] = extent;
    pieces.push_back(std::move(piece));
  }
  if (left != 0) {
    node.malformed(fmt::format("pieces of {} do not make up axis {} of {}", to_string(extents), axis, to_string(type)));
  }
  return pieces;
}

Sources sources(const NodeView& node, const std::vector<TensorType>& pieces, std::size_t piece) {
  const Shape& from = node.input_type(0).shape;
  const std::vector<std::int64_t> strides = row_major_strides(from);
  const std::size_t axis = axis_of(node);
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < piece; ++i) begin += pieces[i].shape[axis];
  return strided_sources(pieces[piece].shape, begin * strides[axis], strides, element_count(from));
}

std::vector<Tensor> evaluate(const NodeView& node, std::span<const Tensor* const> inputs) {
  const std::vector<TensorType> pieces = infer(node);
  std::vector<Tensor> outputs;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    outputs.push_back(evaluate_layout(*inputs[0], pieces[i].shape, sources(node, pieces, i)).front());
  }
  return outputs;
}

Facet lower(const NodeView& node) {
  const std::vector<TensorType> pieces = infer(node);
  const std::size_t piece = node.output_index();
  return lower_layout(node, element_count(pieces.at(piece).shape), sources(node, pieces, piece));
}

// A Slice for each piece.
std::vector<Spelling> spell(const NodeView& node) {
  const auto axis = static_cast<std::int64_t>(axis_of(node));
  std::vector<Spelling> pieces;
  std::int64_t begin = 0;
  for (const std::int64_t extent : constant_indices(node, 1, "split")) {
    pieces.push_back({"Slice",
                      {node.node().inputs[0], index_vector({begin}), index_vector({begin + extent}),
                       index_vector({axis}), index_vector({1})},
                      {}});
    begin += extent;
  }
  return pieces;
}

Network sample(Random& random) {
  SampleNetwork sample(random);
  const ValueId x = sample.input(sample.shape(static_cast<int>(random.integer(1, 3))));
  const Shape& shape = sample.shape_of(x);
  const auto rank = static_cast<std::int64_t>(shape.size());
  const std::int64_t axis = random.integer(-rank, rank - 1);
  std::vector<std::int64_t> extents;
  for (std::int64_t left = shape[static_cast<std::size_t>(axis < 0 ? axis + rank : axis)]; left > 0;) {
    extents.push_back(random.integer(1, left));
    left -= extents.back();
  }
  return sample.finish("Split", {x, sample.indices(extents)}, {{"axis", axis}}, extents.size());
}

}  // namespace

Operator split_operator() {
  return {.name = "Split",
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
