// What specialisation to boxes makes of small networks. Random networks, and what executions lose, are in
// tests/soundness.
#include "passes/specialise.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "support/pass_checks.hpp"

namespace boundflow {
namespace {

class Builder {
 public:
  ValueId input(Shape shape) { return network.add_input("x", {DType::Float32, std::move(shape)}); }
  ValueId node(const std::string& op, std::vector<ValueId> inputs) { return add(op, std::move(inputs), {}); }
  // W x + b of [rows, columns] weights.
  ValueId product(ValueId x, std::int64_t rows, const std::vector<float>& weights, const std::vector<float>& bias) {
    const auto columns = static_cast<std::int64_t>(weights.size()) / rows;
    const ValueId matrix = network.add_constant("w", Tensor({rows, columns}, weights));
    return add("Gemm", {x, matrix, network.add_constant("b", Tensor({rows}, bias))}, {{"transB", std::int64_t{1}}});
  }
  ValueId reshape(ValueId x, const Shape& shape) {
    return node("Reshape",
                {x, network.add_constant("shape", Tensor({static_cast<std::int64_t>(shape.size())}, shape))});
  }

  Network network;

 private:
  ValueId add(const std::string& op, std::vector<ValueId> inputs, Attributes attributes) {
    const std::string name = op + std::to_string(names_++);
    const NodeId id =
        append_node(network, operator_table(), op, name, std::move(inputs), {name}, std::move(attributes));
    return network.node(id).outputs.front();
  }
  int names_ = 0;
};

std::vector<std::string> operators(const Network& network) {
  std::vector<std::string> names;
  for (const Node& node : network.nodes()) names.push_back(node.op);
  return names;
}

std::vector<double> constant(const Network& network, const Node& node, std::size_t input) {
  return network.value(node.inputs.at(input)).constant->to_doubles();
}

const Node& only(const Network& network, std::string_view op) {
  EXPECT_EQ(count_op(network, op), 1) << print(network);
  return *std::find_if(network.nodes().begin(), network.nodes().end(), [&](const Node& node) { return node.op == op; });
}

using Names = std::vector<std::string>;
using Numbers = std::vector<double>;

constexpr std::int64_t kRows = 40;

// Rows 1, 2, -3, 4 over an input whose second and third coordinate are fixed.
Network four_columns(ValueId& x) {
  Builder builder;
  x = builder.input({1, 1, 4, 1});
  std::vector<float> weights;
  for (std::int64_t row = 0; row < kRows; ++row) weights.insert(weights.end(), {1, 2, -3, 4});
  builder.network.set_outputs(
      {builder.product(builder.reshape(x, {1, 4}), kRows, weights, std::vector<float>(kRows, 0.5F))});
  return std::move(builder.network);
}

TEST(Specialise, FixedInputsGoIntoTheBias) {
  ValueId x = kNoValue;
  const Network network = four_columns(x);
  const SpecialisedNetwork special = specialise(network, operator_table(), {{{x, {0, 0.25, 3, -1}, {1, 0.25, 3, 1}}}});
  EXPECT_EQ(special.fixed, 2);
  EXPECT_EQ(operators(special.network), Names({"Reshape", "Gather", "FoldedGemm"}));
  EXPECT_EQ(constant(special.network, only(special.network, "Gather"), 1), Numbers({0, 3}));
  const Node& product = only(special.network, "FoldedGemm");
  EXPECT_EQ(special.network.value(product.inputs[1]).constant->shape(), Shape({kRows, 2}));
  EXPECT_EQ(constant(special.network, product, 2)[0], 0.5 + 0.5 - 9);
  EXPECT_NEAR(constant(special.network, product, 3)[0], 0.5 + 0.5 + 9, 1e-12);
  EXPECT_EQ(std::get<std::int64_t>(product.attributes.at("additions")), 4);
  EXPECT_EQ(special.products_before, kRows * 4.0);
  EXPECT_EQ(special.products, kRows * 2.0);
}

TEST(Specialise, InputsFixedAtZeroLeaveThePlainProduct) {
  ValueId x = kNoValue;
  const Network network = four_columns(x);
  const SpecialisedNetwork special = specialise(network, operator_table(), {{{x, {0, 0, 0, -1}, {1, 0, 0, 1}}}});
  EXPECT_EQ(operators(special.network), Names({"Reshape", "Gather", "Gemm"}));
}

TEST(Specialise, InputsStayThatAreNotFixedOrTooFew) {
  ValueId x = kNoValue;
  const Network network = four_columns(x);
  const double nan = std::nan("");
  const std::vector<ValueRange> ranges{{x, {0, 0.25, 3, -1}, {1, std::nextafter(0.25, 1), std::nextafter(3, 4), 1}},
                                       {x, {0, 0.25, 3, -1}, {1, 0.25, 4, 1}},
                                       {x, {0, nan, nan, -1}, {1, nan, nan, 1}},
                                       {x, {1, 1, 1, 1}, {1, 1, 1, 1}},  // no column would be left
                                       {x, {0, 0x1p-160, 0x1p-160, -1}, {1, 0x1p-160, 0x1p-160, 1}}};
  for (const ValueRange& range : ranges) {
    const SpecialisedNetwork special = specialise(network, operator_table(), {&range, 1});
    EXPECT_EQ(special.fixed, 0);
    EXPECT_EQ(operators(special.network), operators(network));
  }
}

// Two inputs, `hidden` neurons z_j = x_0 + j x_1 + 1, `outputs` sums of them.
struct TwoProducts {
  TwoProducts(const std::string& activation, std::int64_t hidden, std::int64_t outputs) {
    x = builder.input({1, 2});
    std::vector<float> weights;
    for (std::int64_t j = 0; j < hidden; ++j) weights.insert(weights.end(), {1, static_cast<float>(j)});
    z = builder.product(x, hidden, weights, std::vector<float>(static_cast<std::size_t>(hidden), 1));
    h = activation.empty() ? z : builder.node(activation, {z});
    y = builder.product(h, outputs, std::vector<float>(static_cast<std::size_t>(hidden * outputs), 1),
                        std::vector<float>(static_cast<std::size_t>(outputs), 2));
    builder.network.set_outputs({y});
  }
  // Of the first `stable` neurons no value is below `least`.
  SpecialisedNetwork specialised(std::int64_t stable, double least = 0, bool merge = true) const {
    std::vector<ValueRange> ranges{{x, {-1, -2}, {3, 1}}};
    const std::int64_t hidden = builder.network.size_of(z);
    if (h != z)
      ranges.push_back(
          {z, Numbers(static_cast<std::size_t>(hidden), -5), Numbers(static_cast<std::size_t>(hidden), 9)});
    for (std::int64_t j = 0; j < stable && h != z; ++j) ranges[1].lower[static_cast<std::size_t>(j)] = least;
    return specialise(builder.network, operator_table(), ranges, merge);
  }

