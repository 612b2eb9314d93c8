// Wrong verdicts of other tools that began at import: an operator passed through, a layout mixed up, a fault swallowed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/error.hpp"
#include "support/verify_case.hpp"

namespace boundflow {
namespace {

const std::string kProperty = declarations(1, 1) + input_bounds(0, "0", "1") + "(assert (>= Y_0 100))";

TEST(Import, AnUnknownOperatorIsRefusedByNodeAndName) {
  OnnxModel model;
  model.input("x", {1, 1});
  model.node("Wobble", "strange", {"x"}, {"y"});
  model.output("y", {1, 1});
  try {
    verify_case(model, kProperty);
    FAIL() << "a verdict in spite of an unknown operator";
  } catch (const UnsupportedError& error) {
    EXPECT_EQ(error.node(), "strange");
    EXPECT_EQ(error.op(), "Wobble");
  }
}

TEST(Import, AnOperatorOfAnotherDomainIsNotTakenForTheStandardOne) {
  OnnxModel model;
  model.input("x", {1, 1});
  model.node("Relu", "custom", {"x"}, {"y"})->set_domain("com.example");
  model.output("y", {1, 1});
  EXPECT_THROW(verify_case(model, kProperty), Error);
}

TEST(Import, AnAttributeThatChangesTheMeaningIsNotIgnored) {
  OnnxModel model = dense_model(1, {{{2}, {0}, false}});
  OnnxModel::float_attribute(model.graph()->mutable_node(0), "gamma", 2);
  EXPECT_THROW(verify_case(model, kProperty), Error);
}

// alpha, beta and transB are read: y = 3 * 2x + 0.5 * 8 = 6x + 4 on [0, 1].
TEST(Import, GemmAttributesCount) {
  OnnxModel model = dense_model(1, {{{2}, {8}, false}});
  OnnxModel::float_attribute(model.graph()->mutable_node(0), "alpha", 3);
  OnnxModel::float_attribute(model.graph()->mutable_node(0), "beta", 0.5F);
  const std::string box = declarations(1, 1) + input_bounds(0, "0", "1");
  EXPECT_EQ(verify_case(model, box + "(assert (>= Y_0 10.01))").verdict, "unsat");
  EXPECT_EQ(verify_case(model, box + "(assert (>= Y_0 9.99))").verdict, "sat");
  EXPECT_EQ(verify_case(model, box + "(assert (<= Y_0 3.99))").verdict, "unsat");
}

TEST(Import, AFaultyFileIsAnErrorNotAVerdict) {
  const std::string bytes = dense_model(1, {{{2}, {8}, true}}).bytes();
  const TempFolder folder;
  const std::string property = folder.write("p.vnnlib", kProperty);
  for (std::size_t length = 0; length < bytes.size(); length += 7) {
    EXPECT_THROW(verify(folder.write("cut.onnx", bytes.substr(0, length)), property, {}), Error) << length;
  }
  EXPECT_THROW(verify(folder.path("missing.onnx"), property, {}), InputError);
  EXPECT_THROW(verify(folder.write("net.onnx", bytes), folder.path("missing.vnnlib"), {}), InputError);
}

TEST(Import, TheNumberOfVariablesMustFit) {
  const OnnxModel model = dense_model(1, {{{2}, {8}, true}});
  EXPECT_THROW(verify_case(model, declarations(2, 1) + input_bounds(0, "0", "1") + input_bounds(1, "0", "1") +
                                      "(assert (>= Y_0 100))"),
               InputError);
  EXPECT_THROW(verify_case(model, declarations(1, 2) + input_bounds(0, "0", "1") + "(assert (>= Y_1 100))"),
               InputError);
}

// Pictures: input [1, 2, 2, 3] in height, width, channel order; the network transposes to channel, height, width and
// reads element `p` of that order. X_i counts in the order of the file's input.
OnnxModel picture_model(std::int64_t p, bool reshape) {
  OnnxModel model;
  model.input("x", {1, 2, 2, 3});
  OnnxModel::ints_attribute(model.node("Transpose", "to_chw", {"x"}, {"t"}), "perm", {0, 3, 1, 2});
  if (reshape) {
    model.ints("shape", {1, 12});
    model.node("Reshape", "flat", {"t", "shape"}, {"f"});
  } else {
    model.node("Flatten", "flat", {"t"}, {"f"});
  }
  std::vector<float> weights(12, 0.0F);
  weights[static_cast<std::size_t>(p)] = 1;
  model.floats("W", {12, 1}, weights);
  model.floats("b", {1}, {0});
  model.node("Gemm", "pick", {"f", "W", "b"}, {"y"});
  model.output("y", {1, 1});
  return model;
}

TEST(Import, PicturesKeepTheirChannelOrder) {
  for (std::int64_t p = 0; p < 12; ++p) {
    const std::int64_t channel = p / 4;
    const std::int64_t row = p % 4 / 2;
    const std::int64_t column = p % 2;
    const std::int64_t bright = (row * 2 + column) * 3 + channel;
    std::string only_bright = declarations(12, 1);
    std::string all_but_bright = declarations(12, 1);
    for (int i = 0; i < 12; ++i) {
      only_bright += input_bounds(i, "0", i == bright ? "1" : "0.1");
      all_but_bright += input_bounds(i, "0", i == bright ? "0.1" : "1");
    }
    SCOPED_TRACE(p);
    EXPECT_EQ(verify_case(picture_model(p, p % 2 == 0), only_bright + "(assert (>= Y_0 0.9))").verdict, "sat");
    EXPECT_EQ(verify_case(picture_model(p, p % 2 == 1), all_but_bright + "(assert (>= Y_0 0.9))").verdict, "unsat");
  }
}

}  // namespace
}  // namespace boundflow
