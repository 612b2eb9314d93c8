#pragma once
// What Conv and ConvTranspose share: their operands, and the facet around a convolution of one image.

#include <cstdint>
#include <vector>

#include "ir/facet.hpp"
#include "ir/network.hpp"
#include "ops/operator.hpp"

namespace boundflow {

// The kernel's extents, which attribute kernel_shape may repeat, of X [batch, channels, spatial...] and
// W [a, b, kernel...]. Errors that name the node if their ranks differ.
std::vector<std::int64_t> convolution_kernel(const NodeView& node);

// Attribute `group`, which divides X's channels and the weights' first axis.
std::int64_t convolution_groups(const NodeView& node);

// The bias, if there is one, must be a vector of one element per output channel.
void check_convolution_bias(const NodeView& node, std::int64_t out_channels);

// Of a node whose weights meet each of `elements`: the output's of a convolution, the input's of its adjoint.
Cost convolution_cost(const NodeView& node, double elements, std::int64_t batch);

// X to Y by `map` without its weights, which are W in W's order; every image of the batch alike.
Facet lower_convolution(const NodeView& node, ConvMap map, std::int64_t batch);

}  // namespace boundflow
