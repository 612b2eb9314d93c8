// The golden networks by all executors: the same bounds within their errors, and nearly all of the work of CROWN on
// generated kernels.
#include <gtest/gtest.h>

#include <filesystem>

#include "exec/reference/reference_executor.hpp"
#include "exec/tvm/auto_executor.hpp"
#include "exec/tvm/tvm_executor.hpp"
#include "support/parity.hpp"
#include "support/shared_data.hpp"
#include "support/temp_folder.hpp"
#include "support/with_tvm.hpp"

namespace boundflow {
namespace {

namespace fs = std::filesystem;

constexpr double kLeastShare = 0.95;

class BackendsAgree : public testing::TestWithParam<std::string> {
 protected:
  static void SetUpTestSuite() { cache_ = std::make_unique<TempFolder>(); }
  static void TearDownTestSuite() { cache_.reset(); }
  void SetUp() override {
    BOUNDFLOW_SKIP_WITHOUT_TVM();
    const auto shared = shared_data();
    if (!shared) GTEST_SKIP() << "no shared golden data";
    const fs::path small = *shared / "golden" / "small" / (GetParam() + ".onnx");
    const fs::path large = *shared / "golden" / "large" / (GetParam() + ".npz");
    is_small_ = fs::exists(small);
    if (!is_small_ && !fs::exists(large)) GTEST_SKIP() << "no " << large;
    const Arrays golden = read_npz((is_small_ ? fs::path(small).replace_extension(".npz") : large).string());
    network_ = read_normal_form((is_small_ ? small : *shared / "instances" / golden.at("onnx").texts.at(0)).string());
    std::vector<double> lower, upper;
    if (is_small_) {
      const double eps = golden.at("eps_linf").values.at(0);
      for (const double c : golden.at("center").values) {
        lower.push_back(c - eps);
        upper.push_back(c + eps);
      }
    } else {
      lower = golden.at("x_lo").values;
      upper = golden.at("x_hi").values;
    }
    query_.emplace(lower, upper, network_->size_of(network_->input()), golden.at("C").values,
                   network_->size_of(network_->output()));
  }
  BoundAnswer crown(const std::shared_ptr<const Executor>& executor) {
    return QueryEngine(network_, executor, {}).bound(query_->with(Semantics::Float32), Deadline());
  }
  // Each executor's relaxations stand on its own bounds, which rounding makes different: that counts in no error term,
  // and changes far less than the terms allow.
  static void expect_equal(const BoundAnswer& a, const BoundAnswer& b) {
    ASSERT_EQ(a.nominal.size(), b.nominal.size());
    for (std::size_t n = 0; n < a.nominal.size(); ++n) {
      EXPECT_NEAR(a.nominal[n], b.nominal[n], a.error[n] + b.error[n]);
    }
  }
  std::string cache() const { return cache_->path("cache"); }

  inline static std::unique_ptr<TempFolder> cache_;
  bool is_small_ = false;
  std::shared_ptr<const Network> network_;
  std::optional<ParityQuery> query_;
};

TEST_P(BackendsAgree, ByCrown) {
  const auto tvm = make_tvm_executor(cache());
  const BoundAnswer native = crown(make_native_executor()), generated = crown(tvm);
  expect_equal(native, generated);
  expect_equal(native, crown(make_auto_executor(cache(), 1e12)));
  if (is_small_) expect_equal(crown(make_reference_executor()), generated);
}

class LargeNetworks : public BackendsAgree {};

TEST_P(LargeNetworks, RunNearlyAllOfCrownOnGeneratedKernels) {
  const auto tvm = make_tvm_executor(fs::path(cache()) / GetParam());
  crown(tvm);
  double generated = 0, all = 0;
  for (const KernelUse& use : tvm->kernel_uses()) {
    all += use.multiplications;
    if (use.executor == "tvm") generated += use.multiplications;
  }
  EXPECT_GT(all, 0);
  EXPECT_GE(generated, kLeastShare * all);
}

const auto kLarge =
    testing::Values("mnist256x2_b1", "mnist256x6_b1", "oval_base_b1", "oval_deep_b1", "resnet2b_b1", "resnet4b_b1");
INSTANTIATE_TEST_SUITE_P(Large, BackendsAgree, kLarge, [](const auto& info) { return info.param; });
INSTANTIATE_TEST_SUITE_P(Golden, LargeNetworks, kLarge, [](const auto& info) { return info.param; });
INSTANTIATE_TEST_SUITE_P(Small, BackendsAgree,
                         testing::Values("cnn_avgpool", "cnn_batchnorm", "cnn_group_dilate", "cnn_maxpool",
                                         "cnn_stride_pad", "concat", "convtranspose", "mlp_leaky", "mlp_relu",
                                         "mlp_relu_deep", "mlp_sigmoid", "mlp_tanh", "permute_hwc", "product_gate",
                                         "residual", "subtract"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace boundflow
