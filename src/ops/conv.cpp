// Conv: convolution (without flipping the kernel) over one or two spatial axes. Opsets 1 to 22.
#include <fmt/format.h>

#include "ops/convolution.hpp"
#include "ops/operator_list.hpp"
#include "ops/sample_network.hpp"
#include "ops/type_rules.hpp"
#include "ops/window_geometry.hpp"

namespace boundflow {

namespace {

struct Conv {
  WindowGeometry window;
  std::int64_t batch = 0;
  std::int64_t groups = 1;
  std::int64_t in_channels = 0;
  std::int64_t out_channels = 0;
};

Conv read(const NodeView& node) {
  const std::vector<std::int64_t> kernel = convolution_kernel(node);
  const Shape& x = node.input_type(0).shape;
  const Shape& w = node.input_type(1).shape;
  Conv conv;
  conv.batch = x[0];
  conv.in_channels = x[1];
  conv.out_channels = w[0];
  conv.groups = convolution_groups(node);
  conv.window = window_geometry(node, x, kernel);
  if (w[1] != conv.in_channels / conv.groups) {
    node.malformed(
        fmt::format("W {} does not fit the channels of X {} in {} groups", to_string(w), to_string(x), conv.groups));
  }
  check_convolution_bias(node, conv.out_channels);
  return conv;
}

std::vector<TensorType> infer(const NodeView& node) {
  const DType dtype = common_floating_dtype(node);
  const Conv conv = read(node);
  return {{dtype, conv.window.output_shape(conv.batch, conv.out_channels)}};
}

Cost cost(const NodeView& node) {
  return convolution_cost(node, static_cast<double>(element_count(infer(node)[0].shape)), read(node).batch);
}

// One element of the output: output channel `o` of image `n` at window (wy, wx).
template <class T>
T convolved(const Conv& conv, const std::vector<T>& x, const std::vector<T>& w, std::int64_t n, std::int64_t o,
            std::int64_t wy, std::int64_t wx) {
  const WindowGeometry& window = conv.window;
  const WindowGeometry::Taps rows = window.taps_in_image(0, wy), columns = window.taps_in_image(1, wx);
  const std::int64_t in_group = conv.in_channels / conv.groups;
  const std::int64_t first = o / (conv.out_channels / conv.groups) * in_group;
  T sum = 0;
  for (std::int64_t i = 0; i < in_group; ++i) {
    for (std::int64_t ky = rows.first; ky < rows.end; ++ky) {
      const std::int64_t py = window.position(0, wy, ky);
      for (std::int64_t kx = columns.first; kx < columns.end; ++kx) {
        const std::int64_t px = window.position(1, wx, kx);
        const std::int64_t at = ((n * conv.in_channels + first + i) * window.image[0] + py) * window.image[1] + px;
        const std::int64_t weight = ((o * in_group + i) * window.kernel[0] + ky) * window.kernel[1] + kx;
        sum += w[static_cast<std::size_t>(weight)] * x[static_cast<std::size_t>(at)];
      }
    }
  }
  return sum;
}

std::vector<Tensor> evaluate(const NodeView& node, std::span<const Tensor* const> inputs) {
  const Conv conv = read(node);
  return with_floating_type(inputs[0]->dtype(), [&](auto zero) -> std::vector<Tensor> {
    using T = decltype(zero);
    const std::vector<T>& x = elements<T>(*inputs[0]);
    const std::vector<T>& w = elements<T>(*inputs[1]);
    std::vector<T> y;
    for (std::int64_t n = 0; n < conv.batch; ++n) {
      for (std::int64_t o = 0; o < conv.out_channels; ++o) {
        const T bias = node.has_input(2) ? elements<T>(*inputs[2])[static_cast<std::size_t>(o)] : T{0};
        for (std::int64_t wy = 0; wy < conv.window.windows[0]; ++wy) {
          for (std::int64_t wx = 0; wx < conv.window.windows[1]; ++wx) {
            y.push_back(convolved(conv, x, w, n, o, wy, wx) + bias);
          }
        }
      }
    }
    return {Tensor(conv.window.output_shape(conv.batch, conv.out_channels), std::move(y))};
  });
}

Facet lower(const NodeView& node) {
  const Conv conv = read(node);
  ConvMap map;
  map.groups = conv.groups;
  map.in_channels = conv.in_channels;
  map.out_channels = conv.out_channels;
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
  const Conv conv = read(node);
  spell_window(conv.window, false, spelling.attributes);
  spelling.attributes.erase("kernel_shape");  // W has it
  if (conv.groups == 1) spelling.attributes.erase("group");
  return {spelling};
}

Network sample(Random& random) {
  SampleNetwork sample(random);
  const std::int64_t axes = random.integer(1, 2), groups = random.integer(1, 2);
  const std::int64_t batch = random.integer(0, 3) == 0 ? 2 : 1;
  const std::int64_t in_group = random.integer(1, 3 - groups);
  Shape x{batch, groups * in_group};
  Shape w{groups * random.integer(1, 2), in_group};
  std::vector<std::int64_t> strides, dilations, before, after;
  std::int64_t left = 24 / (batch * groups * in_group);
  for (std::int64_t d = 0; d < axes; ++d) {
    x.push_back(random.integer(1, std::min<std::int64_t>(left, 5)));
    left /= x.back();
    w.push_back(random.integer(1, 3));
    strides.push_back(random.integer(1, 3));
    dilations.push_back(random.integer(1, 2));
    before.push_back(random.integer(0, 2));
    // Enough for one window at least.
    const std::int64_t missing = (w.back() - 1) * dilations.back() + 1 - x.back() - before.back();
    after.push_back(std::max<std::int64_t>(missing, 0) + random.integer(0, 2));
  }
  Attributes attributes{{"strides", strides}, {"dilations", dilations}};
  if (groups > 1 || random.coin()) attributes["group"] = groups;
  if (random.integer(0, 3) == 0) {
    attributes["auto_pad"] = std::string(random.coin() ? "SAME_UPPER" : "SAME_LOWER");
  } else {
    before.insert(before.end(), after.begin(), after.end());
    attributes["pads"] = before;
  }
  if (random.coin()) attributes["kernel_shape"] = std::vector<std::int64_t>(w.begin() + 2, w.end());
  std::vector<ValueId> inputs{sample.input(x), sample.constant(w)};
  if (random.coin()) inputs.push_back(sample.constant({w[0]}));
  return sample.finish("Conv", std::move(inputs), std::move(attributes));
}

}  // namespace

Operator conv_operator() {
  return {.name = "Conv",
          .min_inputs = 2,
          .max_inputs = 3,
          .merged_form = "FoldedConv",
          .attributes = {"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"},
          .infer = infer,
          .cost = cost,
          .evaluate = evaluate,
          .lower = lower,
          .spell = spell,
          .sample = sample};
}

}  // namespace boundflow
