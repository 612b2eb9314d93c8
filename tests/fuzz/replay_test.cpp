// Everything that fuzzing has found wrong so far stays right: each file of the corpus is given to its target again.
// corpus/onnx and corpus/vnnlib hold the importers' input, corpus/graphs pairs of NAME.onnx and NAME.vnnlib, which all
// judges see.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "fuzz/graph_oracles.hpp"
#include "fuzz/mutators.hpp"
#include "fuzz/targets.hpp"
#include "support/bound_checks.hpp"
#include "support/exact_evaluation.hpp"
#include "support/onnx_model.hpp"

namespace boundflow {
namespace {

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

Bytes bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::vector<std::filesystem::path> files_of(const std::string& folder, const std::string& extension) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(BOUNDFLOW_SOURCE_DIR "/tests/fuzz/corpus/") + folder)) {
    if (entry.path().extension() == extension) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

class Importers : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(, Importers, testing::Values("onnx", "vnnlib"), [](const auto& info) { return info.param; });

TEST_P(Importers, HandleTheCorpus) {
  const std::vector<std::filesystem::path> files = files_of(GetParam(), "." + GetParam());
  ASSERT_FALSE(files.empty());
  for (const auto& file : files) {
    SCOPED_TRACE(file.filename());
    EXPECT_NO_THROW(fuzz_target(GetParam()).run(bytes_of(content(file))));
  }
}

TEST(GraphsAndProperties, OfTheCorpusAreJudgedRight) {
  const std::vector<std::filesystem::path> files = files_of("graphs", ".onnx");
  ASSERT_FALSE(files.empty());
  for (const auto& file : files) {
    SCOPED_TRACE(file.filename());
    const GraphCase pair{content(file), content(std::filesystem::path(file).replace_extension(".vnnlib"))};
    check_bounds(pair, Extent::All);
    check_executors(pair);
    check_verdict(pair);
  }
}

// What the fuzzers do, without coverage as a guide: they must not fail on their own generators.
TEST(GraphsAndProperties, OfFreshChoicesAreJudgedRight) {
  Random random(1);
  for (int i = 0; i < 200 / kSanitizerShare && !HasFailure(); ++i) {
    const std::string choices = fresh_choices(2000, random);
    SCOPED_TRACE("case " + std::to_string(i));
    for (const FuzzTarget& target : fuzz_targets()) {
      if (target.kind == InputKind::Choices) target.run(bytes_of(choices));
    }
  }
}

TEST(GraphCases, OfNoChoicesAreTheSimplest) {
  Random none{Bytes{}};
  const GraphCase files = make_graph_case(none);
  EXPECT_LT(files.onnx.size() + files.vnnlib.size(), 1000U);
}

TEST(ModelMutator, ChangesModelsThatStayModels) {
  const std::string before = gemm_relu_model().bytes();
  int changed = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    const auto after = mutate_model(before, random);
    onnx::ModelProto model;
    if (after && *after != before && model.ParseFromString(*after)) ++changed;
  }
  EXPECT_GT(changed, 100);
  Random random(0);
  EXPECT_FALSE(mutate_model("no model", random).has_value());
}

// y = relu(2 x - 1) + 3 x and the violation y <= 1.
TEST(ExactEvaluation, KnowsValuesAndViolations) {
  OnnxModel model;
  model.input("x", {1, 1});
  model.floats("w", {1, 1}, {2});
  model.floats("b", {1}, {-1});
  model.floats("v", {1, 1}, {3});
  model.node("Gemm", "g", {"x", "w", "b"}, {"h"});
  model.node("Relu", "r", {"h"}, {"p"});
  model.node("MatMul", "m", {"x", "v"}, {"q"});
  model.node("Add", "a", {"p", "q"}, {"y"});
  model.output("y", {1, 1});
  const Network network = model.import();
  const Rational x(1, 3);
  EXPECT_EQ(evaluate_exactly(network, {x}), std::vector<Rational>{1});
  EXPECT_EQ(evaluate_exactly(network, {Rational(1)}), std::vector<Rational>{4});

  Property property{.input_count = 1, .output_count = 1};
  const Atom atom{.outputs = {{0, 1}}, .constant = -1};
  property.regions.push_back({.box = {{Rational(0)}, {Rational(1)}}, .clauses = {{.atoms = {atom}}}});
  EXPECT_TRUE(holds(property, {x}, {Rational(1)}));
  EXPECT_FALSE(holds(property, {x}, {Rational(1001, 1000)}));
  EXPECT_FALSE(holds(property, {Rational(2)}, {Rational(1)}));  // outside the box
  property.regions[0].clauses[0].atoms[0].strict = true;
  EXPECT_FALSE(holds(property, {x}, {Rational(1)}));
}

}  // namespace
}  // namespace boundflow
