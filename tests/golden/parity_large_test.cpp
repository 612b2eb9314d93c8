// Bounds of real networks against auto_LiRPA's: margins by ibp, crown-ibp and crown, and the bounds of each ReLU's
// input where the reference computed them by CROWN (a neuron that interval propagation proves stable keeps those bounds
// there). With its rule for intermediate bounds the digits agree; our own rule is tighter on average.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iomanip>
#include <iostream>

#include "exec/native/native_executor.hpp"
#include "support/parity.hpp"
#include "support/shared_data.hpp"

namespace boundflow {
namespace {

class ParityLarge : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const auto shared = shared_data();
    if (!shared) GTEST_SKIP() << "no shared golden data";
    const std::filesystem::path file = *shared / "golden" / "large" / (std::string(GetParam()) + ".npz");
    if (!std::filesystem::exists(file)) GTEST_SKIP() << "no " << file;
    golden_ = read_npz(file.string());
    network_ = read_normal_form((*shared / "instances" / golden_.at("onnx").texts.at(0)).string());
    query_.emplace(golden_.at("x_lo").values, golden_.at("x_hi").values, network_->size_of(network_->input()),
                   golden_.at("C").values, network_->size_of(network_->output()));
  }

  BoundAnswer margins(const BoundLowering& lowering, Semantics semantics) {
    return make_engine(network_, lowering).bound(query_->with(semantics), Deadline());
  }

  // By how much margins exceed the reference's on average; negative: looser.
  static double mean_gain(const std::vector<double>& ours, const std::vector<double>& reference) {
    double sum = 0;
    for (std::size_t n = 0; n < reference.size(); ++n) sum += ours[n] - reference[n];
    return sum / static_cast<double>(reference.size());
  }

  static void print_line(const std::string& method, double looser, double gain) {
    std::cout << std::left << std::setw(16) << GetParam() << std::setw(28) << method << std::right << std::scientific
              << std::setprecision(1) << "  largest excess " << std::setw(8) << looser << "  mean gain " << std::setw(8)
              << gain << "\n";
  }

  Arrays golden_;
  std::shared_ptr<const Network> network_;
  std::optional<ParityQuery> query_;
};

constexpr BoundLowering kReferenceRule{.intermediate = IntermediateBounds::CrownWhereIntervalUnstable};

TEST_P(ParityLarge, IntervalMethodsAgree) {
  const struct {
    std::string method;
    const char* key;
    BoundLowering lowering;
  } methods[] = {
      {"ibp", "lb_IBP", {.intermediate = IntermediateBounds::Interval, .specification = SpecificationBounds::Interval}},
      {"crown-ibp", "lb_CROWN-IBP", {.intermediate = IntermediateBounds::Interval}},
  };
  for (const auto& [method, key, lowering] : methods) {
    SCOPED_TRACE(method);
    const std::vector<double>& reference = golden_.at(key).values;
    const BoundAnswer answer = margins(lowering, Semantics::Nominal);
    const double looser = excess(answer.nominal, reference);
    EXPECT_LE(looser, kParity);
    print_line(method, looser, mean_gain(answer.nominal, reference));
  }
}

// Ours intersects with interval bounds and takes rows from fewer neurons. That is tighter on average, but it can turn a
// neuron's lower line from slope 1 (u > -l) to slope 0 or back, after which single margins may come out looser. With
// the reference's rule they agree, with one exception: on oval_deep_b1 some of its bounds of the third activation are
// not what CROWN gives on its own bounds of the first two (recomputed apart from both tools), and there our rule
// agrees.
TEST_P(ParityLarge, CrownAgrees) {
  const std::vector<double>& reference = golden_.at("lb_CROWN").values;
  const BoundAnswer by_reference_rule = margins(kReferenceRule, Semantics::Nominal);
  const BoundAnswer by_own_rule = margins({}, Semantics::Nominal);
  const double looser = excess(by_reference_rule.nominal, reference);
  const double own_looser = excess(by_own_rule.nominal, reference);
  const double own_gain = mean_gain(by_own_rule.nominal, reference);
  print_line("crown, auto-lirpa's rule", looser, mean_gain(by_reference_rule.nominal, reference));
  print_line("crown", own_looser, own_gain);
  EXPECT_LE(std::min(looser, own_looser), kParity);
  EXPECT_LE(looser, 2 * kParity);
  EXPECT_GE(own_gain, -kParity);
}

