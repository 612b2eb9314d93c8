#include "ops/convolution.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/limits.hpp"
#include "ops/matrix_product.hpp"

namespace boundflow {

namespace {

// A batch of many images in one network repeats the weights for each.
std::vector<double> repeated(const NodeView& node, const std::vector<double>& values, std::int64_t times) {
  if (!values.empty() && times > kMaxStoredNumbers / static_cast<std::int64_t>(values.size())) {
    node.unsupported(fmt::format("a batch of {} images with {} weights is too large", times, values.size()));
  }
  std::vector<double> all;
  all.reserve(values.size() * static_cast<std::size_t>(times));
  for (std::int64_t i = 0; i < times; ++i) all.insert(all.end(), values.begin(), values.end());
  return all;
}

}  // namespace

std::vector<std::int64_t> convolution_kernel(const NodeView& node) {
  const Shape& x = node.input_type(0).shape;
  const Shape& w = node.input_type(1).shape;
  if (x.size() < 3 || x.size() != w.size()) {
    node.malformed(
        fmt::format("X {} and W {} must have the same rank, batch and channels included", to_string(x), to_string(w)));
  }
  std::vector<std::int64_t> kernel(w.begin() + 2, w.end());
  if (node.ints_attribute("kernel_shape", kernel) != kernel) {
    node.malformed(fmt::format("kernel_shape {} differs from that of W {}",
                               to_string(node.ints_attribute("kernel_shape", {})), to_string(w)));
  }
  return kernel;
}

std::int64_t convolution_groups(const NodeView& node) {
  const std::int64_t groups = node.int_attribute("group", 1);
  const std::int64_t channels = node.input_type(0).shape.at(1);
  const std::int64_t weights = node.input_type(1).shape.at(0);
  if (groups < 1 || channels % groups != 0 || weights % groups != 0) {
    node.malformed(fmt::format("{} groups do not divide X {} and W {}", groups, to_string(node.input_type(0).shape),
                               to_string(node.input_type(1).shape)));
  }
  return groups;
}

void check_convolution_bias(const NodeView& node, std::int64_t out_channels) {
  if (node.has_input(2) && node.input_type(2).shape != Shape{out_channels}) {
    node.malformed(fmt::format("B {}: one element for each of {} output channels is expected",
                               to_string(node.input_type(2).shape), out_channels));
  }
}

Cost convolution_cost(const NodeView& node, double elements, std::int64_t batch) {
  const Shape& w = node.input_type(1).shape;
  const auto weights = static_cast<double>(element_count(w));
  // Each output of a convolution has a product with each weight of its channel; the adjoint mirrors that.
  const double products = elements * weights / static_cast<double>(std::max<std::int64_t>(w[0], 1));
  return {products, batch > 1 ? static_cast<double>(batch) * weights : 0};
}

Facet lower_convolution(const NodeView& node, ConvMap map, std::int64_t batch) {
  const Tensor* weights = node.constant(1);
  if (weights == nullptr) node.unsupported("weights that are no constant are not supported");
  if (node.constant(0) != nullptr) node.unsupported("the convolution of a constant is not supported");
  const std::int64_t out_channels = map.adjoint ? map.in_channels : map.out_channels;
  const ConvMap::Extent image = map.adjoint ? map.image_in : map.image_out;
  // The images of a batch are groups of channels that do not meet.
  map.weights = repeated(node, weights->to_doubles(), batch);
  map.groups *= batch;
  map.in_channels *= batch;
  map.out_channels *= batch;
  Affine affine;
  affine.terms.push_back({0, std::make_shared<const LinearMap>(std::move(map))});
  if (node.has_input(2)) {
    const Tensor* bias = node.constant(2);
    if (bias == nullptr) node.unsupported("a bias that is no constant is not supported");
    for (std::int64_t channel = 0; channel < batch * out_channels; ++channel) {
      affine.bias.insert(affine.bias.end(), static_cast<std::size_t>(image[0] * image[1]),
                         bias->at(channel % out_channels));
    }
  }
  affine.deployed_products = affine.terms[0].map->products_round() ? 1 : 0;
  affine.deployed_roundings = affine.deployed_products + additions(affine);
  return affine;
}

}  // namespace boundflow
