#pragma once
// In which order the coordinates of each value are stored. Convolutions want images channels last: then the channels of
// neighbouring pixels are contiguous, for the kernels and for windows. Values that only rename coordinates (reshape,
// elementwise functions, sums) share the order of what they are connected to, so that a flattened image needs no move:
// the columns of the matrix behind it are permuted instead.

#include <vector>

#include "domains/lowered_network.hpp"

namespace boundflow {

// Chooses the orders, per value, and rewrites the maps, biases and joint terms of `nodes` to them.
std::vector<Order> assign_orders(const Network& network, std::vector<LoweredNode>& nodes);

}  // namespace boundflow
