#pragma once
// absorb-layouts: a rearrangement before a fully connected node becomes a permutation of its matrix's columns, one
// behind it a permutation of the rows and of the bias, pointwise operators in between included. A Reshape to the matrix
// product's shape takes its place where shapes differ.

#include "passes/rewriter.hpp"

namespace boundflow {

Network absorb_layouts(const Network& network, const OperatorTable& table, RewriteBudget& budget);

}  // namespace boundflow
