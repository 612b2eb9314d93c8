// Every operator's evaluation against its lowering on generated networks, and hand-written cases from the ONNX
// specification.
#include "ops/operator.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/rounding.hpp"
#include "support/one_node.hpp"

namespace boundflow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Tensor random_input(const TensorType& type, Random& random) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < element_count(type.shape); ++i) {
    const double scale = random.integer(0, 4) == 0 ? std::ldexp(1.0, static_cast<int>(random.integer(-40, 30))) : 1.0;
    values.push_back(static_cast<float>(scale * random.uniform(-3, 3)));
  }
  return floats(type.shape, values);
}

// The output that a facet's terms and bias promise, and the sum of magnitudes that its rounding is measured by.
struct Promise {
  std::vector<double> value;
  std::vector<double> magnitude;
};

Promise promise(const Affine& affine, const Node& node, const std::vector<Tensor>& values, std::int64_t out) {
  Promise result{affine.bias, affine.bias_magnitude};
  result.value.resize(static_cast<std::size_t>(out), 0.0);
  if (result.magnitude.empty()) {
    for (const double b : result.value) result.magnitude.push_back(std::abs(b));
  }
  for (const AffineTerm& term : affine.terms) {
    std::vector<double> x = values[static_cast<std::size_t>(node.inputs.at(term.input))].to_doubles();
    EXPECT_EQ(term.map->out_size(), out);
    term.map->apply(x, result.value);
    for (double& component : x) component = std::abs(component);
    term.map->apply(x, result.magnitude, true);
  }
  return result;
}

void check_elementwise(const Elementwise& facet, const Node& node, const std::vector<Tensor>& values, const Tensor& y) {
  const Tensor& x = values[static_cast<std::size_t>(node.inputs.at(facet.input))];
  for (std::int64_t i = 0; i < y.size(); ++i) {
    EXPECT_NEAR(y.at(i), facet.function->value(x.at(i)),
                facet.function->deployed_error(x.at(i), x.at(i), kUnitRoundoff32));
  }
}

void check_affine(const Affine& affine, const Node& node, const std::vector<Tensor>& values, const Tensor& y) {
  const std::int64_t roundings = affine.deployed_roundings;
  const Promise expected = promise(affine, node, values, y.size());
  ASSERT_EQ(expected.value.size(), static_cast<std::size_t>(y.size()));
  for (std::int64_t i = 0; i < y.size(); ++i) {
    const auto k = static_cast<std::size_t>(i);
    // Underflow, and the rounding of this very check in double.
    const double slack = roundings == 0 ? 0
                                        : static_cast<double>(roundings) * kSmallestNormal32 * affine.deployed_growth +
                                              1e-14 * expected.magnitude[k];
    EXPECT_LE(std::abs(y.at(i) - expected.value[k]),
              gamma_up(roundings, kUnitRoundoff32) * expected.magnitude[k] + slack);
  }
}

// The function of each output's terms is the output, up to what an execution may add.
void check_joint(const Joint& joint, const Node& node, const std::vector<Tensor>& values, const Tensor& y) {
  ASSERT_EQ(joint.starts.size(), static_cast<std::size_t>(y.size()) + 1);
  for (std::int64_t j = 0; j < y.size(); ++j) {
    std::vector<double> x;
    for (auto e = joint.starts[static_cast<std::size_t>(j)]; e < joint.starts[static_cast<std::size_t>(j) + 1]; ++e) {
      const Joint::Term& term = joint.terms.at(static_cast<std::size_t>(e));
      x.push_back(term.constant);
      if (term.operand < 0) continue;
      const std::size_t input = joint.inputs.at(static_cast<std::size_t>(term.operand));
      x.back() = values[static_cast<std::size_t>(node.inputs.at(input))].at(term.index);
    }
    EXPECT_NEAR(y.at(j), joint.function->value(x), joint.function->deployed_error(x, x, kUnitRoundoff32));
  }
}

