// The rules of verify_program, each broken on purpose, and the printed form of a program.
#include "program/bound_program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/lower.hpp"
#include "program/op_schema.hpp"

namespace boundflow {
namespace {

using testing::HasSubstr;

// y = relu(x W1 + b1) W2 on two inputs.
std::shared_ptr<const Network> small_network() {
  Network network;
  const ValueId x = network.add_input("x", {DType::Float32, {1, 2}});
  const ValueId w1 = network.add_constant("w1", Tensor({2, 3}, std::vector<float>{1, -1, 0.5, 2, 1, -1}));
  const ValueId b1 = network.add_constant("b1", Tensor({3}, std::vector<float>{0, 0.25, 1}));
  const ValueId w2 = network.add_constant("w2", Tensor({3, 1}, std::vector<float>{1, 1, -1}));
  append_node(network, operator_table(), "Gemm", "fc1", {x, w1, b1}, {"h"});
  append_node(network, operator_table(), "Relu", "relu", {network.node(0).outputs[0]}, {"r"});
  append_node(network, operator_table(), "Add", "skip", {network.node(1).outputs[0], network.node(0).outputs[0]},
              {"s"});
  append_node(network, operator_table(), "Relu", "again", {network.node(2).outputs[0]}, {"r2"});
  append_node(network, operator_table(), "MatMul", "fc2", {network.node(3).outputs[0], w2}, {"y"});
  network.set_outputs(network.node(4).outputs);
  return std::make_shared<const Network>(std::move(network));
}

BoundProgram small_program(IntermediateBounds method = IntermediateBounds::Crown, bool input_terms = false) {
  return lower_bounds(LoweredNetwork(small_network(), operator_table()),
                      {.intermediate = method, .input_terms = input_terms});
}

TEST(BoundProgram, PrintsAsDocumented) {
  EXPECT_EQ(print(small_program()),
            R"(program inputs=2 outputs=1
task 0 'input' (per subproblem)
  %0 = input_box() : bounds[B, 2]
task 1 'interval of h' (per subproblem) after 0
  %1, %2 = interval_affine(%0) 'fc1' [dense 1x3x2x1] : bounds[B, 3] : error_weights[B, 3]
task 2 'interval of r' (per subproblem) after 1
  %3 = relax(%1) relu : lines[B, 3]
  %4 = interval_image(%1) relu : bounds[B, 3]
task 3 'interval of s' (per subproblem) after 1, 2
  %5, %6 = interval_affine(%4, %1) 'skip' [identity 3 + identity 3] : bounds[B, 3] : error_weights[B, 3]
task 4 'bounds of s' (rows: +-e_i of unstable neurons) tightens %5 after 0, 1, 2, 3
  %7 = one_hot() : rows[N, 3]
  bias_and_error(%7, %6) 'skip'
  %8 = apply_relaxation(%7, %3) : rows[N, 3]
  %9 = accumulate(%7, %8, %1) : rows[N, 3]
  bias_and_error(%9, %2) 'fc1'
  %10 = transpose(%9) 'fc1' [dense 1x3x2x1] : rows[N, 2]
  concretize(%10, %0)
task 5 'interval of r2' (per subproblem) after 4
  %11 = relax(%5) relu : lines[B, 3]
  %12 = interval_image(%5) relu : bounds[B, 3]
task 6 'interval of y' (per subproblem) after 5
  %13, %14 = interval_affine(%12) 'fc2' [dense 1x1x3x1] : bounds[B, 1] : error_weights[B, 1]
task 7 'specification' (rows: the query's) after 0, 1, 2, 3, 5, 6
  %15 = spec_rows(%13) : rows[N, 1]
  bias_and_error(%15, %14) 'fc2'
  %16 = transpose(%15) 'fc2' [dense 1x1x3x1] : rows[N, 3]
  %17 = apply_relaxation(%16, %11) : rows[N, 3]
  bias_and_error(%17, %6) 'skip'
  %18 = apply_relaxation(%17, %3) : rows[N, 3]
  %19 = accumulate(%17, %18, %1) : rows[N, 3]
  bias_and_error(%19, %2) 'fc1'
  %20 = transpose(%19) 'fc1' [dense 1x3x2x1] : rows[N, 2]
  concretize(%20, %0)
)");
}

TEST(BoundProgram, IntervalBoundsNeedNoNeuronRows) {
  EXPECT_THAT(print(small_program(IntermediateBounds::Interval)), testing::Not(HasSubstr("one_hot")));
  EXPECT_THAT(print(small_program()), testing::Not(HasSubstr("spec_input_rows")));
  EXPECT_THAT(print(small_program(IntermediateBounds::Crown, true)), HasSubstr("spec_input_rows"));
}

TEST(BoundProgram, SchemasStandInTheOrderOfTheirKinds) {
  for (std::size_t k = 0; k < op_schemas().size(); ++k) {
    EXPECT_EQ(static_cast<std::size_t>(op_schemas()[k].kind), k) << op_schemas()[k].name;
  }
}

class VerifyProgram : public testing::Test {
 protected:
  // The first op of a kind.
  TaskOp& op(TaskOpKind kind) {
    for (Task& task : program_.tasks) {
      for (TaskOp& op : task.ops) {
        if (op.kind == kind) return op;
      }
    }
    throw InternalError("no such op");
  }
  Buffer& buffer(BufferId id) { return program_.buffers.at(static_cast<std::size_t>(id)); }
  void expect_broken(const std::string& label) {
    try {
      verify_program(program_);
      FAIL() << "expected [" << label << "]";
    } catch (const InternalError& error) {
      EXPECT_THAT(error.what(), HasSubstr("[" + label + "]"));
    }
  }

  BoundProgram program_ = small_program();
};

TEST_F(VerifyProgram, AcceptsWhatLoweringMakes) {
  EXPECT_NO_THROW(verify_program(program_));
  EXPECT_NO_THROW(verify_program(lower_values(LoweredNetwork(small_network(), operator_table()), true)));
}

TEST_F(VerifyProgram, P1AffinePresent) {
  op(TaskOpKind::IntervalAffine).affine = nullptr;
  expect_broken("P1 affine-present");
}

TEST_F(VerifyProgram, P2FunctionPresent) {
  op(TaskOpKind::Relax).function = nullptr;
  expect_broken("P2 function-present");
}

TEST_F(VerifyProgram, P3OperandCount) {
  op(TaskOpKind::Concretize).inputs.pop_back();
  expect_broken("P3 operand-count");
}

TEST_F(VerifyProgram, P3ResultCount) {
  op(TaskOpKind::IntervalAffine).outputs.pop_back();
  expect_broken("P3 operand-count");
}

TEST_F(VerifyProgram, P4DefinedBeforeUse) {
  std::swap(program_.tasks[1], program_.tasks[2]);
  expect_broken("P4 defined-before-use");
}

TEST_F(VerifyProgram, P4BuffersExist) {
  op(TaskOpKind::Relax).inputs[0] = 1000;
  expect_broken("P4 defined-before-use");
}

TEST_F(VerifyProgram, P5MapSizesOfAnIntervalStep) {
  buffer(op(TaskOpKind::IntervalAffine).inputs[0]).columns = 5;
  expect_broken("P5 map-sizes");
}

TEST_F(VerifyProgram, P5MapSizesOfATranspose) {
  buffer(op(TaskOpKind::Transpose).outputs[0]).columns = 5;
  expect_broken("P5 map-sizes");
}

TEST_F(VerifyProgram, P6BiasSize) {
  TaskOp& affine = op(TaskOpKind::IntervalAffine);
  AffineData data = *affine.affine;
  data.bias.push_back(0);
  affine.affine = std::make_shared<const AffineData>(std::move(data));
  expect_broken("P6 bias-size");
}

TEST_F(VerifyProgram, P7TermInRange) {
  op(TaskOpKind::Transpose).term = 1;
  expect_broken("P7 term-in-range");
}

TEST_F(VerifyProgram, P8EqualColumns) {
  buffer(op(TaskOpKind::IntervalImage).outputs[0]).columns = 4;
  expect_broken("P8 equal-columns");
}

TEST_F(VerifyProgram, P9OperandKind) {
  buffer(op(TaskOpKind::ApplyRelaxation).inputs[1]).kind = BufferKind::Bounds;
  expect_broken("P9 operand-kind");
}

TEST_F(VerifyProgram, P9ResultKind) {
  buffer(op(TaskOpKind::InputBox).outputs[0]).kind = BufferKind::Rows;
  expect_broken("P9 operand-kind");
}

TEST_F(VerifyProgram, P10SingleDefinition) {
  op(TaskOpKind::IntervalImage).outputs[0] = op(TaskOpKind::IntervalAffine).outputs[0];
  expect_broken("P10 single-definition");
}

TEST_F(VerifyProgram, P11NeuronsTarget) {
  for (Task& task : program_.tasks) {
    if (task.kind == TaskKind::Neurons) task.target = -1;
  }
  expect_broken("P11 neurons-target");
}

TEST_F(VerifyProgram, P13TaskOrder) {
  program_.tasks.back().level = 0;
  expect_broken("P13 task-order");
}

TEST_F(VerifyProgram, NamesTaskAndOp) {
  op(TaskOpKind::Relax).function = nullptr;
  try {
    verify_program(program_);
    FAIL();
  } catch (const InternalError& error) {
    EXPECT_THAT(error.what(), HasSubstr("task 'interval of r'"));
    EXPECT_THAT(error.what(), HasSubstr("op relax"));
  }
}

}  // namespace
}  // namespace boundflow
