// Relu's image and relaxation: valid at every sampled point of every interval, tiny, huge and denormal ones included.
// Checked in exact rational arithmetic: points, lines and bounds are doubles.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/random.hpp"
#include "base/rational.hpp"
#include "ops/operator.hpp"
#include "ops/operator_list.hpp"

namespace boundflow {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

std::shared_ptr<const ScalarFunction> relu() {
  Random random(0);
  const Network network = relu_operator().sample(random);
  const Facet facet = relu_operator().lower(NodeView(network, network.nodes().back()));
  return std::get<Elementwise>(facet).function;
}

void expect_valid(double l, double u, bool float32_slopes) {
  const Relaxation lines = relu()->relax(l, u, float32_slopes);
  for (const double slope : {lines.lower_slope, lines.upper_slope}) {
    EXPECT_TRUE(slope >= 0 && slope <= 1) << slope;
    if (float32_slopes) {
      EXPECT_EQ(slope, static_cast<double>(static_cast<float>(slope)));
    }
  }
  const auto value = [](double slope, double intercept, double x) {
    return Rational(Rational(slope) * Rational(x) + Rational(intercept));
  };
  std::vector<double> points{l, u, 0, std::nextafter(l, kInf), std::nextafter(u, -kInf)};
  for (int i = 0; i <= 32; ++i) points.push_back(l + (u / 32 - l / 32) * i);
  for (const double x : points) {
    if (!(x >= l && x <= u)) continue;
    const Rational y(std::max(x, 0.0));
    EXPECT_LE(value(lines.lower_slope, lines.lower_intercept, x), y) << l << " " << u << " at " << x;
    EXPECT_GE(value(lines.upper_slope, lines.upper_intercept, x), y) << l << " " << u << " at " << x;
  }
}

TEST(Relu, RelaxationHoldsOnRandomIntervals) {
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    Random random(seed);
    const auto end = [&] {
      return std::ldexp(random.uniform(-1, 1),
                        static_cast<int>(random.coin() ? random.integer(-6, 6) : random.integer(-1080, 1023)));
    };
    const double a = end(), b = end();
    for (const bool float32_slopes : {false, true}) expect_valid(std::min(a, b), std::max(a, b), float32_slopes);
  }
}

TEST(Relu, RelaxationHoldsOnSpecialIntervals) {
  constexpr double tiny = std::numeric_limits<double>::denorm_min();
  constexpr double huge = std::numeric_limits<double>::max();
  for (const double l : {-huge, -1e300, -1.0, -0x1p-126, -0x1p-149, -0x1p-1022, -tiny, -0.0, 0.0}) {
    for (const double u : {0.0, tiny, 0x1p-1022, 0x1p-149, 0x1p-126, 1.0, 1e300, huge}) {
      for (const bool float32_slopes : {false, true}) expect_valid(l, u, float32_slopes);
    }
  }
}

TEST(Relu, StableIntervalsAreExact) {
  const Relaxation active = relu()->relax(0, 3, true);
  EXPECT_EQ(active.lower_slope, 1);
  EXPECT_EQ(active.upper_slope, 1);
  EXPECT_EQ(active.upper_intercept, 0);
  const Relaxation inactive = relu()->relax(-3, 0, true);
  EXPECT_EQ(inactive.upper_slope, 0);
  EXPECT_EQ(inactive.upper_intercept, 0);
  EXPECT_TRUE(relu()->is_stable(0, 1));
  EXPECT_TRUE(relu()->is_stable(-1, 0));
  EXPECT_FALSE(relu()->is_stable(-1, 1));
  EXPECT_FALSE(relu()->is_stable(kNan, kNan));
}

TEST(Relu, LowerSlopeFollowsTheLargerSide) {
  EXPECT_EQ(relu()->relax(-1, 2, true).lower_slope, 1);
  EXPECT_EQ(relu()->relax(-2, 1, true).lower_slope, 0);
  EXPECT_EQ(relu()->relax(-1, 1, true).lower_slope, 0);
}

TEST(Relu, UpperLineIsTheChord) {
  const Relaxation lines = relu()->relax(-1, 3, true);
  EXPECT_EQ(lines.upper_slope, 0.75);
  EXPECT_NEAR(lines.upper_intercept, 0.75, 1e-15);
}

TEST(Relu, ImageIsExact) {
  double l = 0, u = 0;
  relu()->image(-2, 3, l, u);
  EXPECT_EQ(l, 0);
  EXPECT_EQ(u, 3);
  relu()->image(-2, -1, l, u);
  EXPECT_EQ(l, 0);
  EXPECT_EQ(u, 0);
  relu()->image(-kInf, kInf, l, u);
  EXPECT_EQ(u, kInf);
}

// NaN must reach the answer, where it proves nothing.
TEST(Relu, NanStaysNan) {
  EXPECT_TRUE(std::isnan(relu()->value(kNan)));
  EXPECT_TRUE(std::isnan(relu()->derivative(kNan)));
  for (const auto& [a, b] : {std::pair{kNan, 1.0}, std::pair{-1.0, kNan}, std::pair{kNan, kNan}}) {
    double l = 0, u = 0;
    relu()->image(a, b, l, u);
    EXPECT_TRUE(std::isnan(l) && std::isnan(u));
  }
  const Tensor x({2}, std::vector<float>{std::numeric_limits<float>::quiet_NaN(), -1});
  Network network;
  const ValueId input = network.add_input("x", x.type());
  append_node(network, operator_table(), "Relu", "relu", {input}, {"y"});
  EXPECT_TRUE(std::isnan(evaluate_network(network, x)[1].at(0)));
}

TEST(Relu, RelaxationOfNanOrInfiniteBoundsProvesNothing) {
  for (const auto& [l, u] : {std::pair{kNan, 1.0}, std::pair{-1.0, kNan}, std::pair{-1.0, kInf}, std::pair{-kInf, 1.0},
                             std::pair{0.0, kInf}, std::pair{-kInf, 0.0}, std::pair{-kInf, kInf}}) {
    const Relaxation lines = relu()->relax(l, u, true);
    EXPECT_TRUE(std::isnan(lines.lower_slope) && std::isnan(lines.lower_intercept));
    EXPECT_TRUE(std::isnan(lines.upper_slope) && std::isnan(lines.upper_intercept));
  }
}

}  // namespace
}  // namespace boundflow
