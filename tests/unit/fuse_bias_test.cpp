// fuse-bias: what becomes one Gemm computes the same. Where it fuses and where not is in tests/golden/passes.
#include "passes/fuse_bias.hpp"

#include <gtest/gtest.h>

#include "support/pass_checks.hpp"
#include "support/random_network.hpp"

namespace boundflow {
namespace {

Tensor random_tensor(Random& random, Shape shape) {
  std::vector<float> values(static_cast<std::size_t>(element_count(shape)));
  for (float& value : values) value = static_cast<float>(random.uniform(-2, 2));
  return Tensor(std::move(shape), std::move(values));
}

// x [1, 3] MatMul w [3, 2] + bias of the given shape; `swapped`: bias + product.
Network matmul_and_add(const Shape& bias, bool swapped = false, const Shape& input = {1, 3}) {
  Random random(1);
  Network network;
  const ValueId x = network.add_input("x", {DType::Float32, input});
  const ValueId w = network.add_constant("w", random_tensor(random, {3, 2}));
  const ValueId b = network.add_constant("b", random_tensor(random, bias));
  const ValueId p = network.node(append_node(network, operator_table(), "MatMul", "mm", {x, w}, {"p"})).outputs[0];
  const std::vector<ValueId> operands{swapped ? b : p, swapped ? p : b};
  network.set_outputs(network.node(append_node(network, operator_table(), "Add", "add", operands, {"s"})).outputs);
  return network;
}

Tensor random_input(Random& random, const Network& network) {
  return random_tensor(random, network.value(network.input()).type.shape);
}

void expect_same_function(const Network& before, const Network& after) {
  Random random(9);
  verify_network(after);
  EXPECT_EQ(after.value(after.output()).type, before.value(before.output()).type);
  EXPECT_EQ(after.value(after.output()).name, before.value(before.output()).name);
  for (int i = 0; i < 5; ++i) {
    const Tensor x = random_input(random, before);
    // The reference evaluation adds the bias last in both.
    EXPECT_EQ(evaluate_network(before, x)[static_cast<std::size_t>(before.output())].to_doubles(),
              evaluate_network(after, x)[static_cast<std::size_t>(after.output())].to_doubles());
  }
}

TEST(FuseBias, FusesARowBiasOnEitherSide) {
  for (const Shape& bias : {Shape{2}, Shape{1, 2}}) {
    for (const bool swapped : {false, true}) {
      const Network network = matmul_and_add(bias, swapped);
      RewriteBudget budget;
      const Network fused = fuse_bias(network, operator_table(), budget);
      ASSERT_EQ(fused.nodes().size(), 1U);
      EXPECT_EQ(fused.nodes()[0].op, "Gemm");
      EXPECT_EQ(fused.nodes()[0].name, "add");
      expect_same_function(network, fused);
    }
  }
}

TEST(FuseBias, FusesForSeveralRows) {
  const Network network = matmul_and_add({2}, false, {4, 3});
  RewriteBudget budget;
  const Network fused = fuse_bias(network, operator_table(), budget);
  EXPECT_EQ(fused.nodes().size(), 1U);
  expect_same_function(network, fused);
}

TEST(FuseBias, KeepsFunctionAndBoundsOfRandomNetworks) {
  std::int64_t fused = 0;
  for (std::uint64_t seed = 0; seed < 150 / kSanitizerShare; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Network before = random_network(random, {.extreme_scales = false});
    const Network after = run_pass(before, "fuse-bias");
    expect_same_function(before, after);
    fused += count_op(before, "MatMul") - count_op(after, "MatMul");
    EXPECT_EQ(static_cast<std::int64_t>(before.nodes().size() - after.nodes().size()),
              count_op(before, "MatMul") - count_op(after, "MatMul"));

    const std::int64_t inputs = before.size_of(before.input()), outputs = before.size_of(before.output());
    const LinearSpec spec = random_spec(random, 3, inputs, outputs, false);
    const FlatQuery flat(spec, {random_box(random, inputs)}, Semantics::Float32);
    const auto bound = [&](const Network& network) {
      const QueryEngine engine(std::make_shared<const Network>(network), make_reference_executor(), {});
      return engine.bound(flat.query, Deadline());
    };
    const BoundAnswer a = bound(before), b = bound(after);
    for (std::size_t n = 0; n < a.nominal.size(); ++n) {
      const double tolerance = a.error[n] + b.error[n] + 1e-4 * (1 + std::fabs(a.nominal[n]));
      EXPECT_NEAR(a.nominal[n], b.nominal[n], tolerance);
    }
  }
  EXPECT_GT(fused, 30 / kSanitizerShare);
}

}  // namespace
}  // namespace boundflow
