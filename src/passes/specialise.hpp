#pragma once
// Specialisation of a network to boxes. In real arithmetic the function on the boxes stays what it was, and float32
// executions of the network as it was stay within the error model of what it becomes (docs/soundness.md):
//
// - Channels of a weighted node (columns of a matrix, channels of a convolution) whose activation is zero throughout
//   the boxes are removed, from the node that computes them and from those that read them. Executions lose terms that
//   are zeros, and adding zero to a sum does not round, in whatever order.
// - Inputs with one value in all boxes go into the bias of a matrix that reads the input.
// - A matrix that reads the result of a matrix through an activation that is the identity on the boxes, or through
//   none, reads the operand of that one by the product of the two, where this takes fewer multiplications:
//   W2 relu(W1 x + b1) + b2 becomes [W2_U, W2_A W1_A] [relu(W1_U x + b1_U), x] + (W2_A b1_A + b2), A being the neurons
//   that always are active.

#include <cstdint>
#include <span>
#include <vector>

#include "base/deadline.hpp"
#include "passes/rewriter.hpp"

namespace boundflow {

// Bounds of a value's elements, row-major, for all points of the boxes and all executions that count.
struct ValueRange {
  ValueId value = kNoValue;
  std::vector<double> lower;
  std::vector<double> upper;
};

struct SpecialisedNetwork {
  Network network;             // same input and output
  std::int64_t removed = 0;    // elements of the values that activations read: those that are zero behind it,
  std::int64_t merged = 0;     // and those that are read through a product of matrices
  std::int64_t fixed = 0;      // columns of matrices that have gone into their bias
  double products = 0;         // of one evaluation of the network (Operator::cost),
  double products_before = 0;  // and of the one that was specialised
};

// `ranges`: of the input and of the values that activations read, as far as they are known. The result stands for
// `network` on no other boxes. Without `merge`, no products of matrices: a row that walks through one pays for
// rounding in executions of the two as if the terms of different results never cancelled. StoppedError when the
// deadline passes before.
SpecialisedNetwork specialise(const Network& network, const OperatorTable& table, std::span<const ValueRange> ranges,
                              bool merge = true, const Deadline& deadline = Deadline());

}  // namespace boundflow