  Builder builder;
  ValueId x = kNoValue, z = kNoValue, h = kNoValue, y = kNoValue;
};

TEST(Specialise, ProductsOfMatricesBecomeOne) {
  for (const std::string activation : {"", "Relu"}) {
    const SpecialisedNetwork special = TwoProducts(activation, 3, 5).specialised(3);
    EXPECT_EQ(special.merged, 3);
    EXPECT_EQ(special.products_before, 2 * 3 + 3 * 5);
    EXPECT_EQ(special.products, 2 * 5);
    EXPECT_EQ(operators(special.network), Names({"FoldedGemm"}));
    const Node& product = only(special.network, "FoldedGemm");
    EXPECT_EQ(constant(special.network, product, 1), Numbers({3, 3, 3, 3, 3, 3, 3, 3, 3, 3}));
    EXPECT_EQ(constant(special.network, product, 2)[0], 2 + 3);
    // 2 + sum_j (1 + |x_0| + j |x_1|) at most.
    EXPECT_NEAR(constant(special.network, product, 3)[0], 2 + 3 * (1 + 3) + 3 * 2, 1e-12);
    // The two additions of W1 x + b1; weights are powers of two.
    EXPECT_EQ(std::get<std::int64_t>(product.attributes.at("products")), 2);
    EXPECT_EQ(std::get<std::int64_t>(product.attributes.at("additions")), 3);
    EXPECT_EQ(std::get<std::int64_t>(product.attributes.at("shifts_terms")), 1);
  }
}

TEST(Specialise, ActiveNeuronsAreReadThroughTheProduct) {
  const TwoProducts test("Relu", 60, 40);
  const SpecialisedNetwork special = test.specialised(50);
  EXPECT_EQ(special.merged, 50);
  EXPECT_EQ(operators(special.network), Names({"Gemm", "Relu", "Concat", "FoldedGemm"}));
  const Node& product = only(special.network, "FoldedGemm");
  EXPECT_EQ(special.network.value(product.inputs[1]).constant->shape(), Shape({40, 12}));
  Numbers row(10, 1);
  row.insert(row.end(), {50, 49 * 50 / 2});
  Numbers first = constant(special.network, product, 1);
  first.resize(12);
  EXPECT_EQ(first, row);
}

TEST(Specialise, ProductsStayWhereTheyCostLessOrNeuronsMayBeNegative) {
  // One hidden neuron is cheaper than the matrix of its products.
  EXPECT_EQ(TwoProducts("", 1, 5).specialised(1).merged, 0);
  EXPECT_EQ(TwoProducts("Relu", 60, 40).specialised(10).merged, 0);
  EXPECT_EQ(TwoProducts("Relu", 3, 5).specialised(3, -1e-30).merged, 0);
  EXPECT_EQ(TwoProducts("Relu", 3, 5).specialised(3, std::nan("")).merged, 0);
  EXPECT_EQ(TwoProducts("Sigmoid", 3, 5).specialised(3, 1).merged, 0);
  EXPECT_EQ(TwoProducts("", 3, 5).specialised(3, 0, false).merged, 0);
  TwoProducts read_twice("", 3, 5);
  read_twice.builder.network.set_outputs({read_twice.y, read_twice.z});
  EXPECT_EQ(read_twice.specialised(3).merged, 0);
}

// The second sum has a single term, which is dead.
TEST(Specialise, SumsOfNothingStaySums) {
  Builder builder;
  const ValueId x = builder.input({1, 2});
  const ValueId z = builder.product(x, 3, {1, 2, 3, 4, 5, 6}, {-20, 20, 20});
  const ValueId h = builder.node("Relu", {z});
  builder.network.set_outputs({builder.product(h, 2, {1, 0, 0, 1, 0, 0}, {0, 0})});
  const SpecialisedNetwork special =
      specialise(builder.network, operator_table(), {{{x, {-1, -1}, {1, 1}}, {z, {-23, 13, 9}, {-17, 27, 31}}}});
  EXPECT_EQ(special.removed, 1);
  EXPECT_EQ(special.merged, 2);
  EXPECT_EQ(constant(special.network, only(special.network, "FoldedGemm"), 1), Numbers(4, 0));
}

TEST(Specialise, ChainsOfProductsBecomeOne) {
  Builder builder;
  const ValueId x = builder.input({1, 2});
  ValueId y = x;
  std::int64_t columns = 2;
  for (const std::int64_t rows : {4, 6, 8}) {
    y = builder.product(y, rows, std::vector<float>(static_cast<std::size_t>(rows * columns), 1),
                        std::vector<float>(static_cast<std::size_t>(rows), 0));
    columns = rows;
  }
  builder.network.set_outputs({y});
  const SpecialisedNetwork special = specialise(builder.network, operator_table(), {{{x, {-1, -1}, {1, 1}}}});
  EXPECT_EQ(special.merged, 4 + 6);
  EXPECT_EQ(operators(special.network), Names({"FoldedGemm"}));
  EXPECT_EQ(constant(special.network, only(special.network, "FoldedGemm"), 1), Numbers(16, 24));
}

TEST(Specialise, StopsAtItsDeadline) {
  Builder net;
  const ValueId x = net.input({1, 1});
  net.network.set_outputs({net.product(net.product(x, 2, {1, 2}, {0, 0}), 1, {1, 1}, {0})});
  EXPECT_THROW(specialise(net.network, operator_table(), {}, true, Deadline(0)), StoppedError);
}

}  // namespace
}  // namespace boundflow
