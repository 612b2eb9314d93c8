#pragma once
// One function per operator, each defined in the file of its name. Explicit, because static initialisers get dropped
// from static libraries.

#include "ops/operator.hpp"

namespace boundflow {

Operator abs_operator();
Operator add_operator();
Operator average_pool_operator();
Operator batch_normalization_operator();
Operator cast_operator();
Operator clip_operator();
Operator concat_operator();
Operator constant_operator();
Operator constant_of_shape_operator();
Operator conv_operator();
Operator conv_transpose_operator();
Operator div_operator();
Operator dropout_operator();
Operator equal_operator();
Operator expand_operator();
Operator flatten_operator();
Operator folded_conv_operator();
Operator folded_conv_transpose_operator();
Operator folded_gemm_operator();
Operator gather_operator();
Operator gemm_operator();
Operator global_average_pool_operator();
Operator identity_operator();
Operator leaky_relu_operator();
Operator matmul_operator();
Operator max_operator();
Operator max_pool_operator();
Operator min_operator();
Operator mod_operator();
Operator mul_operator();
Operator neg_operator();
Operator pad_operator();
Operator pow_operator();
Operator range_operator();
Operator reduce_mean_operator();
Operator reduce_sum_operator();
Operator relu_operator();
Operator reshape_operator();
Operator shape_operator();
Operator sigmoid_operator();
Operator size_operator();
Operator slice_operator();
Operator split_operator();
Operator squeeze_operator();
Operator sub_operator();
Operator tanh_operator();
Operator transpose_operator();
Operator unsqueeze_operator();
Operator where_operator();

}  // namespace boundflow
