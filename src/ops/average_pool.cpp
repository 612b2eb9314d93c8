// AveragePool: the mean of each window over one or two spatial axes. Opsets 7 to 22. What lies in the padding is zero,
// and counts with count_include_pad; what ceil_mode reads beyond the padding never does.
#include <fmt/format.h>

#include <algorithm>

#include "base/limits.hpp"
#include "ops/operator_list.hpp"
#include "ops/reduction.hpp"
#include "ops/sample_network.hpp"
#include "ops/sparse_rows.hpp"
#include "ops/type_rules.hpp"
#include "ops/window_geometry.hpp"

namespace boundflow {

namespace {

struct AveragePool {
  WindowGeometry window;
  std::int64_t batch = 0;
  std::int64_t channels = 0;
  // How many positions of each window count on either axis; a window's mean is over the product.
  std::array<std::vector<std::int64_t>, 2> counts;

  std::int64_t images() const { return batch * channels; }
  std::int64_t count(std::int64_t wy, std::int64_t wx) const {
    return counts[0][static_cast<std::size_t>(wy)] * counts[1][static_cast<std::size_t>(wx)];
  }
};

std::vector<std::int64_t> counted(const NodeView& node, const WindowGeometry& window, std::size_t axis) {
  const bool include_pad = node.int_attribute("count_include_pad", 0) != 0;
  const std::int64_t first = include_pad ? -window.pad_before[axis] : 0;
  const std::int64_t last = window.image[axis] + (include_pad ? window.pad_after[axis] : 0) - 1;
  std::vector<std::int64_t> counts;
  for (std::int64_t w = 0; w < window.windows[axis]; ++w) {
    std::int64_t count = 0;
    for (std::int64_t tap = 0; tap < window.kernel[axis]; ++tap) {
      const std::int64_t position = window.position(axis, w, tap);
      if (position >= first && position <= last) ++count;
    }
    if (count == 0) node.unsupported("a window that lies in the padding only is not supported");
    counts.push_back(count);
  }
  return counts;
}

AveragePool read(const NodeView& node) {
  const Shape& x = node.input_type(0).shape;
  AveragePool pool;
  pool.window = window_geometry(node, x, node.ints_attribute("kernel_shape", {}));
  pool.batch = x[0];
  pool.channels = x[1];
  // A kernel larger than this is nonsense, and counting its taps would take long.
  for (std::size_t axis = 0; axis < 2; ++axis) {
    if (pool.window.kernel[axis] > kMaxTapsOnAxis / pool.window.windows[axis])
      node.unsupported("the kernel is too large");
    pool.counts[axis] = counted(node, pool.window, axis);
  }
  return pool;
}

// `visit(at)` for the positions of a window inside image `n`, in ascending order.
template <class Visit>
void for_window(const AveragePool& pool, std::int64_t n, std::int64_t wy, std::int64_t wx, Visit&& visit) {
  const WindowGeometry& window = pool.window;
  const WindowGeometry::Taps rows = window.taps_in_image(0, wy), columns = window.taps_in_image(1, wx);
  for (std::int64_t ky = rows.first; ky < rows.end; ++ky) {
    const std::int64_t py = window.position(0, wy, ky);
    for (std::int64_t kx = columns.first; kx < columns.end; ++kx) {
      const std::int64_t px = window.position(1, wx, kx);
      visit((n * window.image[0] + py) * window.image[1] + px);
    }
  }
}

// `visit(n, wy, wx)` for each element of the output.
template <class Visit>
void for_output(const AveragePool& pool, Visit&& visit) {
  for (std::int64_t n = 0; n < pool.images(); ++n) {
    for (std::int64_t wy = 0; wy < pool.window.windows[0]; ++wy) {
      for (std::int64_t wx = 0; wx < pool.window.windows[1]; ++wx) visit(n, wy, wx);
    }
  }
}

// True if every window counts as many positions as every other.
bool equal_counts(const AveragePool& pool) {
  return std::all_of(pool.counts.begin(), pool.counts.end(), [](const std::vector<std::int64_t>& counts) {
    return std::all_of(counts.begin(), counts.end(), [&](std::int64_t count) { return count == counts.front(); });
  });
}

std::vector<TensorType> infer(const NodeView& node) {
  const DType dtype = floating_input(node, 0).dtype;
  const AveragePool pool = read(node);
  return {{dtype, pool.window.output_shape(pool.batch, pool.channels)}};
}

Cost cost(const NodeView& node) {
  const AveragePool pool = read(node);
  const auto images = static_cast<double>(pool.images());
  const double kernel = static_cast<double>(pool.window.kernel[0]) * static_cast<double>(pool.window.kernel[1]);
  const double windows = static_cast<double>(pool.window.windows[0]) * static_cast<double>(pool.window.windows[1]);
  // A convolution of each image with weights of its own, or, where counts differ, a row per window.
  return {images * windows * kernel, images * kernel * (equal_counts(pool) ? 1 : windows)};
}

std::vector<Tensor> evaluate(const NodeView& node, std::span<const Tensor* const> inputs) {
  const AveragePool pool = read(node);
  return with_floating_type(inputs[0]->dtype(), [&](auto zero) -> std::vector<Tensor> {
    using T = decltype(zero);
    const std::vector<T>& x = elements<T>(*inputs[0]);
    std::vector<T> y;
    for_output(pool, [&](std::int64_t n, std::int64_t wy, std::int64_t wx) {
      T sum = 0;
      for_window(pool, n, wy, wx, [&](std::int64_t at) { sum += x[static_cast<std::size_t>(at)]; });
      y.push_back(sum / static_cast<T>(pool.count(wy, wx)));
    });
    return {Tensor(pool.window.output_shape(pool.batch, pool.channels), std::move(y))};
  });
}

// Each channel of each image is a group of its own.
LinearMap depthwise(const AveragePool& pool, std::int64_t count) {
  ConvMap map;
  map.groups = map.in_channels = map.out_channels = pool.images();
  map.image_in = pool.window.image;
  map.image_out = pool.window.windows;
  map.kernel = pool.window.kernel;
  map.stride = pool.window.stride;
  map.dilation = pool.window.dilation;
  map.pad = pool.window.pad_before;
  map.weights.assign(static_cast<std::size_t>(pool.images() * map.kernel[0] * map.kernel[1]),
                     1.0 / static_cast<double>(count));
  return LinearMap(std::move(map), mean_weight_error(count));
}

LinearMap by_position(const NodeView& node, const AveragePool& pool, double weight_error) {
  const WindowGeometry& window = pool.window;
  const std::int64_t outputs = pool.images() * window.windows[0] * window.windows[1];
  SparseRows rows(node, pool.images() * window.image[0] * window.image[1],
                  outputs * window.kernel[0] * window.kernel[1]);
  std::vector<LinearMap::Entry> row;
  for_output(pool, [&](std::int64_t n, std::int64_t wy, std::int64_t wx) {
    row.clear();
    const double weight = 1.0 / static_cast<double>(pool.count(wy, wx));
    for_window(pool, n, wy, wx, [&](std::int64_t at) { row.push_back({at, weight}); });
    rows.add(row);
  });
  return LinearMap(rows.take(), weight_error);
}

Facet lower(const NodeView& node) {
  const AveragePool pool = read(node);
  const std::int64_t most = *std::max_element(pool.counts[0].begin(), pool.counts[0].end()) *
                            *std::max_element(pool.counts[1].begin(), pool.counts[1].end());
  double weight_error = 0;
  for (const std::int64_t cy : pool.counts[0]) {
    for (const std::int64_t cx : pool.counts[1]) weight_error = std::max(weight_error, mean_weight_error(cy * cx));
  }
  Affine affine;
  affine.terms.push_back({0, std::make_shared<const LinearMap>(
                                 equal_counts(pool) ? depthwise(pool, most) : by_position(node, pool, weight_error))});
  add_mean_execution(node, affine, most, weight_error > 0);
  return affine;
}

std::vector<Spelling> spell(const NodeView& node) {
  Spelling spelling = as_written(node);
  const WindowGeometry window = read(node).window;
  spell_window(window, node.int_attribute("ceil_mode", 0) != 0, spelling.attributes);
  if (node.int_attribute("count_include_pad", 0) == 0 || !spelling.attributes.contains("pads")) {
    spelling.attributes.erase("count_include_pad");
  }
  return {spelling};
}

Network sample(Random& random) {
  SampleNetwork sample(random);
  Shape x{random.integer(0, 3) == 0 ? 2 : 1, random.integer(1, 2)};
  std::vector<std::int64_t> kernel, strides, before, after;
  std::int64_t left = 24 / (x[0] * x[1]);
  for (std::int64_t axes = random.integer(1, 2); axes > 0; --axes) {
    x.push_back(random.integer(1, std::min<std::int64_t>(left, 6)));
    left /= x.back();
    strides.push_back(random.integer(1, 3));
    kernel.push_back(random.integer(1, std::min<std::int64_t>(x.back(), 3)));
    // Less than the kernel on either side: no window lies in the padding only.
    before.push_back(random.integer(0, kernel.back() - 1));
    after.push_back(random.integer(0, kernel.back() - 1));
  }
  Attributes attributes{{"kernel_shape", kernel}, {"strides", strides}};
  if (random.coin()) attributes["count_include_pad"] = random.integer(0, 1);
  if (random.integer(0, 4) == 0) {
    attributes["auto_pad"] = std::string(random.coin() ? "SAME_UPPER" : "SAME_LOWER");
  } else {
    before.insert(before.end(), after.begin(), after.end());
    if (random.integer(0, 3) != 0) attributes["pads"] = before;
    if (random.coin()) attributes["ceil_mode"] = random.integer(0, 1);
  }
  return sample.finish("AveragePool", {sample.input(x)}, std::move(attributes));
}

}  // namespace

Operator average_pool_operator() {
  return {.name = "AveragePool",
          .attributes = {"auto_pad", "ceil_mode", "count_include_pad", "dilations", "kernel_shape", "pads", "strides"},
          .infer = infer,
          .cost = cost,
          .evaluate = evaluate,
          .lower = lower,
          .spell = spell,
          .sample = sample};
}

}  // namespace boundflow
