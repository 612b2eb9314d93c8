// Every elementwise function: images and lines are sound at sampled points, lines enclose the least area, NaN and
// infinities fail closed, executions stay within the stated error. One list of cases, below.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "base/rounding.hpp"
#include "support/one_node.hpp"
#include "support/relaxation_checks.hpp"

namespace boundflow {
namespace {

struct Case {
  const char* name;
  OneNode node;
  ExactFunction exact;
};

Rational smaller(const Rational& a, const Rational& b) {
  return a < b ? a : b;
}

Case leaky_relu(const char* name, double alpha) {
  return {name, OneNode("LeakyRelu", {floats({1}, {0})}, {{"alpha", alpha}}),
          exact_function([alpha](const Rational& x) { return x < 0 ? Rational(Rational(alpha) * x) : x; })};
}

Case clip(const char* name, float lower, float upper) {
  return {name, OneNode("Clip", {floats({1}, {0}), floats({}, {lower}), floats({}, {upper})}),
          exact_function([lower, upper](const Rational& x) {
            return smaller(x < Rational(lower) ? Rational(lower) : x, Rational(upper));
          })};
}

OneNode square_node() {
  OneNode node("Relu", {floats({1}, {0})});
  Network network;
  const ValueId x = network.add_input("x", {DType::Float32, {1}});
  const NodeId id = append_node(network, operator_table(), "Mul", "node", {x, x}, {"y"});
  network.set_outputs(network.node(id).outputs);
  node.network = std::move(network);
  return node;
}

std::vector<Case> cases() {
  return {
      leaky_relu("leaky_relu", static_cast<double>(0.01F)),
      leaky_relu("leaky_relu_steep", 0.5),
      leaky_relu("leaky_relu_concave", 2.5),
      leaky_relu("leaky_relu_falling", static_cast<double>(-0.3F)),
      leaky_relu("leaky_relu_zero", 0),
      clip("clip", 0, 6),
      clip("clip_decimal", -0.7F, 0.3F),
      clip("clip_point", 0.3F, 0.3F),
      {"max_with_constant", OneNode("Max", {floats({1}, {0}), floats({}, {0.3F})}),
       exact_function([](const Rational& x) { return x < Rational(0.3F) ? Rational(0.3F) : x; })},
      {"min_with_constant", OneNode("Min", {floats({1}, {0}), floats({}, {0.3F})}),
       exact_function([](const Rational& x) { return smaller(x, Rational(0.3F)); })},
      {"relu", OneNode("Relu", {floats({1}, {0})}),
       exact_function([](const Rational& x) { return x < 0 ? Rational(0) : x; })},
      {"abs", OneNode("Abs", {floats({1}, {0})}), exact_function([](const Rational& x) { return Rational(abs(x)); })},
      {"square", square_node(), exact_function([](const Rational& x) { return Rational(x * x); })},
      {"power", OneNode("Pow", {floats({1}, {0}), floats({}, {2})}),
       exact_function([](const Rational& x) { return Rational(x * x); })},
      {"sigmoid", OneNode("Sigmoid", {floats({1}, {0})}),
       nearly_exact_function([](long double x) { return 1 / (1 + expl(-x)); })},
      {"tanh", OneNode("Tanh", {floats({1}, {0})}), nearly_exact_function([](long double x) { return tanhl(x); })}};
}

void PrintTo(const Case& c, std::ostream* stream) {
  *stream << c.name;
}

class ScalarFunctions : public testing::TestWithParam<Case> {
 protected:
  std::shared_ptr<const ScalarFunction> function_ = std::get<Elementwise>(GetParam().node.facet()).function;
};

TEST_P(ScalarFunctions, AreSoundOnRandomIntervals) {
  for (const Interval& in : random_intervals(1500)) {
    expect_sound(*function_, GetParam().exact, in);
    expect_sound_choices(*function_, GetParam().exact, in);
    if (HasFailure()) return;
  }
}

TEST_P(ScalarFunctions, AreSoundOnSpecialIntervals) {
  for (const Interval& in : special_intervals()) {
    expect_sound(*function_, GetParam().exact, in);
    expect_sound_choices(*function_, GetParam().exact, in);
    if (HasFailure()) return;
  }
}

TEST_P(ScalarFunctions, LinesEncloseTheLeastArea) {
  for (const Interval& in : {Interval{-1, 2},
                             {-2, 1},
                             {-1, 1},
                             {-3, -1},
                             {0.5, 4},
                             {-6, 0.5},
                             {-0.5, 6},
                             {-8, 7.5},
                             {0, 1},
                             {-0.6, 0.1},
                             {0.1, 9},
                             {-1e-3, 2e-3}}) {
    expect_least_area(*function_, in, 1e-4 * (in.u - in.l) * (1 + std::max(-in.l, in.u)));
  }
}

// Whatever the image is cut to, no point that maps into it is lost; NaN cuts nothing.
TEST_P(ScalarFunctions, NarrowingKeepsThePreimage) {
  Random random(17);
  int narrowed = 0;
  for (const Interval& in : random_intervals(600)) {
    double image_l = 0, image_u = 0;
    function_->image(in.l, in.u, image_l, image_u);
    if (!std::isfinite(image_l) || !std::isfinite(image_u)) continue;
    double low = random.uniform(1.2 * image_l - 0.2 * image_u, image_u), high = random.uniform(low, image_u);
    // Sometimes a value that is attained, kinks among them.
    if (random.coin()) low = function_->value(random.uniform(in.l, in.u));
    if (random.integer(0, 3) == 0) low = function_->value(0);
    if (random.integer(0, 3) == 0) high = low;
    if (random.integer(0, 7) == 0) low = -kInfinity;
    double l = in.l, u = in.u;
    function_->narrow(low, high, l, u);
    narrowed += l > in.l || u < in.u ? 1 : 0;
    for (int k = 0; k < 30; ++k) {
      const double x = k == 0   ? in.l
                       : k == 1 ? in.u
                       : k == 2 ? std::clamp(0.0, in.l, in.u)
                                : random.uniform(in.l, in.u);
      const Rational y = GetParam().exact(x).lower;
      if (y < Rational(std::max(low, -1e300)) || GetParam().exact(x).upper > Rational(high)) continue;
      ASSERT_TRUE(l <= x && x <= u) << x << " of [" << in.l << ", " << in.u << "] maps into [" << low << ", " << high
                                    << "], but [" << l << ", " << u << "] is left";
    }
    double same_l = in.l, same_u = in.u;
    function_->narrow(std::nan(""), std::nan(""), same_l, same_u);
    EXPECT_EQ(same_l, in.l);
    EXPECT_EQ(same_u, in.u);
  }
  const std::set<std::string_view> do_not_say = {"square", "power", "sigmoid", "tanh", "clip_point"};
  if (do_not_say.count(GetParam().name) == 0) EXPECT_GT(narrowed, 30);
}

TEST_P(ScalarFunctions, FailClosed) {
  expect_fails_closed(*function_);
}

TEST_P(ScalarFunctions, DerivativeIsThatOfTheValue) {
  for (const double x : {-3.1, -1.2, -0.05, 0.07, 0.9, 2.3}) {
    const double h = 1e-6;
    EXPECT_NEAR(function_->derivative(x), (function_->value(x + h) - function_->value(x - h)) / (2 * h), 1e-8) << x;
  }
}

// A line needs no relaxation, and only that.
TEST_P(ScalarFunctions, StableIntervalsHaveNoArea) {
  for (const Interval& in : random_intervals(300)) {
    if (!function_->is_stable(in.l, in.u) || std::max(-in.l, in.u) > 1e150) continue;
    const Relaxation lines = function_->relax(in.l, in.u, false);
    for (const double x : {in.l, in.u}) {
      const Rational gap =
          line_at(lines.upper_slope, lines.upper_intercept, x) - line_at(lines.lower_slope, lines.lower_intercept, x);
      const double scale = 1 + std::abs(function_->value(x)) + std::abs(lines.lower_slope * x);
      EXPECT_TRUE(!std::isfinite(scale) || gap <= Rational(1e-14 * scale)) << in.l << " " << in.u;
    }
  }
}

TEST_P(ScalarFunctions, ExecutionsStayWithinTheStatedError) {
  Random random(5);
  for (int i = 0; i < 2000; ++i) {
    const auto x = static_cast<float>(std::ldexp(random.uniform(-1, 1), static_cast<int>(random.integer(-30, 8))));
    const double y = evaluate_network(GetParam().node.network, floats({1}, {x})).back().at(0);
    const ExactValue exact = GetParam().exact(static_cast<double>(x));
    const Rational error(function_->deployed_error(static_cast<double>(x), static_cast<double>(x), kUnitRoundoff32));
    EXPECT_LE(abs(Rational(y) - exact.lower), error) << x;
  }
}

INSTANTIATE_TEST_SUITE_P(All, ScalarFunctions, testing::ValuesIn(cases()),
                         [](const testing::TestParamInfo<Case>& info) { return std::string(info.param.name); });

// Hand-worked lines.

Relaxation lines_of(const OneNode& node, double l, double u) {
  return std::get<Elementwise>(node.facet()).function->relax(l, u, true);
}

TEST(LeakyRelu, LinesAreThoseOfCrown) {
  const OneNode node("LeakyRelu", {floats({1}, {0})}, {{"alpha", 0.25}});
  const Relaxation right = lines_of(node, -1, 3);
  EXPECT_EQ(right.lower_slope, 1);
  EXPECT_EQ(right.lower_intercept, 0);
  EXPECT_EQ(right.upper_slope, 0.8125);  // (3 + 0.25) / 4
  EXPECT_NEAR(right.upper_intercept, 0.5625, 1e-15);
  EXPECT_EQ(lines_of(node, -3, 1).lower_slope, 0.25);
  EXPECT_EQ(lines_of(node, -3, 1.8).lower_slope, 1);  // the chord's slope is 0.53
  EXPECT_EQ(lines_of(node, -3, -1).upper_slope, 0.25);
  EXPECT_EQ(lines_of(node, -3, -1).upper_intercept, 0);
}

TEST(LeakyRelu, AboveOneItIsConcave) {
  const Relaxation lines = lines_of(OneNode("LeakyRelu", {floats({1}, {0})}, {{"alpha", 2.0}}), -1, 3);
  EXPECT_EQ(lines.lower_slope, 1.25);  // the chord from (-1, -2) to (3, 3)
  EXPECT_NEAR(lines.lower_intercept, -0.75, 1e-15);
  EXPECT_EQ(lines.upper_slope, 1);
  EXPECT_EQ(lines.upper_intercept, 0);
}

TEST(Abs, LowerLineFollowsTheLargerSide) {
  const OneNode node("Abs", {floats({1}, {0})});
  EXPECT_EQ(lines_of(node, -1, 3).lower_slope, 1);
  EXPECT_EQ(lines_of(node, -3, 1).lower_slope, -1);
  EXPECT_EQ(lines_of(node, -1, 3).upper_slope, 0.5);
  EXPECT_NEAR(lines_of(node, -1, 3).upper_intercept, 1.5, 1e-15);
}

TEST(Clip, TwoKinks) {
  const OneNode node("Clip", {floats({1}, {0}), floats({}, {0}), floats({}, {1})});
  const Relaxation wide = lines_of(node, -1, 4);
  EXPECT_EQ(wide.upper_slope, 0);  // from (1, 1) to (4, 1)
  EXPECT_EQ(wide.upper_intercept, 1);
  EXPECT_EQ(wide.lower_slope, 0.25);  // from (0, 0) to (4, 1)
  EXPECT_NEAR(wide.lower_intercept, 0, 1e-15);
  EXPECT_TRUE(std::get<Elementwise>(node.facet()).function->is_stable(0, 1));
  EXPECT_FALSE(std::get<Elementwise>(node.facet()).function->is_stable(0.5, 2));
  EXPECT_EQ(lines_of(node, 0, 1).lower_intercept, 0);
}

TEST(Clip, WithoutBoundsMovesData) {
  const OneNode node("Clip", {floats({2}, {-1, 2})});
  EXPECT_TRUE(std::get<DataMovement>(node.facet()).terms.at(0).map->is_identity());
}

TEST(Clip, RefusesWhatIsNoInterval) {
  EXPECT_NE(error_of([] {
              OneNode("Clip", {floats({1}, {0}), floats({}, {2}), floats({}, {1})});
            }).find("min 2 exceeds max 1"),
            std::string::npos);
  EXPECT_NE(error_of([] {
              OneNode("Clip", {floats({1}, {0}), floats({2}, {2, 1})});
            }).find("min (input 1) must be one number"),
            std::string::npos);
}

TEST(Sigmoid, TangentThroughTheFarEnd) {
  // On [-1, 2] the chord leaves the graph: the lower line touches at d < 0 and meets the graph at 2.
  const Relaxation lines = lines_of(OneNode("Sigmoid", {floats({1}, {0})}), -1, 2);
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  EXPECT_NEAR(lines.lower_slope * 2 + lines.lower_intercept, sigmoid(2), 1e-7);
  EXPECT_GT(lines.lower_slope * -1 + lines.lower_intercept, 0.2);
  // Convex on [-3, -1]: chord above, tangent at -2 below.
  const Relaxation convex = lines_of(OneNode("Sigmoid", {floats({1}, {0})}), -3, -1);
  EXPECT_NEAR(convex.lower_slope, sigmoid(-2) * (1 - sigmoid(-2)), 1e-8);
  EXPECT_NEAR(convex.upper_slope, (sigmoid(-1) - sigmoid(-3)) / 2, 1e-8);
}

TEST(Tanh, FarOutIntervalsKeepFlatLines) {
  const Relaxation lines = lines_of(OneNode("Tanh", {floats({1}, {0})}), -1e6, 0.5);
  EXPECT_GE(lines.lower_slope, 0);
  EXPECT_NEAR(lines.lower_intercept, -1, 1e-12);
}

TEST(SmoothFunctions, DeployedErrorIsEightUlp) {
  const auto function = std::get<Elementwise>(OneNode("Tanh", {floats({1}, {0})}).facet()).function;
  EXPECT_NEAR(function->deployed_error(-50, 50, kUnitRoundoff32), 0x1p-20 + 0x1p-22, 1e-20);
  EXPECT_NEAR(function->deployed_error(-50, 50, kUnitRoundoff64), 0x1p-49 + 0x1p-51, 1e-28);
}

TEST(LeakyRelu, DeployedErrorIsOneRounding) {
  const auto function =
      std::get<Elementwise>(OneNode("LeakyRelu", {floats({1}, {0})}, {{"alpha", 0.25}}).facet()).function;
  EXPECT_EQ(function->deployed_error(0, 50, kUnitRoundoff32), 0);
  EXPECT_NEAR(function->deployed_error(-8, 50, kUnitRoundoff32), 2 * 0x1p-24, 1e-20);
  EXPECT_EQ(function->deployed_error(-kLargest32 * 4, 0, kUnitRoundoff32), kInfinity);
}

}  // namespace
}  // namespace boundflow
