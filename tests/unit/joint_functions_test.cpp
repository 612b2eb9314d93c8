// Maximum, minimum and product: planes and images hold at sampled points of random boxes (exact rational arithmetic),
// planes are as tight as promised, NaN and infinities fail closed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/random.hpp"
#include "base/rational.hpp"
#include "base/rounding.hpp"
#include "ops/maximum.hpp"
#include "ops/product.hpp"

namespace boundflow {
namespace {

using testing::ElementsAre;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct Case {
  const char* name;
  std::shared_ptr<const JointFunction> function;
  std::size_t variables;
  Rational (*exact)(const std::vector<Rational>& x);
};

void PrintTo(const Case& c, std::ostream* stream) {
  *stream << c.name;
}

Rational exact_maximum(const std::vector<Rational>& x) {
  return *std::max_element(x.begin(), x.end());
}
Rational exact_minimum(const std::vector<Rational>& x) {
  return *std::min_element(x.begin(), x.end());
}
Rational exact_product(const std::vector<Rational>& x) {
  return x[0] * x[1];
}

struct Planes {
  Planes(const JointFunction& f, const std::vector<double>& l, const std::vector<double>& u, bool float32_slopes = true)
      : lower(l.size()), upper(l.size()) {
    f.relax(l, u, float32_slopes, lower, lower_intercept, upper, upper_intercept);
  }
  std::vector<double> lower, upper;
  double lower_intercept = 0, upper_intercept = 0;
};

template <class T>
T plane_at(const std::vector<double>& slopes, double intercept, const std::vector<T>& x) {
  T value(intercept);
  for (std::size_t i = 0; i < x.size(); ++i) value += T(slopes[i]) * x[i];
  return value;
}

struct Box {
  std::vector<double> l, u;
};

// Ends of ordinary size, tiny ones, huge ones, single points and ties. `largest_exponent` keeps products finite.
Box random_box(Random& random, std::size_t variables, int largest_exponent) {
  Box box;
  const std::int64_t style = random.integer(0, 3);
  for (std::size_t i = 0; i < variables; ++i) {
    const auto end = [&] {
      if (style == 0) return static_cast<double>(random.integer(-2, 2));
      const int exponent =
          static_cast<int>(style == 1 ? random.integer(-1080, largest_exponent) : random.integer(-3, 3));
      return std::ldexp(random.uniform(-1, 1), exponent);
    };
    const double a = end(), b = random.integer(0, 7) == 0 ? a : end();
    box.l.push_back(std::min(a, b));
    box.u.push_back(std::max(a, b));
  }
  return box;
}

class JointFunctions : public testing::TestWithParam<Case> {};

TEST_P(JointFunctions, PlanesAndImagesHold) {
  const auto& [name, function, variables, exact] = GetParam();
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    Random random(seed);
    const Box box = random_box(random, variables, 500);
    double image_l = 0, image_u = 0;
    function->image(box.l, box.u, image_l, image_u);
    for (const bool float32_slopes : {false, true}) {
      const Planes planes(*function, box.l, box.u, float32_slopes);
      for (std::size_t i = 0; i < variables; ++i) {
        for (const double slope : {planes.lower[i], planes.upper[i]}) {
          ASSERT_TRUE(!float32_slopes || slope == static_cast<double>(static_cast<float>(slope))) << slope;
        }
      }
      for (int sample = 0; sample < 24; ++sample) {
        std::vector<Rational> x;
        for (std::size_t i = 0; i < variables; ++i) {
          const double between = box.l[i] + (box.u[i] - box.l[i]) * random.uniform();
          const double end = random.coin() ? box.l[i] : box.u[i];
          x.emplace_back(sample < 16 ? end : std::clamp(between, box.l[i], box.u[i]));
        }
        const Rational y = exact(x);
        ASSERT_LE(plane_at(planes.lower, planes.lower_intercept, x), y) << name << " seed " << seed;
        ASSERT_GE(plane_at(planes.upper, planes.upper_intercept, x), y) << name << " seed " << seed;
        ASSERT_LE(Rational(image_l), y) << name << " seed " << seed;
        ASSERT_GE(Rational(image_u), y) << name << " seed " << seed;
      }
    }
  }
}

// On a stable box both planes are the function.
TEST_P(JointFunctions, StableBoxesHaveNoVolume) {
  const auto& [name, function, variables, exact] = GetParam();
  int stable = 0;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Random random(seed);
    const Box box = random_box(random, variables, 3);
    if (!function->is_stable(box.l, box.u)) continue;
    ++stable;
    const Planes planes(*function, box.l, box.u, false);
    for (const auto& x : {box.l, box.u}) {
      EXPECT_NEAR(plane_at(planes.lower, planes.lower_intercept, x), function->value(x), 1e-12) << seed;
      EXPECT_NEAR(plane_at(planes.upper, planes.upper_intercept, x), function->value(x), 1e-12) << seed;
    }
  }
  EXPECT_GT(stable, 20);
}

