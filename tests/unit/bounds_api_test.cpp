// The public function `bounds` on the project's own example: what it states, about which inputs, and in which form.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"
#include "base/random.hpp"
#include "base/rounding.hpp"
#include "boundflow/boundflow.hpp"
#include "check/enclosure.hpp"
#include "frontends/onnx/onnx.hpp"
#include "io/npz.hpp"
#include "ops/operator.hpp"
#include "support/bound_checks.hpp"
#include "support/one_node.hpp"
#include "support/temp_folder.hpp"

namespace boundflow {
namespace {

using testing::HasSubstr;

constexpr std::size_t kInputs = 64;
constexpr std::size_t kOutputs = 10;
constexpr std::size_t kQueries = 3;

class Bounds : public testing::Test {
 protected:
  Bounds() {
    Random random(0);
    for (std::size_t i = 0; i < kQueries * kInputs; ++i) centers_.push_back(random.uniform());
  }

  BoundsRequest around(double eps, const std::string& norm = "inf", const std::string& method = "crown") const {
    BoundsRequest request;
    request.center = centers_;
    request.eps = eps;
    request.norm = norm;
    request.method = method;
    return request;
  }
  BoundsRequest one(const BoundsRequest& all, std::size_t query) const {
    BoundsRequest request = all;
    const auto begin = static_cast<std::ptrdiff_t>(query * kInputs);
    const std::vector<double> centers = all.center.copy();
    request.center = std::vector<double>(centers.begin() + begin, centers.begin() + begin + kInputs);
    return request;
  }
  static BoundsResult ask(const BoundsRequest& request, const std::string& semantics = "float32", int threads = 1) {
    Options options;
    options.semantics = semantics;
    options.threads = threads;
    return boundflow::bounds(kNetwork, request, options);
  }

  // Points of the input set: float32 numbers, so that what is executed is the point itself.
  static std::vector<double> point_of(const BoundsRequest& request, std::size_t query, Random& random) {
    const std::vector<double> centers = request.center.copy();
    const double* center = centers.data() + query * kInputs;
    std::vector<double> direction;
    double length = 0;
    const bool sparse = random.coin();
    for (std::size_t i = 0; i < kInputs; ++i) {
      direction.push_back(sparse && random.integer(0, 15) != 0 ? 0.0 : random.uniform(-1, 1));
      const double d = std::fabs(direction.back());
      length = request.norm == "inf" ? std::max(length, d) : length + (request.norm == "1" ? d : d * d);
    }
    if (request.norm == "2") length = std::sqrt(length);
    const double scale = length > 0 ? request.eps * (1 - 1e-5) / length : 0.0;
    std::vector<double> point;
    for (std::size_t i = 0; i < kInputs; ++i) {
      point.push_back(static_cast<double>(static_cast<float>(center[i] + scale * direction[i])));
    }
    return point;
  }
  // Where the outputs of the real-valued network lie, and those of one execution.
  Enclosure real_output(const std::vector<double>& point) const {
    return enclose(network_, operator_table(), point, point)[static_cast<std::size_t>(network_.output())];
  }
  std::vector<double> executed_output(const std::vector<double>& point) const {
    const Tensor input(network_.value(network_.input()).type.shape, std::vector<float>(point.begin(), point.end()));
    return evaluate_network(network_, input)[static_cast<std::size_t>(network_.output())].to_doubles();
  }

