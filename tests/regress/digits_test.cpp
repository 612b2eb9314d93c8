// The networks and properties that the project ships: the verdicts of its README, and what they claim at sampled
// points.
#include <gtest/gtest.h>

#include "base/random.hpp"
#include "base/rational.hpp"
#include "base/rounding.hpp"
#include "boundflow/boundflow.hpp"
#include "frontends/onnx/onnx.hpp"
#include "frontends/vnnlib/vnnlib.hpp"
#include "ops/operator.hpp"
#include "support/sanitized_time.hpp"

namespace boundflow {
namespace {

const std::string kFolder = std::string(BOUNDFLOW_SOURCE_DIR) + "/examples/digits/";

struct Example {
  std::string network;
  std::string prefix;  // of its properties' names
};

std::string name_of(const testing::TestParamInfo<Example>& info) {
  return info.param.network;
}

class Digits : public testing::TestWithParam<Example> {
 protected:
  std::string network_path() const { return kFolder + GetParam().network + ".onnx"; }
  std::string property_path(const std::string& name) const { return kFolder + GetParam().prefix + name; }
  Property property(const std::string& name) const { return read_vnnlib(property_path(name), 64, 10); }

  std::vector<double> execute(const std::vector<float>& x) const {
    const TensorType& type = network_.value(network_.input()).type;
    return evaluate_network(network_, Tensor(type.shape, x))[static_cast<std::size_t>(network_.output())].to_doubles();
  }

  // Whether the outputs of one execution violate a clause, decided in rationals.
  static bool violates(const Region& region, const std::vector<double>& y) {
    for (const Clause& clause : region.clauses) {
      EXPECT_TRUE(clause.choices.empty());
      bool all = true;
      for (const Atom& atom : clause.atoms) {
        EXPECT_TRUE(atom.inputs.empty());
        Rational sum = atom.constant;
        for (const LinearTerm& term : atom.outputs)
          sum += term.coefficient * Rational(y.at(static_cast<std::size_t>(term.index)));
        all = all && (atom.strict ? sum < 0 : sum <= 0);
      }
      if (all) return true;
    }
    return false;
  }

  Network network_ = read_onnx(network_path());
};

TEST_P(Digits, TheProvedPropertyIsProvedAndHoldsAtSampledPoints) {
  Options options;
  options.timeout = 30 * kSanitizedTime;
  EXPECT_EQ(verify(network_path(), property_path("proved.vnnlib"), options).verdict, "unsat");
  const Property proved = property("proved.vnnlib");
  ASSERT_EQ(proved.regions.size(), 1u);
  const Region& region = proved.regions[0];
  Random random(0);
  for (int sample = 0; sample < 1000; ++sample) {
    std::vector<float> x;
    for (std::size_t i = 0; i < 64; ++i) {
      const double l = to_double_up(region.box.lower[i]);
      const double u = to_double_down(region.box.upper[i]);
      const double inside = sample % 2 == 0 ? (random.coin() ? l : u) : random.uniform(l, u);
      x.push_back(static_cast<float>(inside));
    }
    EXPECT_FALSE(violates(region, execute(x)));
  }
}

TEST_P(Digits, TheCounterexampleLiesInTheBoxAndAnExecutionViolatesTheProperty) {
  Options options;
  options.timeout = 30 * kSanitizedTime;
  const VerifyResult result = verify(network_path(), property_path("violated.vnnlib"), options);
  ASSERT_EQ(result.verdict, "sat");
  const Property violated = property("violated.vnnlib");
  ASSERT_EQ(violated.regions.size(), 1u);
  const Region& region = violated.regions[0];
  ASSERT_EQ(result.counterexample.input.size(), 64u);
  std::vector<float> x;
  for (std::size_t i = 0; i < 64; ++i) {
    const Rational exact = parse_decimal(result.counterexample.input[i]).value();
    EXPECT_LE(region.box.lower[i], exact);
    EXPECT_LE(exact, region.box.upper[i]);
    x.push_back(to_float_nearest(exact));
  }
  const std::vector<double> y = execute(x);
  EXPECT_TRUE(violates(region, y));
  ASSERT_EQ(result.counterexample.output.size(), y.size());
  for (std::size_t j = 0; j < y.size(); ++j)
    EXPECT_EQ(parse_decimal(result.counterexample.output[j]).value(), Rational(y[j]));
}

INSTANTIATE_TEST_SUITE_P(Examples, Digits, testing::Values(Example{"digits_mlp", ""}, Example{"digits_cnn", "cnn_"}),
                         name_of);

}  // namespace
}  // namespace boundflow
