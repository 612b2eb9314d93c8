#pragma once
// Specialisation of a network to boxes: channels of a weighted node (columns of a matrix, channels of a convolution)
// whose activation is zero throughout the boxes are removed, from the node that computes them and from those that read
// them. In real arithmetic the function on the boxes stays what it was. So do float32 executions: their terms are zeros
// there, and adding zero to a sum does not round, in whatever order.

#include <cstdint>
#include <span>
#include <vector>

#include "passes/rewriter.hpp"

namespace boundflow {

// Bounds of a value's elements, row-major, for all points of the boxes and all executions that count.
struct ValueRange {
  ValueId value = kNoValue;
  std::vector<double> lower;
  std::vector<double> upper;
};

struct SpecialisedNetwork {
  Network network;           // same input and output
  std::int64_t removed = 0;  // elements of the values that activations read
};

// `ranges`: of the values that activations read, as far as they are known. The result stands for `network` on no other
// boxes.
SpecialisedNetwork specialise(const Network& network, const OperatorTable& table, std::span<const ValueRange> ranges);

}  // namespace boundflow
