// Concat along one axis. Opsets 4 to 13. Constants among the inputs become the bias of an affine node that does not
// round.
#include <fmt/format.h>

#include "ops/layout.hpp"
#include "ops/operator_list.hpp"
#include "ops/sample_network.hpp"
#include "ops/type_rules.hpp"

namespace boundflow {

namespace {

std::size_t axis_of(const NodeView& node) {
  if (!node.has_attribute("axis")) node.malformed("attribute 'axis' is required");
  return static_cast<std::size_t>(
      normalised_axis(node, node.int_attribute("axis", 0), node.input_type(0).shape.size()));
}

std::vector<TensorType> infer(const NodeView& node) {
  TensorType type = node.input_type(0);
  const std::size_t axis = axis_of(node);
  for (std::size_t i = 1; i < node.input_count(); ++i) {
    if (!node.has_input(i)) node.malformed(fmt::format("input {} is required", i));
    TensorType expected = node.input_type(i);
    if (expected.shape.size() == type.shape.size()) {
      const std::int64_t extent = expected.shape[axis];
      expected.shape[axis] = type.shape[axis];
      if (expected == type) {
        type.shape[axis] += extent;
        continue;
      }
    }
    node.malformed(fmt::format("input {}, {}, does not fit {} on axis {}", i, to_string(node.input_type(i)),
                               to_string(node.input_type(0)), axis));
  }
  return {type};
}

// For each input, where its elements go: output positions in the input's row-major order.
std::vector<std::vector<std::int64_t>> targets(const NodeView& node) {
  const Shape shape = infer(node)[0].shape;
  const std::size_t axis = axis_of(node);
  const std::vector<std::int64_t> strides = row_major_strides(shape);
  std::vector<std::vector<std::int64_t>> all;
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    const Shape& own = node.input_type(i).shape;
    // An output of another size than the input's, so that even an unchanged order is written out.
    all.push_back(strided_sources(own, offset * strides[axis], strides, -1));
    offset += own[axis];
  }
  return all;
}

std::vector<Tensor> evaluate(const NodeView& node, std::span<const Tensor* const> inputs) {
  const TensorType type = infer(node)[0];
  const std::vector<std::vector<std::int64_t>> places = targets(node);
  return std::visit(
      [&](auto joined) -> std::vector<Tensor> {
        joined.clear();
        joined.resize(static_cast<std::size_t>(element_count(type.shape)));
        for (std::size_t i = 0; i < inputs.size(); ++i) {
          const auto& own = std::get<decltype(joined)>(inputs[i]->data());
          for (std::size_t k = 0; k < own.size(); ++k) joined[static_cast<std::size_t>(places[i][k])] = own[k];
        }
        return {Tensor(type.shape, std::move(joined))};
      },
      inputs[0]->data());
}

Facet lower(const NodeView& node) {
  const std::int64_t out = element_count(infer(node)[0].shape);
  const std::vector<std::vector<std::int64_t>> places = targets(node);
  std::vector<AffineTerm> terms;
  std::vector<double> bias;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    const auto in = static_cast<std::int64_t>(places[i].size());
    if (const Tensor* constant = node.constant(i)) {
      floating_input(node, i);
      bias.resize(static_cast<std::size_t>(out), 0.0);
      for (std::int64_t k = 0; k < in; ++k) {
        bias[static_cast<std::size_t>(places[i][static_cast<std::size_t>(k)])] = constant->at(k);
      }
    } else if (in == out) {
      terms.push_back({i, std::make_shared<const LinearMap>(LinearMap::identity(out))});
    } else {
      IndexMap map{out, in, std::vector<std::int64_t>(static_cast<std::size_t>(out), -1), 1};
      for (std::int64_t k = 0; k < in; ++k) {
        map.source[static_cast<std::size_t>(places[i][static_cast<std::size_t>(k)])] = k;
      }
      terms.push_back({i, std::make_shared<const LinearMap>(std::move(map))});
    }
  }
  if (bias.empty()) return DataMovement{std::move(terms)};
  return Affine{.terms = std::move(terms), .bias = std::move(bias)};
}

std::vector<Spelling> spell(const NodeView& node) {
  Spelling spelling = as_written(node);
  spelling.attributes["axis"] = static_cast<std::int64_t>(axis_of(node));
  return {spelling};
}

Network sample(Random& random) {
  SampleNetwork sample(random);
  const std::int64_t rank = random.integer(1, 3);
  const ValueId x = sample.input(sample.shape(static_cast<int>(rank)));
  const std::int64_t axis = random.integer(-rank, rank - 1);
  std::vector<ValueId> inputs{x};
  for (std::int64_t more = random.integer(0, 3); more > 0; --more) {
    Shape shape = sample.shape_of(x);
    shape[static_cast<std::size_t>(axis < 0 ? axis + rank : axis)] = random.integer(1, 3);
    const ValueId other = random.coin() ? sample.constant(shape) : sample.node("Relu", {x});
    inputs.insert(random.coin() ? inputs.begin() : inputs.end(), other);
  }
  return sample.finish("Concat", std::move(inputs), {{"axis", axis}});
}

}  // namespace

Operator concat_operator() {
  return {.name = "Concat",
          .max_inputs = -1,
          .layout_only = true,
          .concatenates = true,
          .attributes = {"axis"},
          .infer = infer,
          .evaluate = evaluate,
          .lower = lower,
          .spell = spell,
          .sample = sample};
}

}  // namespace boundflow
