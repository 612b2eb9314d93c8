// MaxPool with one or two spatial axes. Opsets 6 to 22. Padding never wins: it has no term in the maximum.
#include <fmt/format.h>

#include <algorithm>

#include "ops/maximum.hpp"
#include "ops/operator_list.hpp"
#include "ops/sample_network.hpp"
#include "ops/sound_lines.hpp"
#include "ops/type_rules.hpp"
#include "ops/window_geometry.hpp"

namespace boundflow {

namespace {

WindowGeometry read(const NodeView& node) {
  if (!node.has_attribute("kernel_shape")) node.malformed("attribute 'kernel_shape' is required");
  if (node.int_attribute("storage_order", 0) != 0) node.unsupported("storage_order 1 is not supported");
  const std::string auto_pad = node.string_attribute("auto_pad", "NOTSET");
  const std::vector<std::int64_t> dilations = node.ints_attribute("dilations", {});
  if (auto_pad.starts_with("SAME") && std::any_of(dilations.begin(), dilations.end(), [](auto d) { return d != 1; })) {
    // Runtimes pad as though the kernel were not dilated, the specification does not.
    node.unsupported(fmt::format("auto_pad {} with dilations is not supported", auto_pad));
  }
  return window_geometry(node, node.input_type(0).shape, node.ints_attribute("kernel_shape", {}));
}

// The row-major indices that each output is the maximum of; output j has those from starts[j] to starts[j + 1].
struct Windows {
  std::vector<std::int64_t> starts;
  std::vector<std::int64_t> indices;
};

Windows windows(const NodeView& node) {
  const WindowGeometry geometry = read(node);
  const Shape& shape = node.input_type(0).shape;
  const std::int64_t images = shape[0] * shape[1];
  Windows result;
  for (std::int64_t image = 0; image < images; ++image) {
    for (std::int64_t y = 0; y < geometry.windows[0]; ++y) {
      const WindowGeometry::Taps rows = geometry.taps_in_image(0, y);
      for (std::int64_t x = 0; x < geometry.windows[1]; ++x) {
        const WindowGeometry::Taps columns = geometry.taps_in_image(1, x);
        if (rows.first >= rows.end || columns.first >= columns.end) {
          node.unsupported("a window that holds nothing but padding is not supported");
        }
        result.starts.push_back(static_cast<std::int64_t>(result.indices.size()));
        for (std::int64_t row = rows.first; row < rows.end; ++row) {
          const std::int64_t line = (image * geometry.image[0] + geometry.position(0, y, row)) * geometry.image[1];
          for (std::int64_t column = columns.first; column < columns.end; ++column) {
            result.indices.push_back(line + geometry.position(1, x, column));
          }
        }
      }
    }
  }
  result.starts.push_back(static_cast<std::int64_t>(result.indices.size()));
  return result;
}

std::vector<TensorType> infer(const NodeView& node) {
  const TensorType& type = floating_input(node, 0);
  const WindowGeometry geometry = read(node);
  return {{type.dtype, geometry.output_shape(type.shape[0], type.shape[1])}};
}

Cost cost(const NodeView& node) {
  const Shape& shape = node.input_type(0).shape;
  const double terms = static_cast<double>(shape[0] * shape[1]) * read(node).taps_in_image();
  return {terms, terms};
}

std::vector<Tensor> evaluate(const NodeView& node, std::span<const Tensor* const> inputs) {
  const Windows all = windows(node);
  const Shape shape = infer(node)[0].shape;
  return with_floating_type(inputs[0]->dtype(), [&](auto zero) -> std::vector<Tensor> {
    using T = decltype(zero);
    const std::vector<T>& x = elements<T>(*inputs[0]);
    std::vector<T> y;
    for (std::size_t j = 0; j + 1 < all.starts.size(); ++j) {
      auto e = static_cast<std::size_t>(all.starts[j]);
      T value = x[static_cast<std::size_t>(all.indices[e])];
      for (++e; e < static_cast<std::size_t>(all.starts[j + 1]); ++e) {
        value = max_or_nan(value, x[static_cast<std::size_t>(all.indices[e])]);
      }
      y.push_back(value);
    }
    return {Tensor(shape, std::move(y))};
  });
}

Facet lower(const NodeView& node) {
  Windows all = windows(node);
  Joint joint;
  joint.inputs = {0};
  joint.starts = std::move(all.starts);
  for (const std::int64_t index : all.indices) joint.terms.push_back({0, index, 0});
  joint.function = std::make_shared<MaximumFunction>();
  return joint;
}

std::vector<Spelling> spell(const NodeView& node) {
  Spelling spelling = as_written(node);
  spell_window(read(node), node.int_attribute("ceil_mode", 0) != 0, spelling.attributes);
  spelling.attributes.erase("storage_order");  // of indices, which there are none of
  return {spelling};
}

Network sample(Random& random) {
  SampleNetwork sample(random);
  const std::size_t axes = random.coin() ? 1 : 2;
  Shape shape{random.integer(0, 3) == 0 ? 2 : 1, random.integer(1, 2)};
  std::vector<std::int64_t> kernel, strides, dilations, before, after;
  const bool automatic = random.integer(0, 3) == 0;
  for (std::size_t i = 0; i < axes; ++i) {
    shape.push_back(axes == 1 ? random.integer(1, 6) : random.integer(1, shape[0] * shape[1] > 2 ? 2 : 3));
    const std::int64_t extent = shape.back();
    dilations.push_back(automatic ? 1 : random.integer(1, 2));
    kernel.push_back(random.integer(1, automatic ? extent : (extent - 1) / dilations.back() + 1));
    strides.push_back(random.integer(1, 3));
    // Less padding than half the kernel, so that every window reaches the image.
    before.push_back(random.integer(0, dilations.back() == 1 ? kernel.back() / 2 : 0));
    after.push_back(random.integer(0, dilations.back() == 1 ? kernel.back() / 2 : 0));
  }
  Attributes attributes{{"kernel_shape", kernel}};
  if (random.coin()) attributes["strides"] = strides;
  if (automatic) {
    constexpr const char* kModes[] = {"VALID", "SAME_UPPER", "SAME_LOWER"};
    attributes["auto_pad"] = std::string(kModes[random.integer(0, 2)]);
  } else {
    attributes["dilations"] = dilations;
    before.insert(before.end(), after.begin(), after.end());
    if (random.coin()) attributes["pads"] = before;
    attributes["ceil_mode"] = random.integer(0, 1);
  }
  return sample.finish("MaxPool", {sample.input(shape)}, std::move(attributes));
}

}  // namespace

Operator max_pool_operator() {
  return {
      .name = "MaxPool",
      .attributes = {"auto_pad", "ceil_mode", "dilations", "kernel_shape", "pads", "storage_order", "strides"},
      .infer = infer,
      .cost = cost,
      .evaluate = evaluate,
      // A selection is exact.
      .fold = [](const NodeView& node, std::span<const Tensor* const> inputs) -> std::optional<std::vector<Tensor>> {
        return evaluate(node, inputs);
      },
      .lower = lower,
      .spell = spell,
      .sample = sample};
}

}  // namespace boundflow
