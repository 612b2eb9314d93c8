#pragma once
// Nodes y = W x + b with constant weights, fully connected or convolutions, taken apart so that passes can change their
// weights, and put together again with whatever error model they have then.

#include <optional>
#include <string>
#include <vector>

#include "passes/rewriter.hpp"

namespace boundflow {

struct WeightedNode {
  ValueId x = kNoValue;   // of the network that the node is in
  std::string op;         // that takes weights, bias and magnitude in float64
  std::string plain_op;   // that takes weights and bias of the network's dtype
  Attributes attributes;  // of both: geometry
  Shape x_shape;          // that the operator wants
  Shape y_shape;          // that it gives
  Shape weight_shape;
  std::vector<double> weights;
  // Per weight: the channel of the result that it adds to, and the channel of x that it multiplies. A fully connected
  // node's channels are its columns.
  std::vector<std::int64_t> out_channel, in_channel;
  std::int64_t out_channels = 0;
  std::int64_t in_channels = 0;
  std::int64_t out_inner = 1;  // elements of y that follow each other in one channel; channels repeat behind each other
  std::int64_t in_inner = 1;
  bool pads = false;              // some sum has fewer terms than weights: what is outside an image is zero
  std::vector<double> bias;       // [out_channels]
  std::vector<double> magnitude;  // [out_channels], as Affine::bias_magnitude
  bool has_bias = false;          // else the two are zeros
  std::int64_t bias_roundings = 0;
  double weight_error = 0;
  // As in Affine; additions are the roundings that are no products.
  std::int64_t products = 0;
  std::int64_t additions = 0;
  double growth = 1;
  bool shifts_terms = false;
  double operand_range = 0;
  DType dtype = DType::Float32;
  bool plain = false;  // nothing but the weights and the bias of a file's own node

  bool is_matrix() const { return weight_shape.size() == 2; }
};

// Nothing for other nodes, and for those that are too large to be taken apart.
std::optional<WeightedNode> weighted_node(const Network& network, const OperatorTable& table, const Node& node);

// One number per channel of `values`, whose channels have `inner` elements each and repeat; zeros if there are none.
// Nothing if the elements of a channel differ.
std::optional<std::vector<double>> per_channel(const std::vector<double>& values, std::int64_t channels,
                                               std::int64_t inner);

// Whether the node is one, without looking at its weights.
bool may_be_weighted(const Network& network, const OperatorTable& table, const Node& node);

// `value`, or a Reshape of it.
ValueId reshaped(Rewriter& rewriter, ValueId value, const Shape& shape, const std::string& name,
                 const std::string& value_name);

// The node, from x to a value of shape `shape`, with Reshapes around it where shapes differ.
ValueId add_weighted(Rewriter& rewriter, const WeightedNode& weighted, const Shape& shape, const std::string& name,
                     const std::string& value_name);

}  // namespace boundflow
