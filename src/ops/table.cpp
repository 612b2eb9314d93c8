// The table of operators: one line each, in alphabetical order.
#include "ops/operator_list.hpp"

namespace boundflow {

const OperatorTable& operator_table() {
  static const OperatorTable table({
      add_operator(),
      average_pool_operator(),
      batch_normalization_operator(),
      concat_operator(),
      constant_operator(),
      conv_operator(),
      conv_transpose_operator(),
      dropout_operator(),
      flatten_operator(),
      gemm_operator(),
      global_average_pool_operator(),
      identity_operator(),
      matmul_operator(),
      reduce_mean_operator(),
      reduce_sum_operator(),
      relu_operator(),
      reshape_operator(),
      slice_operator(),
      sub_operator(),
      transpose_operator(),
  });
  return table;
}

}  // namespace boundflow
