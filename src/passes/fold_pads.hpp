#pragma once

#include "passes/rewriter.hpp"

namespace boundflow {

// A Pad of zeros around an image becomes padding of the convolution behind it, if nobody else reads it. Executions stay
// the same: a product with zero is zero, and adding it changes nothing.
Network fold_pads(const Network& network, const OperatorTable& table, RewriteBudget& budget);

}  // namespace boundflow
