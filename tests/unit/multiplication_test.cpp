// Mul, Pow, Div and Neg: evaluation, folding, and which facet each use has.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/rounding.hpp"
#include "support/one_node.hpp"

namespace boundflow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const LinearMap& map_of(const Facet& facet) {
  return *std::get<Affine>(facet).terms.at(0).map;
}

std::optional<Tensor> folded(std::string op, const std::vector<Tensor>& operands) {
  const OneNode node(std::move(op), operands, {}, operands.size());
  auto outputs = fold_node(node.network, operator_table(), node.network.nodes()[0]);
  if (!outputs) return std::nullopt;
  return outputs->at(0);
}

TEST(Mul, ByAConstantScales) {
  for (const std::size_t variable : {0U, 1U}) {
    const OneNode node("Mul", {floats({2, 1}, {3, 5}), floats({3}, {10, 0, -0.5F})}, {}, variable);
    EXPECT_THAT(node.value().to_doubles(), ElementsAre(30, 0, -1.5, 50, 0, -2.5));
    const Facet facet = node.facet();
    const auto& affine = std::get<Affine>(facet);
    EXPECT_EQ(affine.terms.at(0).input, variable);
    ASSERT_NE(map_of(facet).scale(), nullptr);
    EXPECT_EQ(affine.deployed_products, 1);
    EXPECT_EQ(affine.deployed_roundings, 1);
    EXPECT_EQ(map_of(facet).weight_error(), 0);
    if (variable == 0) {
      EXPECT_THAT(map_of(facet).scale()->factors, ElementsAre(10, 0, -0.5, 10, 0, -0.5));
      EXPECT_THAT(map_of(facet).scale()->source, ElementsAre(0, 0, 0, 1, 1, 1));
    } else {
      EXPECT_THAT(map_of(facet).scale()->factors, ElementsAre(3, 3, 3, 5, 5, 5));
    }
  }
}

TEST(Mul, ByPowersOfTwoIsExact) {
  const Facet facet = OneNode("Mul", {floats({2}, {3, 5}), floats({2}, {0, -0.5F})}).facet();
  EXPECT_EQ(std::get<Affine>(facet).deployed_roundings, 0);
  EXPECT_EQ(std::get<Affine>(facet).deployed_products, 0);
}

TEST(Mul, OfOneVariableTwiceIsASquare) {
  Network network;
  const ValueId x = network.add_input("x", {DType::Float32, {2}});
  append_node(network, operator_table(), "Mul", "node", {x, x}, {"y"});
  const Facet facet = operator_table().find("Mul")->lower(NodeView(network, network.node(0)));
  const auto& square = *std::get<Elementwise>(facet).function;
  double l = 0, u = 0;
  square.image(-1, 3, l, u);
  EXPECT_EQ(l, 0);
  EXPECT_NEAR(u, 9, 1e-14);
  const Relaxation lines = square.relax(-1, 3, true);
  EXPECT_EQ(lines.lower_slope, 2);
  EXPECT_NEAR(lines.lower_intercept, -1, 1e-14);
  EXPECT_EQ(lines.upper_slope, 2);
  EXPECT_NEAR(lines.upper_intercept, 3, 1e-14);
}

TEST(Mul, OfTwoVariablesIsJoint) {
  Network network;
  const ValueId x = network.add_input("x", {DType::Float32, {2, 1}});
  const NodeId t = append_node(network, operator_table(), "Transpose", "t", {x}, {"z"});
  append_node(network, operator_table(), "Mul", "node", {x, network.node(t).outputs[0]}, {"y"});
  const Facet facet = operator_table().find("Mul")->lower(NodeView(network, network.node(1)));
  const auto& joint = std::get<Joint>(facet);
  EXPECT_THAT(joint.inputs, ElementsAre(0, 1));
  EXPECT_THAT(joint.starts, ElementsAre(0, 2, 4, 6, 8));
  std::vector<std::int64_t> indices;
  for (const Joint::Term& term : joint.terms) indices.push_back(term.index);
  EXPECT_THAT(indices, ElementsAre(0, 0, 0, 1, 1, 0, 1, 1));
}

TEST(Mul, FoldsWhereItIsExact) {
  EXPECT_THAT(folded("Mul", {floats({2}, {0.5F, 3}), floats({}, {3})})->to_doubles(), ElementsAre(1.5, 9));
  EXPECT_FALSE(folded("Mul", {floats({1}, {0.1F}), floats({1}, {0.1F})}));
  EXPECT_THAT(folded("Mul", {ints({2, -3}), ints({7, 4})})->int64s(), ElementsAre(14, -12));
  EXPECT_FALSE(folded("Mul", {ints({std::int64_t{1} << 62}), ints({2})}));
  EXPECT_THAT(error_of([] {
                OneNode("Mul", {ints({1}), ints({1})});
              }),
              HasSubstr("int64 operands are supported if both"));
}

