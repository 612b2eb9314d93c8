// Bounds of real networks against auto_LiRPA's: CROWN margins, and the bounds of each ReLU's input where the reference
// computed them by CROWN too (a neuron that interval propagation proves stable keeps those bounds there).
#include <gtest/gtest.h>

#include <filesystem>
#include <iomanip>
#include <iostream>

#include "support/parity.hpp"
#include "support/shared_data.hpp"

namespace boundflow {
namespace {

class ParityLarge : public testing::TestWithParam<const char*> {};

// Ours intersects a neuron's CROWN bounds with its interval bounds, the reference does not. That is tighter, but it can
// turn a neuron's lower line from slope 1 (u > -l) to slope 0 or back, after which a margin may come out looser. True
// for boxes in which no line differs.
std::vector<bool> boxes_with_the_same_lines(const Arrays& golden, const std::vector<QueryEngine::ValueBounds>& layers,
                                            std::size_t boxes) {
  std::vector<bool> same(boxes, true);
  for (std::size_t k = 0; k < layers.size(); ++k) {
    const std::vector<double>& lo = golden.at("inter_lo_" + std::to_string(k)).values;
    const std::vector<double>& hi = golden.at("inter_hi_" + std::to_string(k)).values;
    for (std::size_t i = 0; i < lo.size(); ++i) {
      const bool unstable = lo[i] < 0 && hi[i] > 0 && layers[k].lower[i] < 0 && layers[k].upper[i] > 0;
      if (unstable && (hi[i] > -lo[i]) != (layers[k].upper[i] > -layers[k].lower[i]))
        same[i * boxes / lo.size()] = false;
    }
  }
  return same;
}

TEST_P(ParityLarge, CrownIsAsTightAsTheReference) {
  const auto shared = shared_data();
  if (!shared) GTEST_SKIP() << "no shared golden data";
  const std::filesystem::path file = *shared / "golden" / "large" / (std::string(GetParam()) + ".npz");
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no " << file;
  const Arrays golden = read_npz(file.string());
  const auto network = read_normal_form((*shared / "instances" / golden.at("onnx").texts.at(0)).string());
  const std::int64_t inputs = network->size_of(network->input());
  const std::int64_t outputs = network->size_of(network->output());
  const QueryEngine engine = make_engine(network, BoundLowering{});
  ParityQuery query(golden.at("x_lo").values, golden.at("x_hi").values, inputs, golden.at("C").values, outputs);
  const auto boxes = static_cast<std::size_t>(query.query.subproblems);
  std::cout << std::scientific << std::setprecision(1) << std::left << std::setw(16) << GetParam();

  const std::vector<QueryEngine::ValueBounds> layers = engine.intermediate_bounds(query.with(Semantics::Nominal));
  std::size_t compared = 0;
  for (std::size_t k = 0; golden.contains("inter_lo_" + std::to_string(k)); ++k) {
    SCOPED_TRACE("activation " + std::to_string(k));
    const std::vector<double>& lo = golden.at("inter_lo_" + std::to_string(k)).values;
    const std::vector<double>& hi = golden.at("inter_hi_" + std::to_string(k)).values;
    ASSERT_LT(k, layers.size());
    ASSERT_EQ(layers[k].lower.size(), lo.size());
    std::vector<double> ours;
    std::vector<double> reference;
    for (std::size_t i = 0; i < lo.size(); ++i) {
      // Whatever the reference knows of a neuron, our bounds may not contradict it.
      EXPECT_LE(layers[k].lower[i], hi[i] + kParity);
      EXPECT_GE(layers[k].upper[i], lo[i] - kParity);
      if (!(lo[i] < 0 && hi[i] > 0)) continue;
      // A neuron that ours proves stable has an exact relaxation, whatever its bounds.
      if (layers[k].lower[i] >= 0 || layers[k].upper[i] <= 0) continue;
      ours.insert(ours.end(), {layers[k].lower[i], -layers[k].upper[i]});
      reference.insert(reference.end(), {lo[i], -hi[i]});
    }
    const double layer = excess(ours, reference);
    EXPECT_LE(layer, kParity);
    std::cout << "  activation " << k << " (" << ours.size() / 2 << " unstable) " << layer;
    compared += ours.size();
  }
  EXPECT_GT(compared, 0u);

  const BoundAnswer nominal = engine.bound(query.with(Semantics::Nominal), Deadline());
  const std::vector<double>& golden_margins = golden.at("lb_CROWN").values;
  const std::vector<bool> same_lines = boxes_with_the_same_lines(golden, layers, boxes);
  const std::size_t per_box = golden_margins.size() / boxes;
  std::vector<double> ours;
  std::vector<double> reference;
  double mean_gain = 0;
  for (std::size_t n = 0; n < golden_margins.size(); ++n) {
    mean_gain += (nominal.nominal[n] - golden_margins[n]) / static_cast<double>(golden_margins.size());
    if (!same_lines[n / per_box]) continue;
    ours.push_back(nominal.nominal[n]);
    reference.push_back(golden_margins[n]);
  }
  const double margins = excess(ours, reference);
  EXPECT_LE(margins, kParity);
  EXPECT_GE(mean_gain, -kParity);
  std::cout << "  margins " << margins << " (" << ours.size() << " of " << golden_margins.size()
            << " rows have the same lines; mean over all rows tighter by " << mean_gain << ")\n";
  EXPECT_GE(3 * ours.size(), golden_margins.size());

  const BoundAnswer sound = engine.bound(query.with(Semantics::Float32), Deadline());
  for (std::size_t n = 0; n < sound.nominal.size(); ++n) {
    EXPECT_GT(sound.error[n], 0);
    EXPECT_LT(sound.nominal[n] - sound.error[n], nominal.nominal[n]);
    EXPECT_NEAR(sound.nominal[n] - sound.error[n], nominal.nominal[n], 2e-2 * (1 + std::fabs(nominal.nominal[n])));
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, ParityLarge, testing::Values("mnist256x2_b1", "mnist256x2_b64", "mnist256x6_b1"));

}  // namespace
}  // namespace boundflow
