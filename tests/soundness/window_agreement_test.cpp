// Walks whose rows store windows find the bounds that walks over whole images find, in every executor.
#include <gtest/gtest.h>

#include "engine/split_engine.hpp"
#include "passes/passes.hpp"
#include "support/bound_checks.hpp"
#include "support/bound_comparison.hpp"
#include "support/random_image_network.hpp"

namespace boundflow {
namespace {

struct Answer {
  bool windowed;
  std::vector<QueryEngine::ValueBounds> intermediate;
  BoundAnswer rows;
};

Answer answer(const std::shared_ptr<const Network>& network, const NamedExecutor& executor, const FlatQuery& flat,
              bool windows) {
  const QueryEngine engine(
      network, executor.executor,
      {.lowering = {.input_terms = !flat.query.spec->input_coefficients.empty(), .windows = windows}});
  return {print(engine.bounds_program().program()).find(" window ") != std::string::npos,
          engine.intermediate_bounds(flat.query), engine.bound(flat.query, Deadline())};
}

// How far apart two values of one bound may be.
struct Tolerance {
  double relative;  // to the largest activation
  bool errors;      // the stated errors of both on top
};

void expect_agreement(const Answer& a, const Answer& b, const Tolerance& tolerance, std::int64_t& compared) {
  ASSERT_EQ(a.intermediate.size(), b.intermediate.size());
  const double largest = 1 + largest_activation(b.intermediate);
  const double near = tolerance.relative * largest;
  for (std::size_t k = 0; k < a.intermediate.size(); ++k) {
    const QueryEngine::ValueBounds& one = a.intermediate[k];
    const QueryEngine::ValueBounds& other = b.intermediate[k];
    ASSERT_EQ(one.value, other.value);
    for (std::size_t i = 0; i < one.lower.size(); ++i) {
      const bool same =
          std::fabs(one.lower[i] - other.lower[i]) <= near && std::fabs(one.upper[i] - other.upper[i]) <= near;
      // An interval that ends at zero but for rounding: rows tighten it or not.
      if (!same && (one.lower[i] >= -near || one.upper[i] <= near)) return;
      EXPECT_TRUE(same) << "value " << one.value << "[" << i << "]: [" << one.lower[i] << ", " << one.upper[i]
                        << "] and [" << other.lower[i] << ", " << other.upper[i] << "]";
    }
    if (!same_lines(one, other)) return;  // what follows stands on other lines
  }
  for (std::size_t n = 0; n < a.rows.nominal.size(); ++n) {
    ++compared;
    const double errors = tolerance.errors ? a.rows.error[n] + b.rows.error[n] : 0;
    const double scale = near + tolerance.relative * std::fabs(b.rows.nominal[n]);
    EXPECT_NEAR(a.rows.nominal[n], b.rows.nominal[n], 10 * scale + errors) << "row " << n;
  }
}

struct Case {
  explicit Case(std::uint64_t seed) {
    Random random(seed);
    RandomImageOptions options{.min_extent = 5, .max_extent = 12, .max_elements = 300, .blocks = 3, .smooth = false};
    options.only_convolutions = seed % 2 == 0;
    network = std::make_shared<const Network>(random_image_network(random, options));
    const std::int64_t inputs = network->size_of(network->input());
    spec = random_spec(random, 3, inputs, network->size_of(network->output()), random.coin());
    for (int b = 0; b < 2; ++b) {
      InputBox box = random_box(random, inputs);
      // Small enough for bounds that do not explode, which would hide what differs.
      for (std::size_t i = 0; i < box.lower.size(); ++i) {
        const double center = random.uniform(-1, 1), radius = random.uniform(0, 0.2);
        box.lower[i] = center - radius;
        box.upper[i] = center + radius;
      }
      boxes.push_back(std::move(box));
    }
  }
  std::shared_ptr<const Network> network;
  LinearSpec spec;
  std::vector<InputBox> boxes;
};

TEST(WindowAgreement, WindowsFindTheBoundsOfWholeImages) {
  std::int64_t windowed = 0, cases = 0, compared = 0;
  for (std::uint64_t seed = 0; seed < 40 / kSanitizerShare && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Case test(seed);
    for (const NamedExecutor& executor : all_executors()) {
      for (const auto semantics : {Semantics::Nominal, Semantics::Float32}) {
        SCOPED_TRACE(executor.name + (semantics == Semantics::Nominal ? " nominal" : " float32"));
        const FlatQuery flat(test.spec, test.boxes, semantics);
        const Answer with = answer(test.network, executor, flat, true);
        const Answer without = answer(test.network, executor, flat, false);
        EXPECT_FALSE(without.windowed);
        ++cases;
        if (with.windowed) ++windowed;
        const double relative = executor.name == "float32" ? 2e-5 : 1e-11;
        expect_agreement(with, without, {relative, semantics != Semantics::Nominal}, compared);
      }
    }
  }
  EXPECT_GT(10 * windowed, 3 * cases);
  EXPECT_GT(compared, 4 * cases);
}

TEST(WindowAgreement, ExecutorsAgree) {
  std::int64_t compared = 0;
  for (std::uint64_t seed = 100; seed < 100 + 300 / kSanitizerShare && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Case test(seed);
    const FlatQuery flat(test.spec, test.boxes, Semantics::Nominal);
    std::vector<Answer> answers;
    for (const NamedExecutor& executor : all_executors()) {
      answers.push_back(answer(test.network, executor, flat, true));
    }
    // Where inputs of a maximum nearly tie, float32 may rightly take the plane of another one.
    if (seed % 2 == 0) expect_agreement(answers[1], answers[0], {2e-5, false}, compared);
    expect_agreement(answers[2], answers[0], {1e-11, false}, compared);
  }
  EXPECT_GT(compared, 1000 / kSanitizerShare);
}

struct Refined {
  std::string programs;
  std::vector<GivenValue> values;
};

// Bounds of all values after steps and splits of their rows.
std::optional<Refined> refined(const std::shared_ptr<const Network>& network, const NamedExecutor& executor,
                               const InputBox& box, bool windows) {
  const auto engine = std::make_shared<const QueryEngine>(
      network, executor.executor, QueryEngine::Options{.lowering = {.windows = windows}, .splits = true});
  Refined result;
  for (const auto& program : engine->split_programs().programs) result.programs += print(program->program());
  if (result.programs.empty()) return std::nullopt;
  SplitEngine splits(engine, box, Semantics::Nominal, Deadline());
  splits.refine({.effort = {.steps = 3}, .splits = 4, .split_effort = {.steps = 6}}, {Deadline()});
  result.values.assign(splits.given().begin(), splits.given().end());
  return result;
}

struct RowGradients {
  std::vector<GivenValue> given;
  std::vector<SplitEngine::Gradients> rows;
};

// Of some rows of each layer, with random lines.
RowGradients row_gradients(const std::shared_ptr<const Network>& network,
                           const std::shared_ptr<const Executor>& executor, const InputBox& box, std::uint64_t seed,
                           bool windows) {
  const auto engine = std::make_shared<const QueryEngine>(
      network, executor, QueryEngine::Options{.lowering = {.windows = windows}, .splits = true});
  RowGradients result;
  if (engine->split_programs().programs.empty()) return result;
  const SplitEngine splits(engine, box, Semantics::Nominal, Deadline());
  result.given.assign(splits.given().begin(), splits.given().end());
  Random random(seed);
  for (std::size_t p = 1; p < engine->split_programs().programs.size(); ++p) {
    const crown::NeuronLayer& layer = engine->split_programs().layers[engine->split_programs().targets[p - 1]];
    for (int row = 0; row < 20; ++row) {
      SplitSubproblem subproblem;
      subproblem.row = static_cast<std::int32_t>(random.integer(0, layer.columns - 1));
      std::vector<std::uint8_t> slopes;
      for (std::int64_t k = 0; k < splits.choices(); ++k) {
        slopes.push_back(static_cast<std::uint8_t>(random.integer(1, 255)));
      }
      subproblem.slopes = std::make_shared<const std::vector<std::uint8_t>>(std::move(slopes));
      result.rows.push_back(splits.gradients(p, random.coin() ? 1 : -1, subproblem, Deadline()));
    }
  }
  return result;
}

// Two engines may have chosen other lines of a neuron where two are equally good but for rounding.
bool same_bounds(const std::vector<GivenValue>& a, const std::vector<GivenValue>& b) {
  const auto near = [](double x, double y) { return std::fabs(x - y) <= 1e-11 * (1 + std::fabs(x)); };
  for (std::size_t v = 0; v < a.size(); ++v) {
    if (!std::equal(a[v].lower.begin(), a[v].lower.end(), b[v].lower.begin(), near)) return false;
    if (!std::equal(a[v].upper.begin(), a[v].upper.end(), b[v].upper.begin(), near)) return false;
  }
  return true;
}

TEST(WindowAgreement, GradientsAreThoseOfWholeImages) {
  std::int64_t networks = 0, moving = 0;
  for (std::uint64_t seed = 700; seed < 700 + 150 / kSanitizerShare && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Case test(seed);
    for (double& x : test.boxes[0].lower) x -= 0.5;  // for unstable neurons
    for (double& x : test.boxes[0].upper) x += 0.5;
    const auto network = std::make_shared<const Network>(run_passes(*test.network, operator_table()));
    for (const NamedExecutor& executor : all_executors()) {
      if (executor.name == "float32") continue;  // its rounding decides signs
      const RowGradients with = row_gradients(network, executor.executor, test.boxes[0], seed, true);
      const RowGradients without = row_gradients(network, executor.executor, test.boxes[0], seed, false);
      if (!same_bounds(with.given, without.given)) continue;
      ++networks;
      ASSERT_EQ(with.rows.size(), without.rows.size());
      for (std::size_t r = 0; r < with.rows.size(); ++r) {
        const SplitEngine::Gradients &a = with.rows[r], &b = without.rows[r];
        if (a.slopes.size() != b.slopes.size()) continue;  // an end at zero but for rounding
        EXPECT_NEAR(a.answer.nominal, b.answer.nominal, 1e-9 * (1 + std::fabs(b.answer.nominal)));
        const auto size = [](float x) { return std::fabs(static_cast<double>(x)); };
        for (std::size_t k = 0; k < a.slopes.size(); ++k) {
          moving += b.slopes[k] != 0 ? 1 : 0;
          EXPECT_NEAR(a.slopes[k], b.slopes[k], 1e-5 * (1 + size(b.slopes[k])));
        }
      }
    }
  }
  EXPECT_GT(networks, 200 / kSanitizerShare);
  EXPECT_GT(moving, 3000 / kSanitizerShare);
}

// Steps follow signs of gradients, and where one is zero but for rounding two walks may go two ways: nearly all bounds
// are the same.
TEST(WindowAgreement, RefinedBoundsAreThoseOfWholeImages) {
  std::int64_t windowed = 0, cut = 0, compared = 0, apart = 0, multiplied = 0;
  for (std::uint64_t seed = 500; seed < 500 + 40 / kSanitizerShare && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Case test(seed);
    const auto network = std::make_shared<const Network>(run_passes(*test.network, operator_table()));
    for (const NamedExecutor& executor : all_executors()) {
      const auto with = refined(network, executor, test.boxes[0], true);
      const auto without = refined(network, executor, test.boxes[0], false);
      if (!with) continue;
      EXPECT_EQ(without->programs.find(" window "), std::string::npos);
      windowed += with->programs.find(" window ") != std::string::npos ? 1 : 0;
      for (std::size_t at = 0; (at = with->programs.find("apply_splits", at)) != std::string::npos; ++at) {
        const std::string line = with->programs.substr(at, with->programs.find('\n', at) - at);
        multiplied += line.find(" window ") != std::string::npos ? 1 : 0;
      }
      cut += with->programs.find("cut_window") != std::string::npos ? 1 : 0;
      const double near = executor.name == "float32" ? 2e-5 : 1e-10;
      for (std::size_t v = 0; v < with->values.size(); ++v) {
        for (std::size_t i = 0; i < with->values[v].lower.size(); ++i) {
          const double lower = without->values[v].lower[i], upper = without->values[v].upper[i];
          const double scale = near * (1 + std::max(std::fabs(lower), std::fabs(upper)));
          const bool same = std::fabs(with->values[v].lower[i] - lower) <= scale &&
                            std::fabs(with->values[v].upper[i] - upper) <= scale;
          ++compared;
          apart += same ? 0 : 1;
        }
      }
    }
  }
  EXPECT_GT(windowed, 60 / kSanitizerShare);
  EXPECT_GT(cut, 10 / kSanitizerShare);
  EXPECT_GT(multiplied, 100 / kSanitizerShare);
  EXPECT_GT(compared, 10000 / kSanitizerShare);
  EXPECT_LT(1000 * apart, compared) << apart << " of " << compared;
}

}  // namespace
}  // namespace boundflow
