// ConvTranspose: the adjoint of a convolution over one or two spatial axes. Opsets 1 to 22.
#include <fmt/format.h>

#include <algorithm>

#include "ops/convolution.hpp"
#include "ops/operator_list.hpp"
#include "ops/sample_network.hpp"
#include "ops/type_rules.hpp"
#include "ops/window_geometry.hpp"

namespace boundflow {

namespace {

struct ConvTranspose {
  WindowGeometry window;  // of the convolution: from Y's image to X's, which are the windows
  std::int64_t batch = 0;
  std::int64_t groups = 1;
  std::int64_t x_channels = 0;
  std::int64_t y_channels = 0;
  Shape output;
};

// The output's extent on one axis without any padding cut away.
std::int64_t full_extent(const WindowGeometry& window, std::size_t axis, std::int64_t output_padding) {
  return (window.windows[axis] - 1) * window.stride[axis] + kernel_reach(window, axis) + output_padding;
}

// Cuts `full` down to `wanted`. An odd rest is larger at the end with SAME_UPPER, else at the beginning.
void cut_to(WindowGeometry& window, std::size_t axis, std::int64_t full, std::int64_t wanted, bool upper) {
  const std::int64_t cut = std::max<std::int64_t>(full - wanted, 0);
  window.pad_before[axis] = upper ? cut / 2 : cut - cut / 2;
  window.image[axis] = wanted;
}

void place_windows(const NodeView& node, WindowGeometry& window) {
  const std::size_t axes = window.spatial_axes;
  const std::string auto_pad = node.string_attribute("auto_pad", "NOTSET");
  const bool same = auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER";
  if (!same && auto_pad != "NOTSET" && auto_pad != "VALID") {
    node.malformed(fmt::format("auto_pad '{}' is unknown", auto_pad));
  }
  if (auto_pad == "NOTSET") read_pads(node, window);
  const std::vector<std::int64_t> extra = node.ints_attribute("output_padding", std::vector<std::int64_t>(axes, 0));
  const std::vector<std::int64_t> wanted = node.ints_attribute("output_shape", std::vector<std::int64_t>(axes, 0));
  if (extra.size() != axes || wanted.size() != axes) {
    node.malformed(fmt::format("output_padding {} and output_shape {} must have {} elements, one per spatial axis",
                               to_string(extra), to_string(wanted), axes));
  }
  for (std::size_t i = 0; i < axes; ++i) {
    const std::size_t axis = 2 - axes + i;
    if (extra[i] < 0 || extra[i] >= std::max(window.stride[axis], window.dilation[axis])) {
      node.malformed(fmt::format("output_padding {} must be smaller than the stride or the dilation", extra[i]));
    }
    const std::int64_t full = full_extent(window, axis, extra[i]);
    if (node.has_attribute("output_shape")) {
      cut_to(window, axis, full, wanted[i], auto_pad == "SAME_UPPER");
    } else if (same) {
      const std::int64_t same_extent = window.windows[axis] * window.stride[axis];
      if (full < same_extent) {
        // The specification adds zeros, runtimes do not.
        node.unsupported(fmt::format("auto_pad {} with an extent of {}, less than {}, is not supported", auto_pad, full,
                                     same_extent));
      }
      cut_to(window, axis, full, same_extent, auto_pad == "SAME_UPPER");
    } else {
      window.image[axis] = full - window.pad_before[axis] - window.pad_after[axis];
    }
    if (window.image[axis] < 1) {
      node.malformed(fmt::format("the output would have extent {} on a spatial axis", window.image[axis]));
    }
  }
}

ConvTranspose read(const NodeView& node) {
  const std::vector<std::int64_t> kernel = convolution_kernel(node);
  const Shape& x = node.input_type(0).shape;
  const Shape& w = node.input_type(1).shape;
  ConvTranspose conv;
  conv.batch = x[0];
  conv.x_channels = x[1];
  conv.groups = convolution_groups(node);
  if (w[0] != conv.x_channels) {
    node.malformed(fmt::format("W {} does not fit the channels of X {}", to_string(w), to_string(x)));
  }
  conv.y_channels = element_count({w[1], conv.groups});
  conv.window = window_shape(node, x, kernel);
  conv.window.windows = conv.window.image;
  place_windows(node, conv.window);
  check_convolution_bias(node, conv.y_channels);
  conv.output = {conv.batch, conv.y_channels};
  for (std::size_t axis = 2 - conv.window.spatial_axes; axis < 2; ++axis)
    conv.output.push_back(conv.window.image[axis]);
  return conv;
}

std::vector<TensorType> infer(const NodeView& node) {
  const DType dtype = common_floating_dtype(node);
  return {{dtype, read(node).output}};
}

Cost cost(const NodeView& node) {
  return convolution_cost(node, static_cast<double>(element_count(node.input_type(0).shape)), read(node).batch);
}

// Adds what element (n, i, wy, wx) of X, of value `value`, spreads over Y.
template <class T>
void spread(const ConvTranspose& conv, const std::vector<T>& w, T value, std::int64_t n, std::int64_t i,
            std::int64_t wy, std::int64_t wx, std::vector<T>& y) {
  const WindowGeometry& window = conv.window;
  const WindowGeometry::Taps rows = window.taps_in_image(0, wy), columns = window.taps_in_image(1, wx);
  const std::int64_t y_group = conv.y_channels / conv.groups;
  const std::int64_t first = i / (conv.x_channels / conv.groups) * y_group;
  for (std::int64_t o = 0; o < y_group; ++o) {
    for (std::int64_t ky = rows.first; ky < rows.end; ++ky) {
      const std::int64_t py = window.position(0, wy, ky);
      for (std::int64_t kx = columns.first; kx < columns.end; ++kx) {
        const std::int64_t px = window.position(1, wx, kx);
        const std::int64_t at = ((n * conv.y_channels + first + o) * window.image[0] + py) * window.image[1] + px;
        const std::int64_t weight = ((i * y_group + o) * window.kernel[0] + ky) * window.kernel[1] + kx;
        y[static_cast<std::size_t>(at)] += w[static_cast<std::size_t>(weight)] * value;
      }
    }
  }
}

std::vector<Tensor> evaluate(const NodeView& node, std::span<const Tensor* const> inputs) {
  const ConvTranspose conv = read(node);
  return with_floating_type(inputs[0]->dtype(), [&](auto zero) -> std::vector<Tensor> {
    using T = decltype(zero);
    const std::vector<T>& x = elements<T>(*inputs[0]);
    const std::vector<T>& w = elements<T>(*inputs[1]);
    std::vector<T> y(static_cast<std::size_t>(element_count(conv.output)), T{0});
    std::size_t next = 0;
    for (std::int64_t n = 0; n < conv.batch; ++n) {
      for (std::int64_t i = 0; i < conv.x_channels; ++i) {
        for (std::int64_t wy = 0; wy < conv.window.windows[0]; ++wy) {
          for (std::int64_t wx = 0; wx < conv.window.windows[1]; ++wx) spread(conv, w, x[next++], n, i, wy, wx, y);
        }
      }
    }
    if (node.has_input(2)) {
      const std::vector<T>& bias = elements<T>(*inputs[2]);
      const auto pixels = static_cast<std::size_t>(conv.window.image[0] * conv.window.image[1]);
      for (std::size_t j = 0; j < y.size(); ++j) y[j] += bias[j / pixels % bias.size()];
    }
    return {Tensor(conv.output, std::move(y))};
  });
}

Facet lower(const NodeView& node) {
  const ConvTranspose conv = read(node);
  ConvMap map;
  map.adjoint = true;
  map.groups = conv.groups;
  map.in_channels = conv.y_channels;
  map.out_channels = conv.x_channels;
  map.image_in = conv.window.image;
  map.image_out = conv.window.windows;
  map.kernel = conv.window.kernel;
  map.stride = conv.window.stride;
  map.dilation = conv.window.dilation;
  map.pad = conv.window.pad_before;
  return lower_convolution(node, std::move(map), conv.batch);
}

std::vector<Spelling> spell(const NodeView& node) {
  Spelling spelling = as_written(node);
  // The convolution's attributes say where its windows are, these where its image is.
  if (node.has_attribute("output_shape") || node.string_attribute("auto_pad", "NOTSET") != "NOTSET") return {spelling};
  const ConvTranspose conv = read(node);
  spell_window(conv.window, false, spelling.attributes);
  const std::vector<std::int64_t> strides = node.ints_attribute("strides", {});
  if (std::any_of(strides.begin(), strides.end(), [](std::int64_t s) { return s != 1; })) {
    spelling.attributes["strides"] = strides;  // which limit output_padding even where there is one window
  }
  spelling.attributes.erase("kernel_shape");  // W has it
  if (conv.groups == 1) spelling.attributes.erase("group");
  const std::vector<std::int64_t> extra = node.ints_attribute("output_padding", {});
  if (std::all_of(extra.begin(), extra.end(), [](std::int64_t e) { return e == 0; })) {
    spelling.attributes.erase("output_padding");
  }
  return {spelling};
}

Network sample(Random& random) {
  SampleNetwork sample(random);
  const std::int64_t axes = random.integer(1, 2), groups = random.integer(1, 2);
  const std::int64_t batch = random.integer(0, 3) == 0 ? 2 : 1;
  const std::int64_t x_group = random.integer(1, 3 - groups);
  auto padding = static_cast<int>(random.integer(0, 3));  // none, pads, SAME, output_shape
  Shape x{batch, groups * x_group};
  Shape w{groups * x_group, random.integer(1, 2)};
  std::vector<std::int64_t> strides, dilations, before, after, extra, wanted;
  std::int64_t left = 24 / (batch * groups * x_group);
  for (std::int64_t d = 0; d < axes; ++d) {
    x.push_back(random.integer(1, std::min<std::int64_t>(left, 4)));
    left /= x.back();
    w.push_back(random.integer(1, 3));
    strides.push_back(random.integer(1, 3));
    dilations.push_back(random.integer(1, 2));
    extra.push_back(random.integer(0, std::max(strides.back(), dilations.back()) - 1));
    const std::int64_t full = (x.back() - 1) * strides.back() + (w.back() - 1) * dilations.back() + 1 + extra.back();
    before.push_back(random.integer(0, std::min<std::int64_t>(2, full - 1)));
    after.push_back(random.integer(0, std::min<std::int64_t>(2, full - 1 - before.back())));
    wanted.push_back(random.integer(1, full + 1));
    if (padding == 2 && full < x.back() * strides.back()) padding = 0;
  }
  Attributes attributes{{"strides", strides}, {"dilations", dilations}, {"output_padding", extra}};
  if (groups > 1 || random.coin()) attributes["group"] = groups;
  if (padding == 1) {
    before.insert(before.end(), after.begin(), after.end());
    attributes["pads"] = before;
  } else if (padding == 3) {
    attributes["output_shape"] = wanted;
  }
  if (padding >= 2) attributes["auto_pad"] = std::string(random.coin() ? "SAME_UPPER" : "SAME_LOWER");
  std::vector<ValueId> inputs{sample.input(x), sample.constant(w)};
  if (random.coin()) inputs.push_back(sample.constant({groups * w[1]}));
  return sample.finish("ConvTranspose", std::move(inputs), std::move(attributes));
}

}  // namespace

Operator conv_transpose_operator() {
  return {.name = "ConvTranspose",
          .min_inputs = 2,
          .max_inputs = 3,
          .merged_form = "FoldedConvTranspose",
          .attributes = {"auto_pad", "dilations", "group", "kernel_shape", "output_padding", "output_shape", "pads",
                         "strides"},
          .infer = infer,
          .cost = cost,
          .evaluate = evaluate,
          .lower = lower,
          .spell = spell,
          .sample = sample};
}

}  // namespace boundflow
