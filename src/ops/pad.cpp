// Pad: further elements before and after some axes, or fewer where a count is negative. They are a constant, or copies
// of elements: the nearest (edge), mirrored (reflect) or from the other end (wrap). In the form of opset 11 to 23; the
// attributes of earlier ones become inputs at import.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/limits.hpp"
#include "ops/layout.hpp"
#include "ops/operator_list.hpp"
#include "ops/sample_network.hpp"
#include "ops/type_rules.hpp"

namespace boundflow {

namespace {

// Where an axis's elements come from: for each of the output's, a coordinate of the input, or -1 for the constant.
using Axis = std::vector<std::int64_t>;

enum class Mode { Constant, Edge, Reflect, Wrap };

Mode read_mode(const NodeView& node) {
  const std::string mode = node.string_attribute("mode", "constant");
  if (mode == "constant") return Mode::Constant;
  if (mode == "edge") return Mode::Edge;
  if (mode == "reflect") return Mode::Reflect;
  if (mode == "wrap") return Mode::Wrap;
  node.malformed(fmt::format("mode '{}' is unknown", mode));
}

// The coordinate that is copied to `position`, which lies outside [0, extent).
std::int64_t copied(Mode mode, std::int64_t position, std::int64_t extent) {
  switch (mode) {
    case Mode::Constant:
      return -1;
    case Mode::Edge:
      return std::clamp<std::int64_t>(position, 0, extent - 1);
    case Mode::Reflect:
      return position < 0 ? -position : 2 * (extent - 1) - position;
    case Mode::Wrap:
      return position < 0 ? position + extent : position - extent;
  }
  throw InternalError("unknown padding mode");
}

struct Padding {
  std::int64_t before = 0;
  std::int64_t after = 0;
};

void check_axis(const NodeView& node, Mode mode, std::int64_t extent, const Padding& padding) {
  const auto [before, after] = padding;
  // More is nonsense.
  if (std::max(before, after) > kMaxPad || std::min(before, after) < -kMaxPad) {
    node.unsupported(fmt::format("padding of {} and {} is too large", before, after));
  }
  if (extent + before + after < 0) {
    node.malformed(fmt::format("padding of {} and {} removes more than {} elements", before, after, extent));
  }
  // Copies of copies: runtimes differ.
  const std::int64_t most = mode == Mode::Reflect ? extent - 1 : mode == Mode::Wrap ? extent : kMaxPad;
  if (std::max(before, after) > most || (mode == Mode::Edge && extent == 0)) {
    node.unsupported(fmt::format("padding of {} and {} exceeds what {} elements fill", before, after, extent));
  }
  if (mode != Mode::Constant && std::min(before, after) < 0) {
    node.unsupported("negative padding with copied elements is not supported");
  }
}

// Of each axis of the input.
std::vector<Padding> read(const NodeView& node) {
  const Shape& shape = node.input_type(0).shape;
  const std::vector<std::int64_t>& pads = constant_indices(node, 1, "pads");
  std::vector<std::int64_t> axes(shape.size());
  for (std::size_t d = 0; d < axes.size(); ++d) axes[d] = static_cast<std::int64_t>(d);
  if (node.has_input(3)) axes = constant_indices(node, 3, "axes");
  marked_axes(node, axes, shape.size());
  if (pads.size() != 2 * axes.size()) {
    node.malformed(fmt::format("{} pads for {} axes; two for each are expected", pads.size(), axes.size()));
  }
  const Mode mode = read_mode(node);
  std::vector<Padding> all(shape.size());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto d = static_cast<std::size_t>(normalised_axis(node, axes[i], shape.size()));
    all[d] = {pads[i], pads[axes.size() + i]};
    check_axis(node, mode, shape[d], all[d]);
  }
  return all;
}

Shape output_shape(const NodeView& node) {
  Shape shape = node.input_type(0).shape;
  const std::vector<Padding> all = read(node);
  for (std::size_t d = 0; d < shape.size(); ++d) shape[d] += all[d].before + all[d].after;
  return shape;
}

// Only once the size of the result is known to be affordable.
std::vector<Axis> axes_of(const NodeView& node) {
  const Shape& shape = node.input_type(0).shape;
  const Mode mode = read_mode(node);
  std::vector<Axis> axes;
  for (const Padding& padding : read(node)) {
    const std::int64_t extent = shape[axes.size()];
    Axis& axis = axes.emplace_back();
    for (std::int64_t position = -padding.before; position < extent + padding.after; ++position) {
      axis.push_back(position >= 0 && position < extent ? position : copied(mode, position, extent));
    }
  }
  return axes;
}

std::vector<TensorType> infer(const NodeView& node) {
  const TensorType& type = node.input_type(0);
  if (node.has_input(2)) {
    const Tensor* value = node.constant(2);
    if (value == nullptr) node.unsupported("the padding's value (input 2) must be a constant");
    if (value->dtype() != type.dtype || value->size() != 1) {
      node.malformed(fmt::format("the padding's value (input 2) is {}, but the input {}", to_string(value->type()),
                                 to_string(type)));
    }
  }
  return {{type.dtype, output_shape(node)}};
}

// For each element of the output, the input's element or -1 for the constant.
Sources sources(const std::vector<Axis>& axes, const Shape& from) {
  const std::vector<std::int64_t> strides = row_major_strides(from);
  Sources sources{0};
  for (std::size_t d = 0; d < axes.size(); ++d) {
    Sources longer;
    longer.reserve(sources.size() * axes[d].size());
    for (const std::int64_t begin : sources) {
      for (const std::int64_t at : axes[d]) longer.push_back(begin < 0 || at < 0 ? -1 : begin + at * strides[d]);
    }
    sources = std::move(longer);
  }
  return sources;
}

std::vector<Tensor> evaluate(const NodeView& node, std::span<const Tensor* const> inputs) {
  const Sources places = sources(axes_of(node), inputs[0]->shape());
  return std::visit(
      [&](const auto& own) -> std::vector<Tensor> {
        using Elements = std::decay_t<decltype(own)>;
        typename Elements::value_type value{};
        if (node.has_input(2)) value = std::get<Elements>(inputs[2]->data()).front();
        Elements padded;
        for (const std::int64_t i : places) padded.push_back(i < 0 ? value : own[static_cast<std::size_t>(i)]);
        return {Tensor(output_shape(node), std::move(padded))};
      },
      inputs[0]->data());
}

Facet lower(const NodeView& node) {
  Sources places = sources(axes_of(node), node.input_type(0).shape);
  const auto out = static_cast<std::int64_t>(places.size());
  const double value = node.has_input(2) && read_mode(node) == Mode::Constant ? node.constant(2)->at(0) : 0.0;
  std::vector<double> bias;
  if (value != 0) {
    for (const std::int64_t i : places) bias.push_back(i < 0 ? value : 0.0);
  }
  std::vector<AffineTerm> terms{{0, std::make_shared<const LinearMap>(
                                        IndexMap{out, element_count(node.input_type(0).shape), std::move(places), 1})}};
  if (bias.empty()) return DataMovement{std::move(terms)};
  return Affine{.terms = std::move(terms), .bias = std::move(bias)};
}

std::vector<Spelling> spell(const NodeView& node) {
  std::vector<std::int64_t> before, after;
  for (const Padding& padding : read(node)) {
    before.push_back(padding.before);
    after.push_back(padding.after);
  }
  before.insert(before.end(), after.begin(), after.end());
  Spelling spelling{"Pad", {node.node().inputs[0], index_vector(before)}, node.node().attributes};
  if (read_mode(node) == Mode::Constant) {
    spelling.attributes.erase("mode");
    const bool zero = !node.has_input(2) || (node.constant(2) != nullptr && node.constant(2)->at(0) == 0);
    if (!zero) spelling.inputs.emplace_back(node.node().inputs[2]);
  }
  return {spelling};
}

Network sample(Random& random) {
  SampleNetwork sample(random);
  const ValueId x = sample.input(sample.shape(static_cast<int>(random.integer(1, 3))));
  const Shape& shape = sample.shape_of(x);
  const std::array<const char*, 4> modes{"constant", "edge", "reflect", "wrap"};
  const auto mode = static_cast<std::size_t>(random.integer(0, 3));
  const bool named_axes = random.coin();
  std::vector<std::int64_t> before, after, axes;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (named_axes && random.coin()) continue;
    const std::int64_t most = mode == 2 ? std::min<std::int64_t>(shape[d] - 1, 2) : std::min<std::int64_t>(shape[d], 2);
    before.push_back(random.integer(mode == 0 ? -(shape[d] - 1) / 2 : 0, most));
    after.push_back(random.integer(mode == 0 ? -(shape[d] - 1) / 2 : 0, most));
    axes.push_back(static_cast<std::int64_t>(d) - (random.coin() ? static_cast<std::int64_t>(shape.size()) : 0));
  }
  before.insert(before.end(), after.begin(), after.end());
  std::vector<ValueId> inputs{x, sample.indices(before), random.coin() ? sample.constant({}) : kNoValue};
  if (named_axes) inputs.push_back(sample.indices(axes));
  return sample.finish("Pad", std::move(inputs), {{"mode", std::string(modes[mode])}});
}

}  // namespace

Operator pad_operator() {
  return {.name = "Pad",
          .min_inputs = 2,
          .max_inputs = 4,
          .layout_only = true,
          .attributes = {"mode"},
          .infer = infer,
          .evaluate = evaluate,
          .lower = lower,
          .spell = spell,
          .sample = sample};
}

}  // namespace boundflow
