// Executors differ in kernels only: their nominal bounds differ by no more than their stated errors, and a native
// answer depends on neither the batch, the size of row blocks, nor the number of threads.
#include <gtest/gtest.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <bit>

#include "support/bound_checks.hpp"
#include "support/bound_comparison.hpp"
#include "support/random_network.hpp"

namespace boundflow {
namespace {

struct Case {
  Case(std::uint64_t seed, const RandomNetworkOptions& options, std::int64_t rows, int subproblems) {
    Random random(seed);
    network = std::make_shared<const Network>(random_network(random, options));
    const std::int64_t inputs = network->size_of(network->input()), outputs = network->size_of(network->output());
    spec = random_spec(random, rows, inputs, outputs, random.coin());
    for (int b = 0; b < subproblems; ++b) boxes.push_back(random_box(random, inputs));
  }
  BoundLowering lowering(IntermediateBounds method) const {
    return {.intermediate = method, .input_terms = !spec.input_coefficients.empty()};
  }

  std::shared_ptr<const Network> network;
  LinearSpec spec;
  std::vector<InputBox> boxes;
};

TEST(ExecutorAgreement, NominalBoundsAgree) {
  std::int64_t compared = 0;
  for (std::uint64_t seed = 0; seed < 600 / kSanitizerShare && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomNetworkOptions options;
    if (seed % 4 == 0) options.dtype = DType::Float64;
    const Case test(seed, options, 4, 2);
    // The interval method: with bounds of bounds in between, lower lines may be chosen differently.
    const BoundLowering lowering = test.lowering(IntermediateBounds::Interval);
    const FlatQuery flat(test.spec, test.boxes, Semantics::Real);
    std::vector<BoundAnswer> answers;
    std::vector<std::vector<QueryEngine::ValueBounds>> intermediate;
    for (const NamedExecutor& executor : all_executors()) {
      const QueryEngine engine(test.network, executor.executor, {.lowering = lowering});
      answers.push_back(engine.bound(flat.query, Deadline()));
      intermediate.push_back(engine.intermediate_bounds(flat.query));
    }
    for (std::size_t n = 0; n < flat.rows.size(); ++n) {
      for (std::size_t e = 1; e < answers.size(); ++e) {
        const bool comparable = std::equal(intermediate[0].begin(), intermediate[0].end(), intermediate[e].begin(),
                                           [](const auto& a, const auto& b) { return same_lines(a, b); });
        if (!comparable) continue;
        const double nominal = answers[e].nominal[n], error = answers[e].error[n];
        if (!std::isfinite(answers[0].nominal[n]) || !std::isfinite(nominal)) continue;
        ++compared;
        // The lines differ a little, because the bounds that they stand on are rounded outward by different amounts.
        const double tolerance =
            error + answers[0].error[n] + 1e-3 * (1 + std::fabs(nominal) + largest_activation(intermediate[0]));
        EXPECT_NEAR(nominal, answers[0].nominal[n], tolerance) << "executor " << e << " row " << n;
      }
    }
  }
  EXPECT_GT(compared, 4000 / kSanitizerShare);
}

// Without unstable neurons there is one walk, and its exact value lies within every executor's error.
TEST(ExecutorAgreement, LinearWalksAgreeWithinTheErrors) {
  for (std::uint64_t seed = 0; seed < 600 / kSanitizerShare && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Case test(seed, {}, 4, 2);
    for (InputBox& box : test.boxes) box.upper = box.lower;  // a point: every neuron is stable unless rounding decides
    const FlatQuery flat(test.spec, test.boxes, Semantics::Real);
    std::vector<BoundAnswer> answers;
    for (const NamedExecutor& executor : all_executors()) {
      const QueryEngine engine(test.network, executor.executor, {.lowering = test.lowering(IntermediateBounds::Crown)});
      answers.push_back(engine.bound(flat.query, Deadline()));
    }
    for (std::size_t n = 0; n < flat.rows.size(); ++n) {
      for (std::size_t e = 1; e < answers.size(); ++e) {
        const double difference = std::fabs(answers[e].nominal[n] - answers[0].nominal[n]);
        if (!std::isfinite(difference)) continue;
        EXPECT_LE(difference, answers[e].error[n] + answers[0].error[n]) << "executor " << e << " row " << n;
      }
    }
  }
}

TEST(ExecutorAgreement, IntermediateBoundsAgree) {
  for (std::uint64_t seed = 0; seed < 600 / kSanitizerShare && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Case test(seed, {.extreme_scales = false}, 1, 2);
    const FlatQuery flat(test.spec, test.boxes, Semantics::Real);
    for (const auto method : {IntermediateBounds::Interval, IntermediateBounds::Crown}) {
      std::vector<std::vector<QueryEngine::ValueBounds>> all;
      for (const NamedExecutor& executor : all_executors()) {
        all.push_back(QueryEngine(test.network, executor.executor, {.lowering = test.lowering(method)})
                          .intermediate_bounds(flat.query));
      }
      for (std::size_t e = 1; e < all.size(); ++e) {
        ASSERT_EQ(all[e].size(), all[0].size());
        for (std::size_t k = 0; k < all[0].size(); ++k) {
          ASSERT_EQ(all[e][k].value, all[0][k].value);
          for (std::size_t i = 0; i < all[0][k].lower.size(); ++i) {
            const double l = all[0][k].lower[i], u = all[0][k].upper[i];
            const double tolerance = 1e-4 * (1 + largest_activation(all[0]));
            EXPECT_NEAR(all[e][k].lower[i], l, tolerance) << "executor " << e << " value " << all[0][k].value;
            EXPECT_NEAR(all[e][k].upper[i], u, tolerance) << "executor " << e << " value " << all[0][k].value;
          }
          if (!same_lines(all[0][k], all[e][k])) break;  // later values stand on other lines
        }
      }
    }
  }
}

bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](double x, double y) {
    return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y);
  });
}

