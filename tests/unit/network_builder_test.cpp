#include "boundflow/network_builder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "boundflow/boundflow.hpp"

namespace boundflow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<float> kWeights{1, 2, 3, 4, 5, 6};

template <class Call>
std::string error_of(ExitCode code, Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return {};
}

// relu(W x) with W [2, 3].
Model small_model() {
  NetworkBuilder builder("small");
  const auto x = builder.add_input("x", "float32", {1, 3});
  const auto w = builder.add_constant("w", {2, 3}, std::span<const float>(kWeights));
  const auto product = builder.add_node("Gemm", "product", {x, w}, {"p"}, {{"transB", std::int64_t{1}}});
  return builder.build(builder.add_node("Relu", "relu", product, {"y"}).front());
}

TEST(NetworkBuilder, BuildsAModel) {
  const Model model = small_model();
  EXPECT_EQ(model.name(), "small");
  EXPECT_THAT(model.evaluate({1, -1, 1}), ElementsAre(2, 5));
  const BoundsRequest request{.lower = {0, 0, 0}, .upper = {1, 1, 1}, .method = "ibp"};
  const BoundsResult result = bounds(model, request, {});
  EXPECT_THAT(result.lower, ElementsAre(testing::Le(0), testing::Le(0)));
  EXPECT_THAT(result.upper, ElementsAre(testing::Ge(6), testing::Ge(15)));
}

TEST(NetworkBuilder, KnowsTypesAndKeepsNamesApart) {
  NetworkBuilder builder("n");
  const auto x = builder.add_input("x", "float64", {2, 3});
  EXPECT_EQ(builder.type_of(x).dtype, "float64");
  const auto first = builder.add_node("Relu", "relu", {x}, {"a"});
  const auto second = builder.add_node("Transpose", "relu", first, {"b"});
  EXPECT_THAT(builder.type_of(second[0]).shape, ElementsAre(3, 2));
  const std::string text = builder.build(second[0]).text();
  EXPECT_THAT(text, HasSubstr("node \"relu\" : Relu"));
  EXPECT_THAT(text, HasSubstr("node \"relu#2\" : Transpose"));
}

TEST(NetworkBuilder, LeavesOutWhatTheOutputDoesNotNeed) {
  NetworkBuilder builder("n");
  const auto x = builder.add_input("x", "float32", {1, 3});
  builder.add_node("Tanh", "unread", {x}, {"a"});
  EXPECT_THAT(builder.build(builder.add_node("Relu", "relu", {x}, {"y"})[0]).text(), testing::Not(HasSubstr("Tanh")));
}

TEST(NetworkBuilder, RefusesWithTheNodesName) {
  NetworkBuilder builder("n");
  const auto x = builder.add_input("x", "float32", {1, 3});
  const auto w = builder.add_constant("w", {2, 3}, std::span<const float>(kWeights));
  EXPECT_THAT(error_of(ExitCode::Unsupported, [&] { builder.add_node("Erf", "erf (a.py:3)", {x}, {"y"}); }),
              HasSubstr("node 'erf (a.py:3)' (Erf)"));
  EXPECT_THAT(error_of(ExitCode::Unsupported, [&] { builder.add_node("FoldedGemm", "f", {x}, {"y"}); }),
              HasSubstr("not supported"));
  EXPECT_THAT(error_of(ExitCode::BadInput,
                       [&] {
                         builder.add_node("Gemm", "g", {x, w}, {"y"});
                       }),
              HasSubstr("do not fit"));
  EXPECT_THAT(error_of(ExitCode::Unsupported, [&] { builder.add_node("Relu", "c", {w}, {"y"}); }),
              HasSubstr("does not depend on the network's input"));
  EXPECT_THAT(error_of(ExitCode::Usage, [&] { builder.add_node("Relu", "r", {99}, {"y"}); }),
              HasSubstr("99 is no value"));
  EXPECT_THAT(error_of(ExitCode::Unsupported, [&] { builder.add_input("z", "float32", {1}); }),
              HasSubstr("has an input already"));
  EXPECT_THAT(error_of(ExitCode::Unsupported, [&] { builder.build(w); }), HasSubstr("does not depend on the input"));
}

TEST(NetworkBuilder, RefusesConstantsAndInputsThatAreNone) {
  NetworkBuilder builder("n");
  const std::vector<float> bad{1, std::numeric_limits<float>::quiet_NaN()};
  EXPECT_THAT(error_of(ExitCode::BadInput, [&] { builder.add_constant("c", {2}, std::span<const float>(bad)); }),
              HasSubstr("holds NaN"));
  EXPECT_THAT(error_of(ExitCode::BadInput, [&] { builder.add_constant("c", {3}, std::span<const float>(bad)); }),
              HasSubstr("2 elements do not fill [3]"));
  EXPECT_THAT(error_of(ExitCode::Unsupported, [&] { builder.add_input("x", "int64", {1}); }), HasSubstr("int64"));
  EXPECT_THAT(error_of(ExitCode::BadInput, [&] { builder.add_input("x", "float32", {1, 0}); }), HasSubstr("below 1"));
}

}  // namespace
}  // namespace boundflow
