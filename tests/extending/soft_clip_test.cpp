// An operator in one file outside of src/ is read, compiled, bounded and verified like the built-in ones.
#include "extending/soft_clip.hpp"

#include <gmock/gmock.h>

#include "api/with_operators.hpp"
#include "support/one_node.hpp"
#include "support/random_network.hpp"
#include "support/soundness_trial.hpp"
#include "support/verify_case.hpp"

namespace boundflow {
namespace {

using testing::HasSubstr;

// y_0 = 2 s(x_0 + 2 x_1), y_1 = s(x_0 + 2 x_1) + s(x_0 - x_1) - 0.5, with s = SoftClip.
OnnxModel soft_clip_model() {
  OnnxModel model;
  model.input("x", {1, 2});
  model.floats("W0", {2, 2}, {1, 1, 2, -1});
  model.node("MatMul", "first", {"x", "W0"}, {"h"});
  model.node("SoftClip", "clip", {"h"}, {"s"});
  model.floats("W1", {2, 2}, {2, 1, 0, 1});
  model.floats("b1", {2}, {0, -0.5F});
  model.node("Gemm", "second", {"s", "W1", "b1"}, {"y"});
  model.output("y", {1, 2});
  return model;
}

// For x in [-1, 3] x [0, 2]: h_0 <= 7, so y_0 <= 2 (0.25 * 7 + 0.75) = 5, reached at (3, 2).
VerifyResult decide(const std::string& violation) {
  const TempFolder folder;
  const std::string network = folder.write("net.onnx", soft_clip_model().bytes());
  const std::string property = folder.write(
      "prop.vnnlib", declarations(2, 2) + input_bounds(0, "-1", "3") + input_bounds(1, "0", "2") + violation);
  Options options;
  options.timeout = 60;
  return verify(network, property, options, {}, table_with_soft_clip());
}

TEST(SoftClip, IsProvedAndViolated) {
  EXPECT_EQ(decide("(assert (>= Y_0 5.01))").verdict, "unsat");
  const VerifyResult violated = decide("(assert (>= Y_0 4.99))");
  ASSERT_EQ(violated.verdict, "sat") << violated.reason;
  EXPECT_GT(std::stod(violated.counterexample.input.at(0)), 2.9);
  // y_1 <= 3, reached at (3, 2) as well, where intervals only know that y_1 <= 2.5 + 1.5 - 0.5.
  EXPECT_EQ(decide("(assert (>= Y_1 3.05))").verdict, "unsat");
  EXPECT_EQ(decide("(assert (>= Y_1 2.95))").verdict, "sat");
}

TEST(SoftClip, BoundsHoldAtSamples) {
  const TempFolder folder;
  const std::string path = folder.write("net.onnx", soft_clip_model().bytes());
  BoundsRequest request;
  request.lower = {-1, 0};
  request.upper = {3, 2};
  const Network network = read_onnx(path, Deadline(), table_with_soft_clip());
  for (const char* method : {"ibp", "crown-ibp", "crown"}) {
    request.method = method;
    const BoundsResult result = bounds(path, request, {}, {}, table_with_soft_clip());
    ASSERT_EQ(result.rows, 2);
    Random random(1);
    for (int k = 0; k < 500; ++k) {
      const auto x = static_cast<float>(random.uniform(-1, 3));
      const Tensor point({1, 2}, std::vector<float>{x, static_cast<float>(random.uniform(0, 2))});
      const Tensor y =
          evaluate_network(network, point, table_with_soft_clip()).at(static_cast<std::size_t>(network.output()));
      for (std::size_t j = 0; j < 2; ++j) {
        EXPECT_LE(result.lower[j], y.at(static_cast<std::int64_t>(j))) << method;
        EXPECT_GE(result.upper[j], y.at(static_cast<std::int64_t>(j))) << method;
      }
    }
    EXPECT_GT(result.upper[0], 4.999);
  }
}

// The generated tests of the built-in operators, for this one: all domains, executors and semantics.
TEST(SoftClip, PassesTheGeneratedTests) {
  const OperatorTable& table = table_with_soft_clip();
  const Operator* op = table.find("SoftClip");
  ASSERT_NE(op, nullptr);
  Tally tally;
  for (int seed = 0; seed < 60 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(static_cast<std::uint64_t>(seed));
    const Network sample = op->sample(random);
    check_everything(make_trial(seed % 4 == 0 ? sample : surrounded(random, sample, table), random, table), random,
                     tally);
  }
  EXPECT_EQ(tally.finite, tally.rows);
}

TEST(SoftClip, IsUnknownToTheBuiltInTable) {
  EXPECT_EQ(operator_table().find("SoftClip"), nullptr);
  EXPECT_THAT(error_of([] { soft_clip_model().import(); }),
              HasSubstr("node 'clip' (SoftClip): the operator is not supported"));
}

TEST(SoftClip, ComesOnce) {
  EXPECT_THAT(error_of([] { table_with_soft_clip().with({soft_clip_operator()}); }), HasSubstr("names must ascend"));
}

}  // namespace
}  // namespace boundflow
