#pragma once
// One function per operator, each defined in the file of its name. Explicit, because static initialisers get dropped
// from static libraries.

#include "ops/operator.hpp"

namespace boundflow {

Operator abs_operator();
Operator add_operator();
Operator clip_operator();
Operator concat_operator();
Operator constant_operator();
Operator div_operator();
Operator dropout_operator();
Operator flatten_operator();
Operator gemm_operator();
Operator identity_operator();
Operator leaky_relu_operator();
Operator matmul_operator();
Operator max_operator();
Operator max_pool_operator();
Operator min_operator();
Operator mul_operator();
Operator neg_operator();
Operator relu_operator();
Operator reshape_operator();
Operator sigmoid_operator();
Operator slice_operator();
Operator sub_operator();
Operator tanh_operator();
Operator transpose_operator();

}  // namespace boundflow
