#pragma once
// fuse-bias: MatMul by a constant matrix followed by Add of a constant becomes one Gemm, so that a layer is one affine
// node with one bias. The deployed error stays covered: fl(fl(Wx) + b) is within gamma_{k+1} (|W||x| + |b|) of Wx + b,
// the very bound that Gemm states for k terms and a bias.

#include "passes/rewriter.hpp"

namespace boundflow {

Network fuse_bias(const Network& network, const OperatorTable& table, RewriteBudget& budget);

}  // namespace boundflow
