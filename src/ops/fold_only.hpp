#pragma once
// Operators whose results are shapes, lengths and conditions: import folds every use of them, since shapes are static.

#include "ir/facet.hpp"
#include "ir/network.hpp"

namespace boundflow {

// For a node that did not fold, because it reads a variable. UnsupportedError.
[[noreturn]] inline Facet refuse_variables(const NodeView& node) {
  node.unsupported("the operator is supported on constants only");
}

}  // namespace boundflow