// After as many steps as the reference took. Optimisers of another kind reach other digits, so that means count.
TEST_P(ParityLarge, OptimisedSlopesAreAsGood) {
  if (!golden_.contains("lb_CROWN-Optimized")) GTEST_SKIP() << "the reference has no optimised bounds";
  const std::vector<double>& reference = golden_.at("lb_CROWN-Optimized").values;
  const auto engine = std::make_shared<const QueryEngine>(network_, make_native_executor(Precision::Float32),
                                                          QueryEngine::Options{.splits = true});
  const BoundQuery query = query_->with(Semantics::Nominal);
  const std::vector<double> ours = optimised_bounds(engine, query, 20);
  ASSERT_EQ(ours.size(), reference.size());
  print_line("alpha-crown", excess(ours, reference), mean_gain(ours, reference));
  EXPECT_GE(mean_gain(ours, reference), -kParity);
}

// Soundness costs little: errors, and what wider bounds of neurons make of the lines.
TEST_P(ParityLarge, SoundBoundsAreNear) {
  const BoundAnswer nominal = margins({}, Semantics::Nominal);
  const BoundAnswer sound = margins({}, Semantics::Float32);
  double lost = 0;
  double magnitude = 0;
  for (std::size_t n = 0; n < sound.nominal.size(); ++n) {
    EXPECT_GT(sound.error[n], 0);
    lost += nominal.nominal[n] - (sound.nominal[n] - sound.error[n]);
    magnitude += 1 + std::fabs(nominal.nominal[n]);
  }
  EXPECT_LE(lost, 0.1 * magnitude);
  std::cout << GetParam() << ": soundness costs " << lost / magnitude << " of 1 + |margin|\n";
}

// The reference computes a neuron by CROWN in every box of a batch if it is unstable in one, or in all if most neurons
// are unstable; ours counts where it is unstable in this box.
TEST_P(ParityLarge, BoundsOfActivationInputsAgree) {
  const auto layers = make_engine(network_, kReferenceRule).intermediate_bounds(query_->with(Semantics::Nominal));
  std::size_t compared = 0;
  for (std::size_t k = 0; golden_.contains("inter_lo_" + std::to_string(k)); ++k) {
    SCOPED_TRACE("activation " + std::to_string(k));
    const std::vector<double>& lo = golden_.at("inter_lo_" + std::to_string(k)).values;
    const std::vector<double>& hi = golden_.at("inter_hi_" + std::to_string(k)).values;
    ASSERT_LT(k, layers.size());
    ASSERT_EQ(layers[k].lower.size(), lo.size());
    if (std::string(GetParam()) == "oval_deep_b1" && k >= 2) continue;  // see CrownAgrees
    std::vector<double> ours;
    std::vector<double> reference;
    double scale = 0;
    for (std::size_t i = 0; i < lo.size(); ++i) {
      const bool unstable = lo[i] < 0 && hi[i] > 0 && layers[k].lower[i] < 0 && layers[k].upper[i] > 0;
      if (!unstable) continue;
      ours.insert(ours.end(), {layers[k].lower[i], -layers[k].upper[i]});
      reference.insert(reference.end(), {lo[i], -hi[i]});
      scale = std::max({scale, -lo[i], hi[i]});
    }
    std::size_t looser = 0;
    for (std::size_t n = 0; n < ours.size(); ++n) looser += reference[n] - ours[n] > kParity * (1 + scale) ? 1 : 0;
    EXPECT_LE(looser, ours.size() / 50);
    compared += ours.size();
  }
  EXPECT_GT(compared, 0U);
}

INSTANTIATE_TEST_SUITE_P(Networks, ParityLarge,
                         testing::Values("mnist256x2_b1", "mnist256x2_b64", "mnist256x6_b1", "mnist256x6_b64",
                                         "oval_base_b1", "oval_base_b64", "oval_deep_b1", "oval_deep_b64",
                                         "resnet2b_b1", "resnet2b_b64", "resnet4b_b1"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace boundflow
