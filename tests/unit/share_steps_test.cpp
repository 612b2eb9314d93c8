#include "engine/share_steps.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace boundflow