TEST_P(JointFunctions, GradientIsThatOfTheValue) {
  const auto& [name, function, variables, exact] = GetParam();
  Random random(3);
  for (int i = 0; i < 50; ++i) {
    std::vector<double> x(variables), gradient(variables, 7);
    for (double& component : x) component = random.uniform(-2, 2);
    function->gradient(x, gradient);
    for (std::size_t k = 0; k < variables; ++k) {
      std::vector<double> ahead = x, behind = x;
      ahead[k] += 1e-7;
      behind[k] -= 1e-7;
      EXPECT_NEAR(gradient[k], (function->value(ahead) - function->value(behind)) / 2e-7, 1e-6);
    }
  }
}

TEST_P(JointFunctions, FailClosed) {
  const auto& [name, function, variables, exact] = GetParam();
  for (std::size_t i = 0; i < variables; ++i) {
    for (const double bad : {kNan, kInfinity, -kInfinity}) {
      for (const bool at_lower : {true, false}) {
        Box box{std::vector<double>(variables, -1), std::vector<double>(variables, 1)};
        (at_lower ? box.l : box.u)[i] = bad;
        const Planes planes(*function, box.l, box.u);
        EXPECT_TRUE(std::isnan(planes.lower_intercept) && std::isnan(planes.upper_intercept));
        EXPECT_TRUE(std::isnan(planes.lower[i]) && std::isnan(planes.upper[i]));
        if (!std::isnan(bad)) continue;
        double l = 0, u = 0;
        function->image(box.l, box.u, l, u);
        EXPECT_TRUE(std::isnan(l) && std::isnan(u)) << name;
        EXPECT_TRUE(std::isnan(function->value(at_lower ? box.l : box.u)));
      }
    }
  }
  const std::vector<double> nan(variables, kNan);
  EXPECT_FALSE(function->is_stable(nan, nan));
}

INSTANTIATE_TEST_SUITE_P(All, JointFunctions,
                         testing::Values(Case{"maximum_of_2", std::make_shared<MaximumFunction>(), 2, exact_maximum},
                                         Case{"maximum_of_5", std::make_shared<MaximumFunction>(), 5, exact_maximum},
                                         Case{"minimum_of_2", std::make_shared<MinimumFunction>(), 2, exact_minimum},
                                         Case{"minimum_of_5", std::make_shared<MinimumFunction>(), 5, exact_minimum},
                                         Case{"product", std::make_shared<ProductFunction>(), 2, exact_product}),
                         [](const testing::TestParamInfo<Case>& info) { return std::string(info.param.name); });

// Hand-worked planes.

TEST(Maximum, PlanesOfTwo) {
  const Planes planes(MaximumFunction(), {0, -1}, {2, 1});
  EXPECT_THAT(planes.lower, ElementsAre(1, 0));  // the larger lower bound
  EXPECT_EQ(planes.lower_intercept, 0);
  EXPECT_THAT(planes.upper, ElementsAre(0.5, 0));  // from (0, 1) to (2, 2)
  EXPECT_NEAR(planes.upper_intercept, 1, 1e-15);
}

