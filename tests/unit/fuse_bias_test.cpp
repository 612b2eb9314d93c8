// fuse-bias: MatMul and Add become one Gemm where nothing else looks at the product, and nowhere else.
#include "passes/fuse_bias.hpp"

#include <gtest/gtest.h>

#include "passes/passes.hpp"
#include "support/bound_checks.hpp"
#include "support/random_network.hpp"

namespace boundflow {
namespace {

Tensor random_tensor(Random& random, Shape shape) {
  std::vector<float> values(static_cast<std::size_t>(element_count(shape)));
  for (float& value : values) value = static_cast<float>(random.uniform(-2, 2));
  return Tensor(std::move(shape), std::move(values));
}

std::size_t count(const Network& network, std::string_view op) {
  return static_cast<std::size_t>(
      std::count_if(network.nodes().begin(), network.nodes().end(), [&](const Node& node) { return node.op == op; }));
}

// x [1, 3] MatMul w [3, 2] + bias of the given shape; `swapped`: bias + product.
struct Pair {
  Network network;
  ValueId product = kNoValue;
  ValueId sum = kNoValue;
};
Pair matmul_and_add(const Shape& bias, bool swapped = false, const Shape& input = {1, 3}) {
  Random random(1);
  Pair pair;
  Network& network = pair.network;
  const ValueId x = network.add_input("x", {DType::Float32, input});
  const ValueId w = network.add_constant("w", random_tensor(random, {3, 2}));
  const ValueId b = network.add_constant("b", random_tensor(random, bias));
  const NodeId product = append_node(network, operator_table(), "MatMul", "mm", {x, w}, {"p"});
  pair.product = network.node(product).outputs[0];
  const std::vector<ValueId> operands{swapped ? b : pair.product, swapped ? pair.product : b};
  const NodeId sum = append_node(network, operator_table(), "Add", "add", operands, {"s"});
  pair.sum = network.node(sum).outputs[0];
  network.set_outputs({pair.sum});
  return pair;
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
      const Pair pair = matmul_and_add(bias, swapped);
      const Network fused = fuse_bias(pair.network, operator_table());
      ASSERT_EQ(fused.nodes().size(), 1U);
      EXPECT_EQ(fused.nodes()[0].op, "Gemm");
      EXPECT_EQ(fused.nodes()[0].name, "add");
      expect_same_function(pair.network, fused);
    }
  }
}

TEST(FuseBias, FusesForSeveralRows) {
  const Pair pair = matmul_and_add({2}, false, {4, 3});
  const Network fused = fuse_bias(pair.network, operator_table());
  EXPECT_EQ(fused.nodes().size(), 1U);
  expect_same_function(pair.network, fused);
}

TEST(FuseBias, LeavesOtherShapesAlone) {
  // A scalar, a column, a bias per element, and ones that give the sum another rank or more rows.
  for (const Shape& bias : {Shape{}, Shape{1}, Shape{1, 1}, Shape{1, 1, 2}, Shape{4, 2}}) {
    const Pair pair = matmul_and_add(bias);
    const Network same = fuse_bias(pair.network, operator_table());
    EXPECT_EQ(same.nodes().size(), 2U) << to_string(bias);
    expect_same_function(pair.network, same);
  }
  const Pair tall = matmul_and_add({4, 2}, false, {4, 3});
  EXPECT_EQ(fuse_bias(tall.network, operator_table()).nodes().size(), 2U);
  const Pair column = matmul_and_add({4, 1}, false, {4, 3});
  EXPECT_EQ(fuse_bias(column.network, operator_table()).nodes().size(), 2U);
  const Pair batched = matmul_and_add({2}, false, {1, 1, 3});
  EXPECT_EQ(fuse_bias(batched.network, operator_table()).nodes().size(), 2U);
  expect_same_function(batched.network, fuse_bias(batched.network, operator_table()));
}

TEST(FuseBias, LeavesAProductAloneThatIsReadTwice) {
  Pair pair = matmul_and_add({2});
  const NodeId both = append_node(pair.network, operator_table(), "Sub", "sub", {pair.sum, pair.product}, {"d"});
  pair.network.set_outputs(pair.network.node(both).outputs);
  const Network same = fuse_bias(pair.network, operator_table());
  EXPECT_EQ(same.nodes().size(), 3U);
  expect_same_function(pair.network, same);
}

TEST(FuseBias, LeavesAProductAloneThatIsAnOutput) {
  Pair pair = matmul_and_add({2});
  pair.network.set_outputs({pair.sum, pair.product});
  const Network same = fuse_bias(pair.network, operator_table());
  EXPECT_EQ(same.nodes().size(), 2U);
  EXPECT_EQ(same.outputs().size(), 2U);
}

TEST(FuseBias, LeavesSumsOfVariablesAlone) {
  Random random(2);
  Network network;
  const ValueId x = network.add_input("x", {DType::Float32, {1, 2}});
  const ValueId w = network.add_constant("w", random_tensor(random, {2, 2}));
  const NodeId product = append_node(network, operator_table(), "MatMul", "mm", {x, w}, {"p"});
  const ValueId p = network.node(product).outputs[0];
  const NodeId sum = append_node(network, operator_table(), "Add", "add", {p, x}, {"s"});
  const NodeId twice = append_node(network, operator_table(), "Add", "twice",
                                   {network.node(sum).outputs[0], network.node(sum).outputs[0]}, {"t"});
  network.set_outputs(network.node(twice).outputs);
  EXPECT_EQ(fuse_bias(network, operator_table()).nodes().size(), 3U);
}

TEST(FuseBias, LeavesAConstantOnTheLeftAlone) {
  Random random(3);
  Network network;
  const ValueId x = network.add_input("x", {DType::Float32, {3, 2}});
  const ValueId w = network.add_constant("w", random_tensor(random, {1, 3}));
  const ValueId b = network.add_constant("b", random_tensor(random, {2}));
  const NodeId product = append_node(network, operator_table(), "MatMul", "mm", {w, x}, {"p"});
  const NodeId sum = append_node(network, operator_table(), "Add", "add", {network.node(product).outputs[0], b}, {"s"});
  network.set_outputs(network.node(sum).outputs);
  expect_same_function(network, fuse_bias(network, operator_table()));
}

TEST(FuseBias, KeepsFunctionAndBoundsOfRandomNetworks) {
  std::size_t fused = 0;
  for (std::uint64_t seed = 0; seed < 150 / kSanitizerShare; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Network before = random_network(random, {.extreme_scales = false});
    const Network after = run_passes(before, operator_table());
    expect_same_function(before, after);
    fused += count(before, "MatMul") - count(after, "MatMul");
    EXPECT_EQ(before.nodes().size() - after.nodes().size(), count(before, "MatMul") - count(after, "MatMul"));

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
  EXPECT_GT(fused, 30U / kSanitizerShare);
}

TEST(Passes, TableNamesAreUniqueAndRunInOrder) {
  ASSERT_FALSE(pass_table().empty());
  EXPECT_EQ(pass_table()[0].name, "fuse-bias");
}

}  // namespace
}  // namespace boundflow
