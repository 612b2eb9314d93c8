// The table of operators: one line each, in alphabetical order.
#include "ops/operator_list.hpp"

namespace boundflow {

const OperatorTable& operator_table() {
  static const OperatorTable table({
      abs_operator(),
      add_operator(),
      average_pool_operator(),
      batch_normalization_operator(),
      cast_operator(),
      clip_operator(),
      concat_operator(),
      constant_operator(),
      constant_of_shape_operator(),
      conv_operator(),
      conv_transpose_operator(),
      div_operator(),
      dropout_operator(),
      equal_operator(),
      expand_operator(),
      flatten_operator(),
      folded_conv_operator(),
      folded_conv_transpose_operator(),
      folded_gemm_operator(),
      gather_operator(),
      gemm_operator(),
      global_average_pool_operator(),
      identity_operator(),
      leaky_relu_operator(),
      matmul_operator(),
      max_operator(),
      max_pool_operator(),
      min_operator(),
      mod_operator(),
      mul_operator(),
      neg_operator(),
      pad_operator(),
      pow_operator(),
      range_operator(),
      reduce_mean_operator(),
      reduce_sum_operator(),
      relu_operator(),
      reshape_operator(),
      shape_operator(),
      sigmoid_operator(),
      size_operator(),
      slice_operator(),
      split_operator(),
      squeeze_operator(),
      sub_operator(),
      tanh_operator(),
      transpose_operator(),
      unsqueeze_operator(),
      where_operator(),
  });
  return table;
}

}  // namespace boundflow
