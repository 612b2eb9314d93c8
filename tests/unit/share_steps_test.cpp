#include "engine/share_steps.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/random.hpp"

namespace boundflow {
namespace {

// Vectors and what is left of them do what one number after the other does.
TEST(ShareSteps, VectorsDoWhatSingleNumbersDo) {
  Random random(7);
  for (const std::int64_t n : {1, 15, 16, 17, 70}) {
    const auto count = static_cast<std::size_t>(n);
    // The first step does not read them.
    MomentArrays moments{std::vector<float>(count, std::numeric_limits<float>::quiet_NaN()), std::vector<float>(count)};
    std::vector<Moments> single(count);
    std::vector<float> gradients(count), shares(count, 0.5F), expected(count, 0.5F);
    for (int step = 0; step < 5; ++step) {
      const MomentScale scale(step);
      for (float& gradient : gradients) gradient = static_cast<float>(random.uniform(-1, 1));
      gradients[0] = 0;  // nothing moves
      step_shares(gradients.data(), n, scale, 0.3F, moments.means.data(), moments.squares.data(), shares.data());
      for (std::size_t k = 0; k < count; ++k) {
        expected[k] = std::min(std::max(expected[k] + 0.3F * single[k].direction(gradients[k], scale), 0.0F), 1.0F);
        EXPECT_NEAR(shares[k], expected[k], 1e-5F) << k;
      }
      EXPECT_EQ(shares[0], 0.5F);
    }
  }
}

TEST(ShareSteps, AGradientThatIsNoNumberMovesNothing) {
  for (const std::int64_t n : {1, 33}) {
    const auto count = static_cast<std::size_t>(n);
    // The first step does not read them.
    MomentArrays moments{std::vector<float>(count, std::numeric_limits<float>::quiet_NaN()), std::vector<float>(count)};
    const std::vector<float> gradients(count, std::numeric_limits<float>::quiet_NaN());
    std::vector<float> shares(count, 0.25F);
    step_shares(gradients.data(), n, MomentScale(0), 0.3F, moments.means.data(), moments.squares.data(), shares.data());
    for (const float share : shares) EXPECT_EQ(share, 0.25F);
  }
}

// A slope counts where Lambda takes the line below.
TEST(ShareSteps, GradientsOfTurns) {
  const std::vector<float> first(20, 0.0F), last(20, 0.5F);
  std::vector<float> lambda(20), values(20), gradients(20);
  for (std::size_t k = 0; k < 20; ++k) {
    lambda[k] = static_cast<float>(k) - 9.0F;
    values[k] = static_cast<float>(k) - 4.0F;
  }
  turn_gradients(lambda.data(), values.data(), first.data(), last.data(), 20, gradients.data());
  for (std::size_t k = 0; k < 20; ++k) {
    EXPECT_FLOAT_EQ(gradients[k], lambda[k] > 0 ? 0.5F * lambda[k] * values[k] : 0.0F) << k;
  }
}

// A row pays for the distance of the line below from the function at the value, and of the chord where it is largest.
TEST(ShareSteps, ScoresOfTurns) {
  Random random(11);
  for (const std::int64_t n : {1, 16, 37}) {
    const auto count = static_cast<std::size_t>(n);
    const auto numbers = [&](double low, double high) {
      std::vector<float> result;
      for (std::size_t k = 0; k < count; ++k) result.push_back(static_cast<float>(random.uniform(low, high)));
      return result;
    };
    const std::vector<float> lambda = numbers(-1, 1), values = numbers(-3, 3), shares = numbers(0, 1);
    const std::vector<float> first = numbers(0, 0.3), last = numbers(0.6, 1);
    const TurnRanges ranges{numbers(-2, -0.1), numbers(0.1, 2), numbers(0.1, 1)};
    std::vector<float> scores(count);
    turn_scores(lambda.data(), values.data(), shares.data(), first.data(), last.data(), ranges, n, scores.data());
    for (std::size_t k = 0; k < count; ++k) {
      const float z = std::min(std::max(values[k], ranges.lower[k]), ranges.upper[k]);
      const float slope = first[k] + shares[k] * (last[k] - first[k]);
      const float gap = lambda[k] > 0 ? (z > 0 ? last[k] : first[k]) * z - slope * z : ranges.peaks[k];
      EXPECT_NEAR(scores[k], std::fabs(lambda[k]) * gap, 1e-6F) << k << " of " << n;
    }
  }
  const std::vector<float> none(3, std::numeric_limits<float>::quiet_NaN()), some(3, 1.0F);
  std::vector<float> scores(3);
  turn_scores(some.data(), some.data(), some.data(), none.data(), none.data(), {some, some, some}, 3, scores.data());
  for (const float score : scores) EXPECT_TRUE(std::isnan(score));
}

}  // namespace
}  // namespace boundflow
