// The table of operators: one line each, in alphabetical order.
#include "ops/operator_list.hpp"

namespace boundflow {

const OperatorTable& operator_table() {
  static const OperatorTable table({
      abs_operator(),        add_operator(),     clip_operator(),    concat_operator(),    constant_operator(),
      div_operator(),        dropout_operator(), flatten_operator(), gemm_operator(),      identity_operator(),
      leaky_relu_operator(), matmul_operator(),  max_operator(),     max_pool_operator(),  min_operator(),
      mul_operator(),        neg_operator(),     relu_operator(),    reshape_operator(),   sigmoid_operator(),
      slice_operator(),      sub_operator(),     tanh_operator(),    transpose_operator(),
  });
  return table;
}

}  // namespace boundflow
