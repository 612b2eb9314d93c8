// The texts of the public functions on the project's own example, and the options that they refuse.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "boundflow/boundflow.hpp"
#include "support/temp_folder.hpp"

namespace boundflow {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string kDigits = std::string(BOUNDFLOW_SOURCE_DIR) + "/examples/digits/";
const std::string kNetwork = kDigits + "digits_mlp.onnx";

// The error's code and message.
std::pair<ExitCode, std::string> error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  return {ExitCode::Ok, "no error"};
}

TEST(ApiTexts, CompilePrintsEachLevel) {
  EXPECT_THAT(compile(kNetwork, "network", {}).text, AllOf(StartsWith("network\n"), HasSubstr("\noutput %")));
  const std::string program = compile(kNetwork, "program", {}).text;
  EXPECT_THAT(program, AllOf(HasSubstr("interval_affine("), HasSubstr("bias_and_error(")));
  const std::string plan = compile(kNetwork, "plan", {}).text;
  EXPECT_THAT(plan, AllOf(HasSubstr("bytes"), Not(HasSubstr("interval_affine("))));
  EXPECT_THAT(plan, ContainsRegex("^key [0-9a-f]+\n"));
  EXPECT_EQ(plan.substr(0, plan.find('\n')), program.substr(0, program.find('\n')));
  const auto [code, message] = error_of([] { compile(kNetwork, "nothing", {}); });
  EXPECT_EQ(code, ExitCode::Usage);
  EXPECT_THAT(message, HasSubstr("found 'nothing'"));
}

TEST(ApiTexts, InspectCountsWhatTheNetworkHas) {
  const std::string text = inspect(kNetwork);
  EXPECT_THAT(text,
              AllOf(HasSubstr("network    " + kNetwork + "\n"), ContainsRegex("\ninput +[^\n]+ float32\\[1, 64\\]"),
                    ContainsRegex("\nRelu +[0-9]+ +yes +yes +yes\n"), HasSubstr("\noutput %")));
}

TEST(ApiTexts, InspectListsAllOperators) {
  const std::string text = inspect("");
  EXPECT_THAT(text, AllOf(StartsWith("operator"), ContainsRegex("\nRelu +yes +yes +yes\n"),
                          ContainsRegex("\nShape +folds +folds +folds\n")));
}

TEST(ApiTexts, AssignmentsNameEveryVariable) {
  EXPECT_EQ(assignment({{"0.5", "-1"}, {"2"}}), "((X_0 0.5)\n(X_1 -1)\n(Y_0 2))\n");
}

TEST(ApiTexts, VerifyReportsWhatItFound) {
  Options options;
  options.threads = 1;
  options.profile = "unused.json";
  const VerifyResult result = verify(kNetwork, kDigits + "violated.vnnlib", options);
  ASSERT_EQ(result.verdict, "sat");
  const auto report = nlohmann::json::parse(result.json);
  EXPECT_EQ(report.at("network"), kNetwork);
  EXPECT_EQ(report.at("semantics"), "float32");
  EXPECT_EQ(report.at("threads"), 1);
  EXPECT_EQ(report.at("witness").at("input").size(), 64U);
  EXPECT_EQ(report.at("witness").at("input")[0], result.counterexample.input[0]);
  std::set<std::string> phases;
  const auto profile = nlohmann::json::parse(result.profile);
  for (const auto& total : profile.at("boundflow").at("totals")) {
    if (total.at("kind") == "phase") phases.insert(total.at("name"));
  }
  EXPECT_THAT(phases, testing::IsSupersetOf({"import", "compile", "search"}));
}

TEST(ApiTexts, OptionsOutOfRangeAreNamed) {
  const std::string property = kDigits + "proved.vnnlib";
  const auto expect_refused = [&](const std::string& option, const std::function<void(Options&)>& change) {
    Options options;
    change(options);
    const auto [code, message] = error_of([&] { verify(kNetwork, property, options); });
    EXPECT_EQ(code, ExitCode::Usage) << option;
    EXPECT_THAT(message, StartsWith("--" + option));
  };
  expect_refused("timeout", [](Options& o) { o.timeout = 0; });
  expect_refused("timeout", [](Options& o) { o.timeout = std::nan(""); });
  expect_refused("threads", [](Options& o) { o.threads = -1; });
  expect_refused("threads", [](Options& o) { o.threads = 2000; });
  expect_refused("memory", [](Options& o) { o.memory.bytes = -1; });
  expect_refused("semantics", [](Options& o) { o.semantics = "float16"; });
  expect_refused("semantics", [](Options& o) { o.semantics = "nominal"; });
  expect_refused("log-level", [](Options& o) { o.log_level = "loud"; });
}

TEST(ApiTexts, BoundsRefuseWhatTheyDoNotKnow) {
  const auto expect_refused = [&](const std::string& option, const std::function<void(BoundsRequest&)>& change) {
    BoundsRequest request;
    request.center = read_array(kDigits + "image.npy").values;
    change(request);
    const auto [code, message] = error_of([&] { bounds(kNetwork, request, {}); });
    EXPECT_EQ(code, ExitCode::Usage) << option;
    EXPECT_THAT(message, StartsWith("--" + option));
  };
  expect_refused("method", [](BoundsRequest& r) { r.method = "alpha"; });
  expect_refused("intermediate", [](BoundsRequest& r) { r.intermediate = "none"; });
  expect_refused("norm", [](BoundsRequest& r) { r.norm = "3"; });
  expect_refused("linear-form", [](BoundsRequest& r) {
    r.method = "ibp";
    r.linear_form = true;
  });
}

TEST(ApiTexts, ObservedPointsMustFitTheNetwork) {
  Options options;
  options.observe = kDigits + "differences.npy";
  const auto [code, message] = error_of([&] { verify(kNetwork, kDigits + "proved.vnnlib", options); });
  EXPECT_EQ(code, ExitCode::BadInput);
  EXPECT_THAT(message, AllOf(HasSubstr("differences.npy"), HasSubstr("expected 64 elements")));
}

TEST(ApiTexts, ArraysAreFoundByName) {
  const TempFolder folder;
  BoundsResult result;
  result.queries = result.rows = 1;
  result.lower = {-1};
  result.upper = {2};
  result.lower_error = result.upper_error = {0};
  const std::string file = folder.write("b.npz", to_npz(result));
  EXPECT_THAT(read_array(file + ":upper").values, testing::ElementsAre(2));
  EXPECT_THAT(error_of([&] { read_array(file + ":middle"); }).second, HasSubstr("there is no array 'middle'"));
  EXPECT_THAT(error_of([&] { read_array(file); }).second,
              AllOf(HasSubstr("4 arrays"), HasSubstr("lower, lower_error, upper, upper_error")));
}

}  // namespace
}  // namespace boundflow
