#pragma once
// Random image networks for tests: convolutions and their adjoints, pooling, batch normalisation, sums of branches with
// windows of different sizes, strided shortcuts, concatenation of channels, images stored channels last at the input
// and in between, paddings, values that two convolutions see as different images, products of branches. A dense layer
// ends most of them.

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "ops/operator.hpp"

namespace boundflow {

struct RandomImageOptions {
  std::int64_t min_extent = 1;  // of the input image, per axis
  std::int64_t max_extent = 7;
  std::int64_t max_elements = 150;  // of any value
  std::int64_t blocks = 0;          // 0: random, up to 4
  bool only_convolutions = false;   // and sums of them, with ReLU: what windows walk through
  bool smooth = true;               // sigmoid and products of branches too
};

class RandomImageNetwork {
 public:
  RandomImageNetwork(Random& random, const RandomImageOptions& options) : random_(random), options_(options) {}

  Network build() {
    const std::int64_t channels = random_.integer(1, 3);
    const std::int64_t height = random_.integer(options_.min_extent, options_.max_extent);
    const std::int64_t width = random_.integer(0, 5) == 0 ? 1 : random_.integer(options_.min_extent, height);
    if (random_.integer(0, 3) == 0) {
      current_ = network_.add_input("x", {DType::Float32, {1, height, width, channels}});
      apply("Transpose", {current_}, {{"perm", kToChannelsFirst}});
    } else {
      current_ = network_.add_input("x", {DType::Float32, {1, channels, height, width}});
      if (random_.integer(0, 3) == 0) normalise_input();
    }
    for (std::int64_t i = options_.blocks > 0 ? options_.blocks : random_.integer(1, 4); i > 0; --i) {
      if (options_.only_convolutions) {
        random_.integer(0, 2) == 0 ? residual() : convolution_block();
      } else {
        add_block();
      }
    }
    finish();
    network_.set_outputs({current_});
    verify_network(network_);
    return std::move(network_);
  }

 private:
  using Pair = std::array<std::int64_t, 2>;
  struct Geometry {
    Pair kernel{1, 1}, stride{1, 1}, dilation{1, 1}, before{0, 0}, after{0, 0};
    std::vector<std::int64_t> pads() const { return {before[0], before[1], after[0], after[1]}; }
    std::int64_t reach(std::size_t d) const { return (kernel[d] - 1) * dilation[d]; }
    // Windows that fit along an axis.
    std::int64_t windows(std::size_t d, std::int64_t extent) const {
      const std::int64_t room = extent + before[d] + after[d] - reach(d) - 1;
      return room < 0 ? 0 : room / stride[d] + 1;
    }
  };

  const Shape& shape() const { return network_.value(current_).type.shape; }
  std::int64_t channels() const { return shape()[1]; }
  bool one_in(std::int64_t n) { return random_.integer(0, n - 1) == 0; }

  ValueId node(const std::string& op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    const std::string name = op + "_" + std::to_string(names_++);
    const NodeId id =
        append_node(network_, operator_table(), op, name, std::move(inputs), {name + ".out"}, std::move(attributes));
    return network_.node(id).outputs.front();
  }
  void apply(const std::string& op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    current_ = node(op, std::move(inputs), std::move(attributes));
  }
  ValueId constant(Shape shape, double low, double high) {
    std::vector<float> values(static_cast<std::size_t>(element_count(shape)));
    for (float& value : values) value = one_in(8) ? 0.0F : static_cast<float>(random_.uniform(low, high));
    return network_.add_constant("c" + std::to_string(names_++), Tensor(std::move(shape), std::move(values)));
  }
  ValueId weights(Shape shape, std::int64_t terms) {
    double scale = 2.5 / std::sqrt(static_cast<double>(terms));
    if (one_in(12)) scale = std::ldexp(scale, static_cast<int>(random_.integer(-10, 10)));
    return constant(std::move(shape), -scale, scale);
  }
  ValueId indices(const std::vector<std::int64_t>& values) {
    return network_.add_constant("i" + std::to_string(names_++),
                                 Tensor({static_cast<std::int64_t>(values.size())}, values));
  }
  void reshape(const Shape& target) { apply("Reshape", {current_, indices(target)}); }

  // Mean and scale per channel, as preprocessing does.
  void normalise_input() {
    apply("Sub", {current_, constant({1, channels(), 1, 1}, -1, 1)});
    if (random_.coin()) apply(random_.coin() ? "Div" : "Mul", {current_, scalar_near_one()});
  }
  ValueId scalar_near_one() {
    return network_.add_constant("c" + std::to_string(names_++),
                                 Tensor({1}, std::vector<float>{static_cast<float>(random_.uniform(0.5, 2))}));
  }

  Geometry geometry(std::int64_t max_stride) {
    Geometry result;
    const bool pointwise = one_in(6);
    for (std::size_t d = 0; d < 2; ++d) {
      result.kernel[d] = pointwise ? 1 : random_.integer(1, 3);
      result.stride[d] = one_in(2) ? 1 : random_.integer(1, max_stride);
      result.dilation[d] = one_in(3) ? 2 : 1;
      result.before[d] = random_.integer(0, result.reach(d));
      result.after[d] = one_in(3) ? random_.integer(0, 2) : result.before[d];
    }
    return result;
  }