  static const std::string kNetwork;
  const Network network_ = read_onnx(kNetwork);
  std::vector<double> centers_;
};

const std::string Bounds::kNetwork = std::string(BOUNDFLOW_SOURCE_DIR) + "/examples/digits/digits_mlp.onnx";

void expect_equal(const BoundsResult& all, std::size_t first, const BoundsResult& part) {
  for (std::size_t k = 0; k < part.lower.size(); ++k) {
    EXPECT_EQ(all.lower[first + k], part.lower[k]) << k;
    EXPECT_EQ(all.upper[first + k], part.upper[k]) << k;
    EXPECT_EQ(all.lower_error[first + k], part.lower_error[k]) << k;
  }
}

TEST_F(Bounds, HoldAtSampledPointsForEveryMethodAndNorm) {
  Random random(1);
  for (const std::string method : {"ibp", "crown-ibp", "crown", "alpha-crown"}) {
    for (const std::string norm : {"inf", "2", "1"}) {
      if (method == "alpha-crown" && norm != "inf") continue;
      SCOPED_TRACE(method + ", norm " + norm);
      const BoundsRequest request = around(norm == "inf" ? 0.02 : norm == "2" ? 0.2 : 0.8, norm, method);
      const BoundsResult result = ask(request);
      ASSERT_EQ(result.queries, 3);
      ASSERT_EQ(result.rows, 10);
      ASSERT_EQ(result.complete, 3);
      for (int sample = 0; sample < 60; ++sample) {
        const auto query = static_cast<std::size_t>(sample) % kQueries;
        const std::vector<double> point = point_of(request, query, random);
        const Enclosure real = real_output(point);
        const std::vector<double> executed = executed_output(point);
        for (std::size_t j = 0; j < kOutputs; ++j) {
          const std::size_t k = query * kOutputs + j;
          ASSERT_TRUE(std::isfinite(result.lower[k]) && std::isfinite(result.upper[k]));
          EXPECT_LE(result.lower[k], std::min(executed[j], real.upper[j]));
          EXPECT_GE(result.upper[k], std::max(executed[j], real.lower[j]));
        }
      }
    }
  }
}

TEST_F(Bounds, LinearFormsHoldAtSampledPoints) {
  Random random(2);
  for (const std::string norm : {"inf", "2", "1"}) {
    BoundsRequest request = around(norm == "inf" ? 0.02 : 0.3, norm);
    request.linear_form = true;
    const BoundsResult result = ask(request);
    ASSERT_EQ(result.lower_form.size(), kQueries * kOutputs * kInputs);
    ASSERT_EQ(result.upper_form_constant.size(), kQueries * kOutputs);
    for (int sample = 0; sample < 30; ++sample) {
      const auto query = static_cast<std::size_t>(sample) % kQueries;
      const std::vector<double> point = point_of(request, query, random);
      const Enclosure real = real_output(point);
      std::vector<double> negated = point;
      for (double& x : negated) x = -x;
      for (std::size_t j = 0; j < kOutputs; ++j) {
        const std::size_t k = query * kOutputs + j;
        const double below = form_value_down(&result.lower_form[k * kInputs], result.lower_form_constant[k], point);
        const double above = -form_value_down(&result.upper_form[k * kInputs], -result.upper_form_constant[k], negated);
        EXPECT_LE(below, real.upper[j]);
        EXPECT_GE(above, real.lower[j]);
        EXPECT_GE(below, result.lower[k] - 1e-4) << "a form is no looser than the bound that is made of it";
        EXPECT_LE(above, result.upper[k] + 1e-4);
      }
    }
  }
}

TEST_F(Bounds, SemanticsAreNested) {
  for (const char* method : {"ibp", "crown-ibp", "crown"}) {
    const BoundsRequest request = around(0.03, "inf", method);
    const BoundsResult nominal = ask(request, "nominal"), real = ask(request, "real"), deployed = ask(request);
    for (std::size_t k = 0; k < nominal.lower.size(); ++k) {
      EXPECT_LT(deployed.lower[k], real.lower[k]);
      EXPECT_GT(deployed.upper[k], real.upper[k]);
      EXPECT_LT(real.lower[k], nominal.lower[k]);
      EXPECT_GT(real.upper[k], nominal.upper[k]);
      EXPECT_NEAR(deployed.lower[k], nominal.lower[k], 5e-3);
    }
  }
}

TEST_F(Bounds, MethodsAreOrderedByWidth) {
  double widths[3] = {0, 0, 0};
  int at = 0;
  for (const char* method : {"ibp", "crown-ibp", "crown"}) {
    const BoundsResult result = ask(around(0.03, "inf", method));
    for (std::size_t k = 0; k < result.lower.size(); ++k) widths[at] += result.upper[k] - result.lower[k];
    ++at;
  }
  EXPECT_GT(widths[0], widths[1]);
  EXPECT_GT(widths[1], widths[2]);
  BoundsRequest reference = around(0.03);
  reference.intermediate = "auto-lirpa";
  const BoundsResult result = ask(reference);
  double width = 0;
  for (std::size_t k = 0; k < result.lower.size(); ++k) width += result.upper[k] - result.lower[k];
  EXPECT_NEAR(width, widths[2], 0.05 * widths[2]);
}

TEST_F(Bounds, ABallOfNormInfIsItsBox) {
  const BoundsRequest ball = around(0x1p-5);
  std::vector<double> lower;
  std::vector<double> upper;
  for (const double c : centers_) {
    lower.push_back(sub_down(c, ball.eps));
    upper.push_back(add_up(c, ball.eps));
  }
  BoundsRequest box;
  box.lower = Numbers::view(std::span<const double>(lower));
  box.upper = Numbers::view(std::span<const double>(upper));
  expect_equal(ask(ball), 0, ask(box));
}

TEST_F(Bounds, SmallerNormsGiveSmallerSets) {
  const BoundsResult inf = ask(around(0.05)), two = ask(around(0.05, "2")), one = ask(around(0.05, "1"));
  for (std::size_t k = 0; k < inf.lower.size(); ++k) {
    EXPECT_LT(inf.lower[k], two.lower[k]);
    EXPECT_LT(two.lower[k], one.lower[k]);
  }
}

TEST_F(Bounds, SeveralInputsEqualSingleCallsForAnyNumberOfThreads) {
  for (const char* method : {"ibp", "crown"}) {
    const BoundsRequest request = around(0.03, "inf", method);
    const BoundsResult all = ask(request);
    expect_equal(ask(request, "float32", 4), 0, all);
    for (std::size_t query = 0; query < kQueries; ++query) {
      expect_equal(all, query * kOutputs, ask(one(request, query)));
    }
  }
}

// One C for all queries, and one each.
TEST_F(Bounds, OfSpecificationsHold) {
  Random random(3);
  BoundsRequest request = around(0.02);
  LinearSpec spec = random_spec(random, 2, kInputs, kOutputs, false);
  std::fill(spec.output_coefficient_errors.begin(), spec.output_coefficient_errors.end(), 0.0);
  std::fill(spec.constants.begin(), spec.constants.end(), 0.0);
  std::fill(spec.constant_errors.begin(), spec.constant_errors.end(), 0.0);
  request.specification = {{2, kOutputs}, spec.output_coefficients};
  const BoundsResult shared = ask(request);
  ASSERT_EQ(shared.rows, 2);
  for (int sample = 0; sample < 30; ++sample) {
    const auto query = static_cast<std::size_t>(sample) % kQueries;
    const std::vector<double> point = point_of(request, query, random);
    const std::vector<double> y = executed_output(point);
    for (std::int64_t row = 0; row < 2; ++row) {
      EXPECT_LE(shared.lower[query * 2 + static_cast<std::size_t>(row)], row_value_up(spec, row, point, y, y));
    }
  }

  BoundsRequest own = request;
  own.specification.shape = {kQueries, 2, kOutputs};
  for (std::size_t query = 1; query < kQueries; ++query) {
    own.specification.values.insert(own.specification.values.end(), spec.output_coefficients.begin(),
                                    spec.output_coefficients.end());
  }
  expect_equal(ask(own), 0, shared);
  // The last query's rows in the other order.
  std::rotate(own.specification.values.end() - 2 * kOutputs, own.specification.values.end() - kOutputs,
              own.specification.values.end());
  const BoundsResult rotated = ask(own);
  EXPECT_EQ(rotated.lower[4], shared.lower[5]);
  EXPECT_EQ(rotated.lower[5], shared.lower[4]);
  EXPECT_EQ(rotated.lower[2], shared.lower[2]);

  request.specification = {
      {kOutputs}, std::vector<double>(spec.output_coefficients.begin(), spec.output_coefficients.begin() + kOutputs)};
  const BoundsResult single = ask(request);
  EXPECT_EQ(single.rows, 1);
  EXPECT_EQ(single.lower[0], shared.lower[0]);
}

TEST_F(Bounds, BeforeTheNetworkIsReadThereIsNothing) {
  Options options;
  options.timeout = 1e-9;
  const BoundsResult result = boundflow::bounds(kNetwork, around(0.03), options);
  EXPECT_EQ(result.reason, "timeout");
  EXPECT_FALSE(result.interrupted);
  EXPECT_EQ(result.queries, 0);
  EXPECT_EQ(result.complete, 0);
  EXPECT_TRUE(result.lower.empty());
  const TempFolder folder;
  EXPECT_EQ(read_npz(folder.write("b.npz", to_npz(result))).at("lower").values.size(), 0U);
  const std::string table = to_table(result);
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 1);
}

// Whenever the time is up: what is complete holds, and nothing is said of the rest.
TEST_F(Bounds, ATimeLimitLeavesWhatIsUnknownInfinite) {
  const BoundsResult all = ask(around(0.03));
  EXPECT_EQ(all.reason, "");
  for (double timeout = 1e-5; timeout < 10; timeout *= 1.5) {
    Options options;
    options.threads = 1;
    options.timeout = timeout;
    const BoundsResult result = boundflow::bounds(kNetwork, around(0.03), options);
    EXPECT_EQ(result.reason, result.queries > 0 && result.complete == result.queries ? "" : "timeout");
    std::int64_t known = 0;
    for (std::size_t k = 0; k < result.lower.size(); ++k) {
      if (result.lower[k] == -kInfinity) {
        EXPECT_EQ(result.upper[k], kInfinity);
        continue;
      }
      EXPECT_EQ(result.lower[k], all.lower[k]);
      EXPECT_EQ(result.upper[k], all.upper[k]);
      ++known;
    }
    EXPECT_EQ(known, result.complete * static_cast<std::int64_t>(kOutputs));
  }
}

TEST_F(Bounds, AnInterruptStops) {
  const std::atomic<bool> interrupt{true};
  VerifyHooks hooks;
  hooks.interrupt = &interrupt;
  const BoundsResult result = boundflow::bounds(kNetwork, around(0.03), {}, hooks);
  EXPECT_TRUE(result.interrupted);
  EXPECT_EQ(result.reason, "interrupted");
  EXPECT_EQ(result.complete, 0);
}

TEST_F(Bounds, HugeInputSetsAreUnknownRatherThanWrong) {
  BoundsRequest request = around(1e37);
  const BoundsResult result = ask(request);
  for (std::size_t k = 0; k < result.lower.size(); ++k) EXPECT_FALSE(result.lower[k] > result.upper[k]);
  request.eps = 1e39;
  EXPECT_THAT(error_of([&] { ask(request); }), HasSubstr("beyond the range of float32"));
}

TEST_F(Bounds, AreWrittenAndPrinted) {
  BoundsRequest request = around(0.02);
  request.linear_form = true;
  const BoundsResult result = ask(request);
  const TempFolder folder;
  const auto arrays = read_npz(folder.write("b.npz", to_npz(result)));
  ASSERT_EQ(arrays.size(), 8U);
  EXPECT_EQ(arrays.at("lower").values, result.lower);
  EXPECT_EQ(arrays.at("upper_error").values, result.upper_error);
  EXPECT_THAT(arrays.at("lower_form").shape, testing::ElementsAre(3, 10, 64));
  EXPECT_EQ(arrays.at("upper_form_constant").values, result.upper_form_constant);
  const std::string table = to_table(result, 7);
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 9);
  EXPECT_THAT(table, HasSubstr("... and 23 more"));
}

