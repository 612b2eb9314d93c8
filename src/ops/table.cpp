// The table of operators: one line each, in alphabetical order.
#include "ops/operator_list.hpp"

namespace boundflow {

const OperatorTable& operator_table() {
  static const OperatorTable table({
      add_operator(),
      average_pool_operator(),
      batch_normalization_operator(),
      cast_operator(),
      concat_operator(),
      constant_operator(),
      constant_of_shape_operator(),
      conv_operator(),
      conv_transpose_operator(),
      dropout_operator(),
      equal_operator(),
      expand_operator(),
      flatten_operator(),
      gather_operator(),
      gemm_operator(),
      global_average_pool_operator(),
      identity_operator(),
      matmul_operator(),
      pad_operator(),
      range_operator(),
      reduce_mean_operator(),
      reduce_sum_operator(),
      relu_operator(),
      reshape_operator(),
      shape_operator(),
      size_operator(),
      slice_operator(),
      split_operator(),
      squeeze_operator(),
      sub_operator(),
      transpose_operator(),
      unsqueeze_operator(),
      where_operator(),
  });
  return table;
}

}  // namespace boundflow