TEST(Pow, OfTwoIsASquare) {
  const OneNode node("Pow", {floats({3}, {-2, 0.5F, 3}), ints({2})});
  EXPECT_THAT(node.value().to_doubles(), ElementsAre(4, 0.25, 9));
  const OneNode square("Pow", {floats({1}, {0}), floats({}, {2})});
  const Facet facet = square.facet();
  double l = 0, u = 0;
  std::get<Elementwise>(facet).function->image(-1, 3, l, u);
  EXPECT_EQ(l, 0);
  EXPECT_NEAR(u, 9, 1e-14);
  // An execution may call a library's pow, which is off by more than a product: 2 ulp of 9 are allowed for.
  EXPECT_GE(std::get<Elementwise>(facet).function->deployed_error(-1, 3, 0x1p-24), 9 * 0x1p-22);
}

TEST(Pow, RefusesByName) {
  const auto refusal = [](const Shape& base, const Tensor& exponent, std::size_t variable = 0) {
    return error_of([&] { OneNode("Pow", {counting(base), exponent}, {}, variable); });
  };
  EXPECT_THAT(refusal({2}, floats({}, {3})), HasSubstr("node 'node' (Pow): the exponent 3 is not supported; 2 is"));
  EXPECT_THAT(refusal({2}, floats({}, {NAN})), HasSubstr("the exponent nan is not supported"));
  EXPECT_THAT(refusal({2}, floats({2}, {2, 1})), HasSubstr("the exponent 1 is not supported"));
  EXPECT_THAT(refusal({2}, floats({2}, {2, 2}), 1), HasSubstr("an exponent that is not a constant"));
  EXPECT_THAT(refusal({2}, floats({3, 1}, {2, 2, 2})), HasSubstr("an exponent that stretches the base"));
  EXPECT_THAT(refusal({2}, floats({0}, {})), HasSubstr("no elements"));
}

TEST(Pow, FoldsWhereItIsExact) {
  EXPECT_THAT(folded("Pow", {floats({1}, {3}), ints({2})})->to_doubles(), ElementsAre(9));
  EXPECT_FALSE(folded("Pow", {floats({1}, {0.1F}), ints({2})}));
}

TEST(Div, ByAConstantScalesByItsReciprocal) {
  const OneNode node("Div", {floats({2}, {3, 5}), floats({2}, {3, -4})});
  EXPECT_THAT(node.value().to_doubles(), ElementsAre(1, -1.25));
  const Facet facet = node.facet();
  EXPECT_THAT(map_of(facet).scale()->factors, ElementsAre(1.0 / 3, -0.25));
  EXPECT_EQ(map_of(facet).weight_error(), 0x1p-52);
  EXPECT_EQ(std::get<Affine>(facet).deployed_products, 2);
  EXPECT_EQ(std::get<Affine>(facet).deployed_roundings, 2);
}

TEST(Div, ByPowersOfTwoIsExact) {
  const Facet facet = OneNode("Div", {floats({2}, {3, 5}), floats({2}, {2, -0.25F})}).facet();
  EXPECT_THAT(map_of(facet).scale()->factors, ElementsAre(0.5, -4));
  EXPECT_EQ(map_of(facet).weight_error(), 0);
  EXPECT_EQ(std::get<Affine>(facet).deployed_roundings, 0);
}

TEST(Div, RefusesByName) {
  const auto error = [](std::vector<Tensor> operands, std::size_t variable) {
    const OneNode node("Div", std::move(operands), {}, variable);
    return error_of([&] { node.facet(); });
  };
  EXPECT_EQ(error({floats({1}, {1}), floats({2}, {1, 0})}, 0),
            "node 'node' (Div): division by a constant that is zero");
  EXPECT_THAT(error({floats({1}, {1}), floats({1}, {1})}, 1), HasSubstr("division by a variable is not supported"));
  EXPECT_THAT(error({floats({1}, {1}), floats({1}, {0x1p-140F})}, 0), HasSubstr("leaves the range of float32"));
  EXPECT_THAT(error({floats({1}, {1}), floats({1}, {3e38F})}, 0), HasSubstr("leaves the range of float32"));
  EXPECT_EQ(error({doubles({1}, {1}), doubles({1}, {3e38})}, 0), "no error");
}

TEST(Div, FoldsWhereItIsExact) {
  EXPECT_THAT(folded("Div", {floats({2}, {3, 5}), floats({}, {4})})->to_doubles(), ElementsAre(0.75, 1.25));
  EXPECT_FALSE(folded("Div", {floats({1}, {1}), floats({1}, {3})}));
  EXPECT_FALSE(folded("Div", {floats({1}, {1}), floats({1}, {0})}));
  EXPECT_THAT(folded("Div", {ints({7, -7}), ints({2, 2})})->int64s(), ElementsAre(3, -3));
  EXPECT_FALSE(folded("Div", {ints({7}), ints({0})}));
  EXPECT_FALSE(folded("Div", {ints({std::numeric_limits<std::int64_t>::min()}), ints({-1})}));
}

TEST(Neg, IsExact) {
  const OneNode node("Neg", {floats({2}, {3, -5})});
  EXPECT_THAT(node.value().to_doubles(), ElementsAre(-3, 5));
  const Facet facet = node.facet();
  EXPECT_EQ(map_of(facet).index()->factor, -1);
  EXPECT_EQ(std::get<Affine>(facet).deployed_roundings, 0);
}

}  // namespace
}  // namespace boundflow