  bool fits(std::int64_t channels, const Pair& extent) const {
    return extent[0] > 0 && extent[1] > 0 && channels * extent[0] * extent[1] <= options_.max_elements;
  }

  bool convolve(const Geometry& g, std::int64_t out_channels, std::int64_t groups = 1) {
    if (!fits(out_channels, {g.windows(0, shape()[2]), g.windows(1, shape()[3])})) return false;
    const std::int64_t in_group = channels() / groups;
    const Shape w{out_channels, in_group, g.kernel[0], g.kernel[1]};
    std::vector<ValueId> inputs{current_, weights(w, in_group * g.kernel[0] * g.kernel[1])};
    if (random_.coin()) inputs.push_back(constant({out_channels}, -0.5, 0.5));
    apply("Conv", std::move(inputs), attributes(g, groups));
    return true;
  }
  static Attributes attributes(const Geometry& g, std::int64_t groups) {
    return {{"strides", std::vector<std::int64_t>(g.stride.begin(), g.stride.end())},
            {"dilations", std::vector<std::int64_t>(g.dilation.begin(), g.dilation.end())},
            {"pads", g.pads()},
            {"group", groups}};
  }

  void convolution_block() {
    const std::int64_t groups = one_in(3) ? channels() : 1;  // depthwise
    const std::int64_t out_channels = groups * random_.integer(1, groups > 1 ? 2 : 4);
    convolve(geometry(options_.only_convolutions ? 2 : 3), out_channels, groups);
    activation();
  }

  void adjoint_block() {
    Geometry g = geometry(3);
    const std::int64_t groups = one_in(3) ? channels() : 1;
    const std::int64_t out_group = random_.integer(1, 2);
    Pair extent{};
    for (std::size_t d = 0; d < 2; ++d) {
      const std::int64_t full = (shape()[d + 2] - 1) * g.stride[d] + g.reach(d) + 1;
      g.after[d] = std::min(g.after[d], g.reach(d));
      if (full - g.before[d] - g.after[d] < 1) g.before[d] = g.after[d] = 0;
      extent[d] = full - g.before[d] - g.after[d];
    }
    if (!fits(groups * out_group, extent)) return;
    const Shape w{channels(), out_group, g.kernel[0], g.kernel[1]};
    std::vector<ValueId> inputs{current_, weights(w, channels() / groups * g.kernel[0] * g.kernel[1])};
    if (random_.coin()) inputs.push_back(constant({groups * out_group}, -0.5, 0.5));
    apply("ConvTranspose", std::move(inputs), attributes(g, groups));
    if (random_.coin()) activation();
  }

  void activation() {
    switch (random_.integer(0, options_.only_convolutions || !options_.smooth ? 4 : 6)) {
      case 0:
        return;
      case 5:
        return apply("LeakyRelu", {current_}, {{"alpha", 0.25}});
      case 6:
        return apply("Sigmoid", {current_});
      default:
        return apply("Relu", {current_});
    }
  }

  void pool() {
    Geometry g;
    for (std::size_t d = 0; d < 2; ++d) {
      g.kernel[d] = random_.integer(1, std::min<std::int64_t>(shape()[d + 2], 3));
      g.stride[d] = random_.integer(1, 2);
      g.before[d] = random_.integer(0, (g.kernel[d] - 1) / 2);
      g.after[d] = random_.integer(0, (g.kernel[d] - 1) / 2);
    }
    const bool average = random_.coin();
    Attributes list{{"kernel_shape", std::vector<std::int64_t>(g.kernel.begin(), g.kernel.end())},
                    {"strides", std::vector<std::int64_t>(g.stride.begin(), g.stride.end())},
                    {"pads", g.pads()}};
    if (average) list["count_include_pad"] = random_.integer(0, 1);
    apply(average ? "AveragePool" : "MaxPool", {current_}, std::move(list));
  }

  void normalise() {
    const Shape per_channel{channels()};
    apply("BatchNormalization",
          {current_, constant(per_channel, -1.5, 1.5), constant(per_channel, -0.5, 0.5),
           constant(per_channel, -0.5, 0.5), constant(per_channel, 0.3, 2)},
          {{"epsilon", 0.001953125}});
    if (random_.coin()) activation();
  }