// Checks each output of each node of a network on one input.
void check_lowering(const Network& network, const Tensor& input) {
  const std::vector<Tensor> values = evaluate_network(network, input);
  for (const Node& node : network.nodes()) {
    SCOPED_TRACE(print(network, node));
    for (std::size_t output = 0; output < node.outputs.size(); ++output) {
      const Tensor& y = values[static_cast<std::size_t>(node.outputs[output])];
      const Facet facet = operator_table().at(node).lower(NodeView(network, node, output));
      if (const auto* elementwise = std::get_if<Elementwise>(&facet)) {
        check_elementwise(*elementwise, node, values, y);
      } else if (const auto* movement = std::get_if<DataMovement>(&facet)) {
        for (const AffineTerm& term : movement->terms) {
          ASSERT_TRUE(term.map->index() != nullptr && term.map->index()->factor == 1);
        }
        check_affine(Affine{.terms = movement->terms}, node, values, y);
      } else if (const auto* joint = std::get_if<Joint>(&facet)) {
        check_joint(*joint, node, values, y);
      } else {
        check_affine(std::get<Affine>(facet), node, values, y);
      }
    }
  }
}

TEST(Operators, LoweringAgreesWithEvaluationOnSamples) {
  for (const Operator& op : operator_table().all()) {
    if (op.sample == nullptr) continue;
    for (std::uint64_t seed = 0; seed < 400; ++seed) {
      SCOPED_TRACE(std::string(op.name) + " seed " + std::to_string(seed));
      Random random(seed);
      const Network network = op.sample(random);
      verify_network(network);
      EXPECT_LE(network.size_of(network.input()), 24);
      for (int i = 0; i < 3; ++i) check_lowering(network, random_input(network.value(network.input()).type, random));
      if (testing::Test::HasFailure()) return;
    }
  }
}

TEST(Operators, SamplesContainTheirOperator) {
  for (const Operator& op : operator_table().all()) {
    if (op.sample == nullptr) continue;
    Random random(1);
    const Network network = op.sample(random);
    EXPECT_TRUE(std::any_of(network.nodes().begin(), network.nodes().end(), [&](const Node& n) {
      return n.op == op.name;
    })) << op.name;
  }
}

TEST(Operators, TableFindsByName) {
  EXPECT_NE(operator_table().find("Gemm"), nullptr);
  EXPECT_EQ(operator_table().find("gemm"), nullptr);
  EXPECT_EQ(operator_table().find("Zzz"), nullptr);
}

TEST(Operators, AppendNodeNamesNodeAndOperator) {
  EXPECT_EQ(error_of([] { OneNode("Frobnicate", {counting({2})}); }),
            "unsupported: node 'node' (Frobnicate): the operator is not supported");
  EXPECT_EQ(error_of([] {
              OneNode("Relu", {counting({2})}, {{"slope", 1.0}});
            }),
            "unsupported: node 'node' (Relu): attribute 'slope' is not supported");
  EXPECT_EQ(error_of([] { OneNode("Add", {counting({2})}); }), "node 'node' (Add): 1 inputs, expected 2");
  EXPECT_EQ(error_of([] {
              OneNode("Flatten", {counting({2})}, {{"axis", 1.0}});
            }),
            "node 'node' (Flatten): attribute 'axis' must be an integer");
  EXPECT_THAT(error_of([] { OneNode("Relu", {ints({1})}); }), HasSubstr("input 0 is int64[1]"));
  EXPECT_THAT(error_of([] {
                OneNode("Add", {counting({1}), doubles({1}, {1})});
              }),
              HasSubstr("but input 0 is float32"));
  // 2^40 elements from two short vectors.
  EXPECT_THAT(error_of([] {
                OneNode("Add", {counting({1 << 20, 1}), counting({1, 1 << 20})});
              }),
              HasSubstr("too large"));
}

TEST(Operators, AddBroadcastsBothWays) {
  const Tensor y = OneNode("Add", {floats({2, 1}, {1, 2}), floats({3}, {10, 20, 30})}).value();
  EXPECT_EQ(y.shape(), (Shape{2, 3}));
  EXPECT_THAT(y.to_doubles(), ElementsAre(11, 21, 31, 12, 22, 32));
  EXPECT_THAT(error_of([] {
                OneNode("Add", {counting({2}), counting({3})});
              }),
              HasSubstr("[2] and [3] do not broadcast"));
}

TEST(Operators, SubOfAVariableNegatesIt) {
  const OneNode node("Sub", {floats({1}, {5}), floats({2}, {1, 2})}, {}, 1);
  EXPECT_THAT(node.value().to_doubles(), ElementsAre(4, 3));
  const Affine affine = std::get<Affine>(node.facet());
  EXPECT_EQ(affine.terms.at(0).map->index()->factor, -1);
  EXPECT_THAT(affine.bias, ElementsAre(5, 5));
  EXPECT_EQ(affine.deployed_roundings, 1);
}