TEST(Maximum, EqualUpperBoundsGiveTheConstant) {
  const Planes planes(MaximumFunction(), {0, 0, 0}, {0.7, 0.7, 0.6});
  EXPECT_THAT(planes.upper, ElementsAre(0, 0, 0));
  EXPECT_EQ(planes.upper_intercept, 0.7);
  EXPECT_THAT(planes.lower, ElementsAre(1, 0, 0));
}

TEST(Maximum, OneThatDominatesIsExact) {
  EXPECT_TRUE(MaximumFunction().is_stable(std::vector<double>{0, 1, -5}, std::vector<double>{1, 3, 1}));
  EXPECT_FALSE(MaximumFunction().is_stable(std::vector<double>{0, 1}, std::vector<double>{1.5, 3}));
  const Planes planes(MaximumFunction(), {0, 1, -5}, {1, 3, 1});
  EXPECT_THAT(planes.upper, ElementsAre(0, 1, 0));
  EXPECT_EQ(planes.upper_intercept, 0);
}

// Nowhere above the largest upper bound, which other verifiers take.
TEST(Maximum, UpperPlaneIsBelowTheConstant) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Random random(seed);
    const Box box = random_box(random, 4, 3);
    const Planes planes(MaximumFunction(), box.l, box.u, false);
    EXPECT_LE(plane_at(planes.upper, planes.upper_intercept, box.u),
              *std::max_element(box.u.begin(), box.u.end()) + 1e-14);
    for (const double slope : planes.upper) EXPECT_GE(slope, 0);
  }
}

TEST(Minimum, MirrorsTheMaximum) {
  const Planes planes(MinimumFunction(), {-2, -1}, {0, 1});
  EXPECT_THAT(planes.upper, ElementsAre(1, 0));
  EXPECT_THAT(planes.lower, ElementsAre(0.5, 0));
  EXPECT_NEAR(planes.lower_intercept, -1, 1e-15);
}

TEST(Product, PlanesOfABox) {
  const Planes planes(ProductFunction(), {1, 2}, {3, 5});
  EXPECT_THAT(planes.lower, ElementsAre(2, 1));
  EXPECT_NEAR(planes.lower_intercept, -2, 1e-14);
  EXPECT_THAT(planes.upper, ElementsAre(5, 1));
  EXPECT_NEAR(planes.upper_intercept, -5, 1e-14);
}

// McCormick's planes are the product of the radii away from the product at the midpoint.
TEST(Product, PlanesAreMcCormicks) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Random random(seed);
    const Box box = random_box(random, 2, 2);
    const std::vector<double> middle{box.l[0] / 2 + box.u[0] / 2, box.l[1] / 2 + box.u[1] / 2};
    const double gap = (middle[0] - box.l[0]) * (middle[1] - box.l[1]);
    const Planes planes(ProductFunction(), box.l, box.u, false);
    EXPECT_NEAR(middle[0] * middle[1] - plane_at(planes.lower, planes.lower_intercept, middle), gap, 1e-12);
    EXPECT_NEAR(plane_at(planes.upper, planes.upper_intercept, middle) - middle[0] * middle[1], gap, 1e-12);
  }
}

TEST(Product, DeployedErrorIsOneRoundingOrOverflow) {
  const ProductFunction product;
  const std::vector<double> l{-2, 1}, u{1, 4};
  EXPECT_NEAR(product.deployed_error(l, u, kUnitRoundoff32), 8 * 0x1p-24, 1e-15);
  EXPECT_EQ(product.deployed_error(std::vector<double>{0, 0}, std::vector<double>{1e20, 1e20}, kUnitRoundoff32),
            kInfinity);
  EXPECT_LT(product.deployed_error(std::vector<double>{0, 0}, std::vector<double>{1e20, 1e20}, kUnitRoundoff64),
            kInfinity);
  EXPECT_EQ(product.deployed_error(std::vector<double>{0, kNan}, u, kUnitRoundoff32), kInfinity);
}

}  // namespace
}  // namespace boundflow