TEST_F(Bounds, FaultyRequestsAreRefused) {
  const auto refused = [&](const std::string& message, const std::function<void(BoundsRequest&)>& spoil) {
    BoundsRequest request = around(0.1);
    spoil(request);
    EXPECT_THAT(error_of([&] { ask(request); }), HasSubstr(message));
  };
  const auto with = [](const Numbers& numbers, std::size_t element, double value) {
    std::vector<double> values = numbers.copy();
    values[element] = value;
    return values;
  };
  const double nan = std::nan("");
  refused("the radius is -1", [](BoundsRequest& r) { r.eps = -1; });
  refused("the radius is nan", [&](BoundsRequest& r) { r.eps = nan; });
  refused("the radius is inf", [](BoundsRequest& r) { r.eps = kInfinity; });
  refused("center has 191 elements; a multiple of the network's 64",
          [&](BoundsRequest& r) { r.center = Numbers::view(std::span<const double>(centers_).first(191)); });
  refused("center: element 5 is nan", [&](BoundsRequest& r) { r.center = with(r.center, 5, nan); });
  refused("either --center and --eps, or --lower and --upper", [](BoundsRequest& r) { r.center = {}; });
  refused("either --center and --eps, or --lower and --upper", [](BoundsRequest& r) { r.lower = r.upper = r.center; });
  const auto box = [](BoundsRequest& r) {
    r.lower = r.upper = r.center;
    r.center = {};
  };
  refused("box 1: input 6", [&](BoundsRequest& r) {
    box(r);
    r.lower = with(r.lower, 70, 2);
  });
  refused("lower: element 0 is -inf", [&](BoundsRequest& r) {
    box(r);
    r.lower = with(r.lower, 0, -kInfinity);
  });
  refused("equal numbers", [&](BoundsRequest& r) {
    box(r);
    r.upper = Numbers::view(std::span<const double>(centers_).first(191));
  });
  refused("--norm: a box has none", [&](BoundsRequest& r) {
    box(r);
    r.norm = "2";
  });
  refused("--norm: expected inf, 2 or 1", [](BoundsRequest& r) { r.norm = "3"; });
  refused("--method: expected ibp, crown-ibp, crown or alpha-crown", [](BoundsRequest& r) { r.method = "Crown"; });
  refused("--intermediate: expected adaptive or auto-lirpa", [](BoundsRequest& r) {
    r.method = "ibp";
    r.intermediate = "best";
  });
  refused("no linear form", [](BoundsRequest& r) {
    r.method = "ibp";
    r.linear_form = true;
  });
  const auto with_slopes = [&](const std::function<void(BoundsRequest&)>& change) {
    return [change](BoundsRequest& r) {
      r.method = "alpha-crown";
      change(r);
    };
  };
  refused("input sets are boxes", with_slopes([](BoundsRequest& r) { r.norm = "2"; }));
  refused("not with --method alpha-crown", with_slopes([](BoundsRequest& r) { r.linear_form = true; }));
  refused("alpha-crown takes adaptive only", with_slopes([](BoundsRequest& r) { r.intermediate = "auto-lirpa"; }));
  refused("--steps: expected at least 1", with_slopes([](BoundsRequest& r) { r.steps = 0; }));
  for (const Ints& shape : {Ints{}, Ints{30}, Ints{2, 15}, Ints{10, 3}, Ints{3, 5, 2}, Ints{1, 3, 10},
                            Ints{3, 1, 1, 10}, Ints{4, 10}, Ints{0, 10}}) {
    refused("[rows, 10] or [3, rows, 10] is expected", [&](BoundsRequest& r) {
      r.specification = {shape, std::vector<double>(30, 1.0)};
    });
  }
  refused("the specification: element 3 is nan", [&](BoundsRequest& r) {
    r.specification = {{1, 10}, std::vector<double>(10, 1.0)};
    r.specification.values[3] = nan;
  });
}

}  // namespace
}  // namespace boundflow
