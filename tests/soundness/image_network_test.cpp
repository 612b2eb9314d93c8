// Random image networks: every bound that any lowering and executor states holds at points and executions, walks that
// store windows find what walks over whole images find, and executors agree on both.
#include <gtest/gtest.h>

#include "support/random_image_network.hpp"
#include "support/soundness_trial.hpp"

namespace boundflow {
namespace {

bool uses_windows(const Network& network) {
  const auto shared = std::make_shared<const Network>(network);
  return print(lower_bounds(LoweredNetwork(shared, operator_table()), {})).find(" window ") != std::string::npos;
}

void check_networks(const RandomImageOptions& options, std::uint64_t first_seed, int seeds, double windowed_share) {
  Tally tally;
  int windowed = 0, done = 0;
  for (int seed = 0; seed < seeds / kSanitizerShare && !testing::Test::HasFailure(); ++seed, ++done) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(first_seed + static_cast<std::uint64_t>(seed));
    const Trial trial = make_trial(random_image_network(random, options), random);
    if (uses_windows(*trial.network)) ++windowed;
    check_everything(trial, random, tally);
  }
  // Scales up to 2^10 a layer may leave the range of float32 now and then.
  EXPECT_GE(static_cast<double>(tally.finite), 0.97 * static_cast<double>(tally.rows));
  EXPECT_GE(windowed, windowed_share * done);
}

TEST(ImageNetwork, BoundsHoldAtPointsAndExecutions) {
  check_networks({}, 1, 150, 0);
}

// Images that are larger than the windows of a layer or two.
TEST(ImageNetwork, WindowedBoundsHoldAtPointsAndExecutions) {
  check_networks({.min_extent = 6, .max_extent = 12, .max_elements = 300, .blocks = 3, .only_convolutions = true}, 5000,
                 20, 0.5);
}

}  // namespace
}  // namespace boundflow
