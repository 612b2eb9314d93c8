#include "search/splitting.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace boundflow {
namespace {

std::optional<Split> split(std::vector<double> slopes, std::vector<double> lower, std::vector<double> upper) {
  return choose_split(slopes, lower, upper);
}

TEST(Splitting, TakesTheLargestSlopeTimesWidth) {
  const auto chosen = split({1, 5, 2}, {0, 0, 0}, {4, 1, 1});
  ASSERT_TRUE(chosen.has_value());
  EXPECT_EQ(chosen->input, 1U);
  EXPECT_EQ(chosen->at, 0.5);
}

TEST(Splitting, FallsBackToTheWidestInput) {
  EXPECT_EQ(split({0, 0, 0}, {0, -3, 0}, {1, 3, 2})->input, 1U);
}

TEST(Splitting, IsStrictlyInside) {
  const auto chosen = split({1}, {-2}, {7});
  EXPECT_EQ(chosen->at, 2.5);
  // Ends whose sum overflows.
  const double huge = std::numeric_limits<double>::max();
  const auto wide = split({1}, {huge / 2}, {huge});
  ASSERT_TRUE(wide.has_value());
  EXPECT_GT(wide->at, huge / 2);
  EXPECT_LT(wide->at, huge);
}

TEST(Splitting, PinnedInputsAreNeverChosen) {
  EXPECT_EQ(split({100, 0}, {1, 0}, {1, 1})->input, 1U);
  EXPECT_FALSE(split({100, 3}, {1, 2}, {1, 2}).has_value());
  EXPECT_FALSE(split({}, {}, {}).has_value());
}

TEST(Splitting, OneStepOfDoubleCannotBeCut) {
  EXPECT_FALSE(split({1}, {1}, {std::nextafter(1.0, 2.0)}).has_value());
  const auto two_steps = split({1}, {1}, {std::nextafter(std::nextafter(1.0, 2.0), 2.0)});
  ASSERT_TRUE(two_steps.has_value());
  EXPECT_EQ(two_steps->at, std::nextafter(1.0, 2.0));
}

TEST(Splitting, TiesGoToTheFirstOfTheWidest) {
  EXPECT_EQ(split({1, 1}, {0, 0}, {1, 1})->input, 0U);
  EXPECT_EQ(split({2, 1}, {0, 0}, {1, 2})->input, 1U);  // equal scores, the second is wider
}

}  // namespace
}  // namespace boundflow