TEST(Operators, AddOfOneVariableTwiceHasTwoTerms) {
  Network network;
  const ValueId x = network.add_input("x", {DType::Float32, {2}});
  append_node(network, operator_table(), "Add", "double", {x, x}, {"y"});
  const Affine affine = std::get<Affine>(operator_table().find("Add")->lower(NodeView(network, network.node(0))));
  EXPECT_EQ(affine.terms.size(), 2U);
}

TEST(Operators, GemmScalesAndTransposes) {
  const OneNode node("Gemm", {floats({2, 1}, {1, 2}), floats({3, 2}, {1, 2, 3, 4, 5, 6}), floats({3}, {10, 20, 30})},
                     {{"transA", std::int64_t{1}}, {"transB", std::int64_t{1}}, {"alpha", 0.5}, {"beta", 2.0}});
  EXPECT_THAT(node.value().to_doubles(), ElementsAre(22.5, 45.5, 68.5));
  const Affine affine = std::get<Affine>(node.facet());
  EXPECT_THAT(affine.terms.at(0).map->dense()->weights, ElementsAre(0.5, 1, 1.5, 2, 2.5, 3));
  EXPECT_THAT(affine.bias, ElementsAre(20, 40, 60));
  EXPECT_EQ(affine.deployed_roundings, 5);
}

TEST(Operators, GemmRefusesWhatDoesNotFit) {
  EXPECT_THAT(error_of([] { OneNode("Gemm", {counting({1, 2}), counting({3, 2})}); }), HasSubstr("do not fit"));
  EXPECT_THAT(error_of([] { OneNode("Gemm", {counting({2}), counting({2, 2})}); }), HasSubstr("must be matrices"));
  EXPECT_THAT(error_of([] {
                OneNode("Gemm", {counting({1, 2}), counting({2, 2}), counting({3})});
              }),
              HasSubstr("C [3] does not broadcast to [1, 2]"));
}

TEST(Operators, GemmKeepsAlphaOfFloat32Exact) {
  const double alpha = static_cast<double>(0.1F), weight = static_cast<double>(0.3F);
  const OneNode node("Gemm", {floats({1, 1}, {1}), floats({1, 1}, {0.3F})}, {{"alpha", alpha}});
  const std::vector<double> weights = std::get<Affine>(node.facet()).terms.at(0).map->dense()->weights;
  EXPECT_EQ(weights.at(0), alpha * weight);
  EXPECT_EQ(std::fma(alpha, weight, -weights.at(0)), 0);
}

TEST(Operators, GemmRefusesInexactAlphaOfFloat64) {
  const OneNode inexact("Gemm", {doubles({1, 1}, {1}), doubles({1, 1}, {0.3})}, {{"alpha", 0.1}});
  EXPECT_THAT(error_of([&] { inexact.facet(); }), HasSubstr("alpha = 0.1 does not scale"));
  const OneNode exact("Gemm", {doubles({1, 1}, {1}), doubles({1, 1}, {0.3})}, {{"alpha", 0.25}});
  EXPECT_EQ(std::get<Affine>(exact.facet()).terms.at(0).map->dense()->weights.at(0), 0.3 * 0.25);
}

TEST(Operators, ProductsOfVariablesAreRefusedByName) {
  for (const char* op : {"Gemm", "MatMul"}) {
    Network network;
    const ValueId x = network.add_input("x", {DType::Float32, {2, 2}});
    append_node(network, operator_table(), op, "square", {x, x}, {"y"});
    EXPECT_THAT(error_of([&] { operator_table().find(op)->lower(NodeView(network, network.node(0))); }),
                HasSubstr("node 'square' (" + std::string(op) + "): the product of two variables"));
  }
}

TEST(Operators, MatMulFollowsNumpy) {
  const auto shape = [](Shape a, Shape b) { return OneNode("MatMul", {counting(a), counting(b)}).value().shape(); };
  EXPECT_EQ(shape({3}, {3}), (Shape{}));
  EXPECT_EQ(shape({3}, {3, 2}), (Shape{2}));
  EXPECT_EQ(shape({2, 3}, {3}), (Shape{2}));
  EXPECT_EQ(shape({5, 1, 2, 3}, {4, 3, 2}), (Shape{5, 4, 2, 2}));
  EXPECT_EQ(shape({3}, {4, 3, 2}), (Shape{4, 2}));
  EXPECT_THAT(OneNode("MatMul", {counting({2, 1, 2}), counting({2, 2})}).value().to_doubles(),
              ElementsAre(2, 3, 6, 11));
  EXPECT_THAT(error_of([] { OneNode("MatMul", {counting({2, 3}), counting({2, 3})}); }), HasSubstr("do not fit"));
  EXPECT_THAT(error_of([] { OneNode("MatMul", {counting({}), counting({1})}); }), HasSubstr("scalar"));
}