  // Two ways to images of one size: kernels of different reach, both with the stride, or a shortcut that is the value
  // itself. So windows of different sizes meet where the ways part.
  void residual() {
    const ValueId before = current_;
    const std::int64_t stride = one_in(3) ? 2 : 1;
    const bool same = stride == 1 && random_.coin();
    const std::int64_t out_channels = same ? channels() : random_.integer(1, 3);
    const auto reaching = [&](std::int64_t kernel, std::int64_t step) {
      Geometry g;
      for (std::size_t d = 0; d < 2; ++d) {
        g.kernel[d] = kernel;
        g.stride[d] = step;
        g.before[d] = random_.integer(0, g.reach(d));
        g.after[d] = g.reach(d) - g.before[d];
      }
      return g;
    };
    if (!convolve(reaching(random_.integer(1, 3), stride), out_channels)) return;
    if (random_.coin()) {
      activation();
      if (random_.coin()) convolve(reaching(3, 1), out_channels);
    }
    const ValueId first = current_;
    current_ = before;
    if (!same && !convolve(reaching(one_in(2) ? 1 : random_.integer(1, 3), stride), out_channels)) return;
    if (one_in(3)) activation();
    const bool gate = options_.smooth && !options_.only_convolutions && one_in(4);
    const std::string op = gate ? "Mul" : random_.coin() ? "Add" : "Sub";
    apply(op, {first, gate ? node("Sigmoid", {current_}) : current_});
    activation();
  }

  void concatenate() {
    const ValueId before = current_;
    std::vector<ValueId> parts;
    for (std::int64_t i = 0; i < 2; ++i) {
      current_ = before;
      Geometry g;
      g.kernel = {3, 3};
      g.before = g.after = {1, 1};
      if (random_.coin() && convolve(g, random_.integer(1, 2))) activation();
      parts.push_back(current_);
    }
    if (2 * network_.size_of(parts[0]) + network_.size_of(parts[1]) <= options_.max_elements) {
      apply("Concat", parts, {{"axis", std::int64_t{1}}});
    }
  }

  // To channels last and back, with something in between that does not care.
  void detour() {
    apply("Transpose", {current_}, {{"perm", kToChannelsLast}});
    activation();
    if (random_.coin()) apply("Add", {current_, constant({shape()[3]}, -0.5, 0.5)});
    apply("Transpose", {current_}, {{"perm", kToChannelsFirst}});
  }

  void pad() {
    std::vector<std::int64_t> pads{0, 0};
    Pair extent{shape()[2], shape()[3]};
    for (std::size_t d = 0; d < 2; ++d) pads.push_back(random_.integer(0, 1));
    pads.insert(pads.end(), {0, 0});
    for (std::size_t d = 0; d < 2; ++d) pads.push_back(random_.integer(extent[d] > 2 ? -1 : 0, 2));
    for (std::size_t d = 0; d < 2; ++d) extent[d] += pads[2 + d] + pads[6 + d];
    if (!fits(channels(), extent)) return;
    apply("Pad", {current_, indices(pads), constant({}, -1, 1)});
  }

  // Another image of as many elements: one channel, other extents, or other channels.
  Shape other_image() {
    const std::int64_t n = network_.size_of(current_);
    const auto divisor = [&](std::int64_t of, std::int64_t most) {
      std::int64_t d = random_.integer(1, std::min(of, most));
      while (of % d != 0) --d;
      return d;
    };
    const std::int64_t planes = one_in(3) ? 1 : divisor(n, 4);
    const std::int64_t height = divisor(n / planes, 8);
    return {1, planes, height, n / planes / height};
  }

  void view_otherwise() {
    const ValueId before = current_;
    const Shape image = shape();
    reshape(other_image());
    Geometry g;
    g.kernel = {3, 3};
    g.before = g.after = {1, 1};
    if (random_.coin() && convolve(g, channels()) && random_.coin()) {
      // Both views in one sum.
      reshape(image);
      const ValueId other = current_;
      current_ = before;
      convolve(g, image[1]);
      apply("Add", {current_, other});
    }
    activation();
  }

  void add_block() {
    switch (random_.integer(0, 13)) {
      case 0:
        return adjoint_block();
      case 1:
        return pool();
      case 2:
        return normalise();
      case 3:
        return concatenate();
      case 4:
        return detour();
      case 5:
        return pad();
      case 6:
        return view_otherwise();
      case 7:
      case 8:
      case 9:
        return residual();
      default:
        return convolution_block();
    }
  }

  void finish() {
    const bool small = network_.size_of(current_) <= 6;
    if (small && one_in(2)) return;  // the outputs are an image
    if (one_in(5)) apply("GlobalAveragePool", {current_});
    if (random_.coin()) {
      apply("Flatten", {current_});
    } else {
      reshape({1, -1});
    }
    const std::int64_t n = network_.size_of(current_), outputs = random_.integer(1, 3);
    apply("Gemm", {current_, weights({n, outputs}, n), constant({outputs}, -1, 1)});
  }

  inline static const std::vector<std::int64_t> kToChannelsFirst{0, 3, 1, 2};
  inline static const std::vector<std::int64_t> kToChannelsLast{0, 2, 3, 1};
  Random& random_;
  RandomImageOptions options_;
  Network network_;
  ValueId current_ = kNoValue;
  int names_ = 0;
};

inline Network random_image_network(Random& random, const RandomImageOptions& options = {}) {
  return RandomImageNetwork(random, options).build();
}

}  // namespace boundflow
