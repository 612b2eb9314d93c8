#pragma once
// What specialisation to boxes makes of weighted nodes: channels are left out, columns whose operand is fixed go into
// the bias, and two matrices become one. Results stand for the executions of the nodes that they are made from
// (docs/soundness.md).

#include <optional>
#include <span>
#include <vector>

#include "base/deadline.hpp"
#include "passes/weighted_node.hpp"

namespace boundflow {

// Keeps the channels of the result and of x that are true; nullptr: all. What goes away of x has to be zero in every
// execution. At least one channel of each stays.
void narrow(WeightedNode& node, const std::vector<bool>* results, const std::vector<bool>* operands);

// A matrix, one number or none per column: without the columns whose operand always is that number, in every execution
// too. Nothing if the numbers leave the range of the error model, or no column would be left.
std::optional<WeightedNode> without_fixed(const WeightedNode& matrix, std::span<const std::optional<double>> fixed);

// W2 z + b2 where z_j = (W1 x + b1)_j for the columns j of `outer` that `through` names, in order of the rows of
// `inner`: a matrix over the other z_j and, behind them, x. In executions no |x_k| exceeds most[k], [inner's columns].
// Nothing if the numbers leave the range of the error model.
// StoppedError when the deadline passes before.
std::optional<WeightedNode> merged_products(const WeightedNode& outer, const std::vector<bool>& through,
                                            const WeightedNode& inner, std::span<const double> most,
                                            const Deadline& deadline);

}  // namespace boundflow
