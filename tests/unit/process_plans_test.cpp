// What calls of the façade leave for later ones of the same process.
#include "api/process_plans.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/with_operators.hpp"
#include "boundflow/boundflow.hpp"
#include "support/temp_folder.hpp"

namespace boundflow {
namespace {

using nlohmann::json;

const std::string kDigits = std::string(BOUNDFLOW_SOURCE_DIR) + "/examples/digits/";
const std::string kNetwork = kDigits + "digits_mlp.onnx";

class ProcessPlans : public testing::Test {
 protected:
  ProcessPlans() { process_plans(0); }

  static BoundsRequest around(double eps, const std::string& method = "crown") {
    BoundsRequest request;
    request.center = read_array(kDigits + "image.npy").values;
    request.eps = eps;
    request.method = method;
    return request;
  }
  // Hits and misses.
  static std::pair<int, int> counts(const json& report) {
    EXPECT_GT(report.at("compile_s"), 0);
    return {report.at("plan_cache_hits").get<int>(), report.at("plan_cache_misses").get<int>()};
  }
};

constexpr std::pair kMiss{0, 1}, kHit{1, 0};

TEST_F(ProcessPlans, EqualNetworksAreCompiledOnce) {
  const PlanCache::Statistics before = process_plans(0).statistics();
  const TempFolder folder;
  std::filesystem::copy_file(kNetwork, folder.path("copy.onnx"));
  const BoundsResult first = bounds(kNetwork, around(0.04), {});
  const BoundsResult second = bounds(folder.path("copy.onnx"), around(0.04), {});
  EXPECT_EQ(counts(json::parse(first.json)), kMiss);
  EXPECT_EQ(counts(json::parse(second.json)), kHit);
  EXPECT_EQ(first.lower, second.lower);
  EXPECT_EQ(first.upper, second.upper);
  EXPECT_EQ(first.lower_error, second.lower_error);
  EXPECT_EQ(first.upper_error, second.upper_error);
  EXPECT_EQ(process_plans(0).statistics().misses, before.misses + 1);
}

TEST_F(ProcessPlans, OtherInputSetsUseThePlanAndOtherMethodsDoNot) {
  const auto ask = [](const BoundsRequest& request) { return counts(json::parse(bounds(kNetwork, request, {}).json)); };
  EXPECT_EQ(ask(around(0.04)), kMiss);
  BoundsRequest three = around(0.01);
  std::vector<double> two = three.center.copy();
  two.insert(two.end(), two.begin(), two.end());
  three.center = two;
  three.specification = {{1, 10}, std::vector<double>(10, 1.0)};
  EXPECT_EQ(ask(three), kHit);
  EXPECT_EQ(ask(around(0.04, "ibp")), kMiss);
  EXPECT_EQ(ask(around(0.04)), kHit);
}

TEST_F(ProcessPlans, PropertiesOfANetworkShareItsPlans) {
  const auto ask = [](const std::string& property, const std::string& verdict) {
    Options options;
    options.timeout = 60;
    const VerifyResult result = verify(kNetwork, kDigits + property, options);
    EXPECT_EQ(result.verdict, verdict);
    return counts(json::parse(result.json).at("statistics"));
  };
  // In float32 and in float64.
  EXPECT_EQ(ask("proved.vnnlib", "unsat"), std::pair(0, 2));
  EXPECT_EQ(ask("violated.vnnlib", "sat"), std::pair(2, 0));
}

TEST_F(ProcessPlans, OperatorsOfOnesOwnLeaveNothing) {
  const OperatorTable own = operator_table();
  for (int call = 0; call < 2; ++call) {
    EXPECT_EQ(counts(json::parse(bounds(kNetwork, around(0.04), {}, {}, own).json)), std::pair(0, 0));
  }
}

TEST_F(ProcessPlans, KeepWhatTheMemoryLimitAllows) {
  Options options;
  options.memory.bytes = std::int64_t{1} << 20;
  for (const char* method : {"crown", "ibp", "crown-ibp"}) bounds(kNetwork, around(0.04, method), options);
  EXPECT_GT(process_plans(options.memory.bytes).statistics().evictions, 0);
  EXPECT_LE(process_plans(options.memory.bytes).statistics().bytes, options.memory.bytes / 8);
}

}  // namespace
}  // namespace boundflow