void expect_same(const BoundAnswer& a, const BoundAnswer& b) {
  EXPECT_TRUE(same_bits(a.nominal, b.nominal));
  EXPECT_TRUE(same_bits(a.error, b.error));
  EXPECT_TRUE(same_bits(a.form, b.form));
  EXPECT_TRUE(same_bits(a.form_constant, b.form_constant));
}

class NativeAnswer : public testing::TestWithParam<Precision> {};
INSTANTIATE_TEST_SUITE_P(, NativeAnswer, testing::Values(Precision::Float32, Precision::Float64),
                         [](const auto& info) { return info.param == Precision::Float32 ? "Float32" : "Float64"; });

TEST_P(NativeAnswer, OfABatchIsThatOfEachSubproblemAlone) {
  for (std::uint64_t seed = 0; seed < 200 / kSanitizerShare && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Case test(seed, {.max_width = 40}, 5, 7);
    const QueryEngine engine(test.network, make_native_executor(GetParam()),
                             {.lowering = test.lowering(IntermediateBounds::Crown)});
    const FlatQuery all(test.spec, test.boxes, Semantics::Float32);
    const BoundAnswer together = engine.bound(all.query, Deadline());
    const auto bounds_together = engine.intermediate_bounds(all.query);
    BoundAnswer joined;
    for (std::size_t b = 0; b < test.boxes.size(); ++b) {
      const FlatQuery one(test.spec, {test.boxes[b]}, Semantics::Float32);
      const BoundAnswer alone = engine.bound(one.query, Deadline());
      joined.nominal.insert(joined.nominal.end(), alone.nominal.begin(), alone.nominal.end());
      joined.error.insert(joined.error.end(), alone.error.begin(), alone.error.end());
      joined.form.insert(joined.form.end(), alone.form.begin(), alone.form.end());
      joined.form_constant.insert(joined.form_constant.end(), alone.form_constant.begin(), alone.form_constant.end());
      const auto bounds_alone = engine.intermediate_bounds(one.query);
      for (std::size_t k = 0; k < bounds_alone.size(); ++k) {
        const auto n = static_cast<std::ptrdiff_t>(bounds_alone[k].lower.size());
        const auto first = bounds_together[k].lower.begin() + static_cast<std::ptrdiff_t>(b) * n;
        EXPECT_TRUE(same_bits(bounds_alone[k].lower, {first, first + n}));
      }
    }
    expect_same(together, joined);
  }
}

TEST_P(NativeAnswer, DependsOnNeitherBlocksNorThreads) {
  for (std::uint64_t seed = 0; seed < 80 / kSanitizerShare && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    // Enough rows for several blocks of the smallest size, 32.
    const Case test(seed, {.max_width = 70}, 50, 4);
    const FlatQuery flat(test.spec, test.boxes, Semantics::Float32);
    const auto answer = [&](std::int64_t block_bytes, int threads) {
      const QueryEngine engine(test.network, make_native_executor(GetParam()),
                               {.lowering = test.lowering(IntermediateBounds::Crown), .block_bytes = block_bytes});
      EXPECT_EQ(engine.rows_per_block(), block_bytes == 1 ? 32 : 256);
      BoundAnswer result;
      tbb::task_arena(threads).execute([&] { result = engine.bound(flat.query, Deadline()); });
      return result;
    };
    const BoundAnswer reference = answer(1, 1);
    ASSERT_TRUE(reference.complete);
    expect_same(reference, answer(1, 2));
    expect_same(reference, answer(std::int64_t{1} << 40, 1));
    expect_same(reference, answer(std::int64_t{1} << 40, 2));
  }
}

// Queries of one engine from several threads, with results that do not mix.
TEST_P(NativeAnswer, SurvivesConcurrentQueries) {
  const Case test(3, {.max_width = 30}, 6, 5);
  const QueryEngine engine(test.network, make_native_executor(GetParam()),
                           {.lowering = test.lowering(IntermediateBounds::Crown)});
  const FlatQuery flat(test.spec, test.boxes, Semantics::Float32);
  const BoundAnswer expected = engine.bound(flat.query, Deadline());
  std::vector<BoundAnswer> answers(40);
  tbb::task_arena(2).execute([&] {
    tbb::parallel_for(std::size_t{0}, answers.size(),
                      [&](std::size_t i) { answers[i] = engine.bound(flat.query, Deadline()); });
  });
  for (const BoundAnswer& answer : answers) expect_same(answer, expected);
}

TEST_P(NativeAnswer, OfAnExpiredQueryIsIncomplete) {
  const Case test(4, {}, 3, 2);
  const QueryEngine engine(test.network, make_native_executor(GetParam()),
                           {.lowering = test.lowering(IntermediateBounds::Crown)});
  const FlatQuery flat(test.spec, test.boxes, Semantics::Float32);
  EXPECT_FALSE(engine.bound(flat.query, Deadline(0.0)).complete);
}

}  // namespace
}  // namespace boundflow