TEST(Operators, MatMulBatchesOfConstants) {
  const OneNode node("MatMul", {floats({2, 1, 2}, {1, 2, 3, 4}), floats({2, 2, 1}, {1, 10, 100, 1000})});
  EXPECT_THAT(node.value().to_doubles(), ElementsAre(21, 4300));
  const Affine affine = std::get<Affine>(node.facet());
  const SparseMap* map = affine.terms.at(0).map->sparse();
  ASSERT_NE(map, nullptr);
  EXPECT_THAT(map->columns, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(map->weights, ElementsAre(1, 10, 100, 1000));
  const OneNode large("MatMul", {counting({2, 300, 600}), counting({2, 600, 300})});
  EXPECT_THAT(error_of([&] { large.facet(); }), HasSubstr("a sparse matrix of 108000000 weights"));
}

TEST(Operators, FlattenAxis) {
  const auto shape = [](std::int64_t axis) {
    return OneNode("Flatten", {counting({2, 3, 4})}, {{"axis", axis}}).value().shape();
  };
  EXPECT_EQ(shape(0), (Shape{1, 24}));
  EXPECT_EQ(shape(2), (Shape{6, 4}));
  EXPECT_EQ(shape(3), (Shape{24, 1}));
  EXPECT_EQ(shape(-1), (Shape{6, 4}));
  EXPECT_EQ(OneNode("Flatten", {counting({2, 3, 4})}).value().shape(), (Shape{2, 12}));
  EXPECT_THAT(error_of([&] { shape(4); }), HasSubstr("axis 4 is out of range for rank 3"));
}

TEST(Operators, ReshapeZeroAndMinusOne) {
  const auto shape = [](Ints target, std::int64_t allowzero = 0) {
    return OneNode("Reshape", {counting({2, 3, 4}), ints(std::move(target))}, {{"allowzero", allowzero}})
        .value()
        .shape();
  };
  EXPECT_EQ(shape({4, 2, 3}), (Shape{4, 2, 3}));
  EXPECT_EQ(shape({2, -1, 2}), (Shape{2, 6, 2}));
  EXPECT_EQ(shape({0, -1}), (Shape{2, 12}));
  EXPECT_EQ(shape({2, 0, 4, 1}), (Shape{2, 3, 4, 1}));
  EXPECT_THAT(error_of([&] { shape({-1, -1}); }), HasSubstr("more than one -1"));
  EXPECT_THAT(error_of([&] { shape({5, -1}); }), HasSubstr("does not reshape"));
  EXPECT_THAT(error_of([&] { shape({24, 1, 1, 0}); }), HasSubstr("copies dimension 3"));
  EXPECT_THAT(error_of([&] { shape({-2, 12}); }), HasSubstr("negative"));
  EXPECT_THAT(error_of([&] { shape({0, -1}, 1); }), HasSubstr("allowzero"));
  EXPECT_THAT(error_of([&] { shape({0, 24}, 1); }), HasSubstr("does not reshape"));
  EXPECT_THAT(error_of([] {
                OneNode("Reshape", {counting({2}), counting({1})});
              }),
              HasSubstr("expected an int64 vector"));
  EXPECT_THAT(error_of([] { OneNode("Reshape", {counting({2}), ints({2})}, {}, 1); }), HasSubstr("must be a constant"));
}

TEST(Operators, TransposePermutes) {
  const Tensor y = OneNode("Transpose", {counting({2, 3})}).value();
  EXPECT_EQ(y.shape(), (Shape{3, 2}));
  EXPECT_THAT(y.to_doubles(), ElementsAre(0, 3, 1, 4, 2, 5));
  EXPECT_EQ(OneNode("Transpose", {counting({2, 3, 4})}, {{"perm", Ints{1, 2, 0}}}).value().shape(), (Shape{3, 4, 2}));
  EXPECT_THAT(error_of([] {
                OneNode("Transpose", {counting({2, 3})}, {{"perm", Ints{0, 0}}});
              }),
              HasSubstr("no permutation"));
  // A transposition that moves only ones keeps the order.
  const OneNode trivial("Transpose", {counting({1, 3, 1})});
  EXPECT_TRUE(std::get<DataMovement>(trivial.facet()).terms.at(0).map->is_identity());
}

Tensor slice(const Shape& shape, Ints starts, Ints ends, std::optional<Ints> axes = {},
             std::optional<Ints> steps = {}) {
  std::vector<Tensor> operands{counting(shape), ints(std::move(starts)), ints(std::move(ends))};
  if (axes) operands.push_back(ints(*axes));
  if (steps) operands.push_back(ints(*steps));
  return OneNode("Slice", std::move(operands)).value();
}

TEST(Operators, SliceClampsAndCountsFromTheEnd) {
  constexpr std::int64_t max = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t min = std::numeric_limits<std::int64_t>::min();
  EXPECT_THAT(slice({5}, {1}, {3}).to_doubles(), ElementsAre(1, 2));
  EXPECT_THAT(slice({5}, {-2}, {max}).to_doubles(), ElementsAre(3, 4));
  EXPECT_THAT(slice({5}, {-100}, {2}).to_doubles(), ElementsAre(0, 1));
  EXPECT_THAT(slice({5}, {0}, {-1}, Ints{0}, Ints{2}).to_doubles(), ElementsAre(0, 2));
  EXPECT_THAT(slice({5}, {-1}, {min}, Ints{0}, Ints{-1}).to_doubles(), ElementsAre(4, 3, 2, 1, 0));
  EXPECT_THAT(slice({5}, {max}, {-100}, Ints{-1}, Ints{-2}).to_doubles(), ElementsAre(4, 2, 0));
  EXPECT_THAT(slice({5}, {3}, {0}, Ints{0}, Ints{-1}).to_doubles(), ElementsAre(3, 2, 1));
  EXPECT_THAT(slice({5}, {4}, {min}, Ints{0}, Ints{min}).to_doubles(), ElementsAre(4));
  EXPECT_THAT(slice({5}, {1}, {max}, Ints{0}, Ints{max}).to_doubles(), ElementsAre(1));
  EXPECT_EQ(slice({2, 3, 4}, {1, 0}, {2, 2}, Ints{-1, 0}).shape(), (Shape{2, 3, 1}));
  EXPECT_THAT(slice({2, 3}, {1, 1}, {2, 3}).to_doubles(), ElementsAre(4, 5));
}

TEST(Operators, SliceRefusesNonsense) {
  EXPECT_THAT(error_of([] { slice({5}, {0}, {1}, Ints{0}, Ints{0}); }), HasSubstr("a step is 0"));
  EXPECT_THAT(error_of([] { slice({5}, {0, 0}, {1, 1}, Ints{0, -1}); }), HasSubstr("axis 0 is sliced twice"));
  EXPECT_THAT(error_of([] { slice({5}, {0}, {1}, Ints{1}); }), HasSubstr("axis 1 is out of range"));
  EXPECT_THAT(error_of([] { slice({5}, {0}, {1, 2}); }), HasSubstr("equal numbers are expected"));
  EXPECT_THAT(error_of([] { slice({5}, {3}, {3}); }), HasSubstr("has no elements"));
}

TEST(Operators, ConcatMixesVariablesAndConstants) {
  const OneNode node("Concat", {floats({2, 1}, {1, 2}), floats({2, 2}, {10, 20, 30, 40})},
                     {{"axis", std::int64_t{-1}}});
  EXPECT_THAT(node.value().to_doubles(), ElementsAre(1, 10, 20, 2, 30, 40));
  const Affine affine = std::get<Affine>(node.facet());
  EXPECT_THAT(affine.bias, ElementsAre(0, 10, 20, 0, 30, 40));
  EXPECT_EQ(affine.deployed_roundings, 0);
  EXPECT_THAT(affine.terms.at(0).map->index()->source, ElementsAre(0, -1, -1, 1, -1, -1));
  EXPECT_THAT(error_of([] {
                OneNode("Concat", {counting({2, 1}), counting({3, 1})}, {{"axis", std::int64_t{1}}});
              }),
              HasSubstr("does not fit"));
  EXPECT_THAT(error_of([] { OneNode("Concat", {counting({2})}); }), HasSubstr("'axis' is required"));
}

TEST(Operators, DropoutIsInferenceOnly) {
  const Tensor ratio = floats({}, {0.5F});
  EXPECT_THAT(OneNode("Dropout", {counting({2}), ratio, Tensor({}, std::vector<bool>{false})}).value().to_doubles(),
              ElementsAre(0, 1));
  EXPECT_THAT(error_of([&] {
                OneNode("Dropout", {counting({2}), ratio, Tensor({}, std::vector<bool>{true})});
              }),
              HasSubstr("training mode"));
}

TEST(Operators, ConstantReadsEveryForm) {
  const auto value = [](std::string name, Attribute attribute) {
    Node node{"Constant", "c", {}, {}, {{std::move(name), std::move(attribute)}}};
    const Network network;
    infer_node(network, operator_table(), node);
    return fold_node(network, operator_table(), node)->at(0);
  };
  EXPECT_EQ(value("value_int", std::int64_t{3}).type(), (TensorType{DType::Int64, {}}));
  EXPECT_EQ(value("value_float", 0.5).type(), (TensorType{DType::Float32, {}}));
  EXPECT_THAT(value("value_ints", Ints{3, 4}).int64s(), ElementsAre(3, 4));
  EXPECT_THAT(value("value_floats", std::vector<double>{0.5, 1}).to_doubles(), ElementsAre(0.5, 1));
  EXPECT_EQ(value("value", counting({2, 2})).type(), counting({2, 2}).type());
  EXPECT_THROW(value("value", std::int64_t{3}), InputError);
  EXPECT_THROW(value("value_string", std::string("a")), UnsupportedError);
}

// Folds a node of constants only.
std::optional<Tensor> folded(std::string op, const std::vector<Tensor>& operands, Attributes attributes = {}) {
  Network network;
  Node node{std::move(op), "node", {}, {}, std::move(attributes)};
  for (const Tensor& operand : operands) node.inputs.push_back(network.add_constant("c", operand));
  infer_node(network, operator_table(), node);
  auto outputs = fold_node(network, operator_table(), node);
  if (!outputs) return std::nullopt;
  return outputs->at(0);
}

TEST(Operators, FoldingIsExactOrRefused) {
  EXPECT_THAT(folded("Add", {floats({2}, {1, 2}), floats({1}, {0.5F})})->to_doubles(), ElementsAre(1.5, 2.5));
  EXPECT_THAT(folded("Sub", {floats({1}, {1}), floats({1}, {1})})->to_doubles(), ElementsAre(0));
  EXPECT_FALSE(folded("Add", {floats({1}, {1}), floats({1}, {0x1p-30F})}));
  EXPECT_FALSE(folded("Add", {doubles({1}, {1}), doubles({1}, {0x1p-60})}));
  EXPECT_TRUE(folded("Add", {doubles({1}, {1}), doubles({1}, {0x1p-30})}));
  EXPECT_THAT(folded("MatMul", {floats({2}, {1, 2}), floats({2}, {3, 4})})->to_doubles(), ElementsAre(11));
  EXPECT_FALSE(folded("MatMul", {floats({1}, {0.1F}), floats({1}, {0.1F})}));
  EXPECT_THAT(folded("Gemm", {floats({1, 1}, {2}), floats({1, 1}, {3}), floats({1}, {1})})->to_doubles(),
              ElementsAre(7));
  EXPECT_FALSE(folded("Gemm", {floats({1, 1}, {2}), floats({1, 1}, {3})}, {{"alpha", 0.3}}));
  EXPECT_THAT(folded("Relu", {floats({2}, {-0.1F, 0.5F})})->to_doubles(), ElementsAre(0, 0.5));
  EXPECT_THAT(folded("Concat", {ints({1}), ints({2, 3})}, {{"axis", std::int64_t{0}}})->int64s(), ElementsAre(1, 2, 3));
  EXPECT_EQ(folded("Slice", {ints({1, 2}), ints({0}), ints({0})})->size(), 0);
}

// In ascending order this sum is exact, in another one it is not: an execution may take that one.
TEST(Operators, FoldingAsksForEveryOrder) {
  EXPECT_FALSE(folded("MatMul", {floats({3}, {1, 1, 1}), floats({3}, {0x1p25F, -0x1p25F, 1})}));
  EXPECT_TRUE(folded("MatMul", {floats({3}, {1, 1, 1}), floats({3}, {0x1p20F, -0x1p20F, 1})}));
}

}  // namespace
}  // namespace boundflow
