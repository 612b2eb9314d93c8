// The fused kernel of an interval step: centres by M and spans by |M| from one reading of M.
#include "exec/tvm/generated_interval.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "exec/tvm/generated_map.hpp"
#include "exec/tvm/open_plugin.hpp"
#include "program/storage_plan.hpp"
#include "support/random_linear_map.hpp"
#include "support/tempting_number.hpp"
#include "support/with_tvm.hpp"

namespace boundflow::generated {
namespace {

using native::Direction;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

LinearMap matrix(std::int64_t rows, std::int64_t columns, std::vector<double> weights) {
  return LinearMap(DenseMap{1, rows, columns, 1, std::move(weights)});
}

struct Step {
  LinearMap map;
  std::int64_t spans;
  std::int64_t n;
  std::vector<float> in;  // [1 + spans, n, columns]

  std::int64_t rows() const { return (1 + spans) * n; }
};

Step random_step(Random& random) {
  const std::int64_t rows = random.integer(1, 70), columns = random.integer(1, 60);
  Step step{
      matrix(rows, columns, random_numbers(random, rows * columns)), random.integer(1, 2), random.integer(1, 9), {}};
  for (std::int64_t i = 0; i < step.rows() * columns; ++i) step.in.push_back(static_cast<float>(random.uniform(-2, 2)));
  return step;
}

class IntervalProducts : public testing::Test {
 protected:
  void SetUp() override {
    BOUNDFLOW_SKIP_WITHOUT_TVM();
    kernels_ = std::make_unique<GeneratedKernels>(open_plugin(), "x86-64-v3", nullptr);
  }
  std::vector<float> generated(const Step& step, float before = 0, bool accumulate = false) {
    KernelUse use;
    return apply(GeneratedInterval(step.map, *kernels_, use), step, before, accumulate);
  }
  static std::vector<float> native(const Step& step, float before = 0, bool accumulate = false) {
    return apply(*native::make_map_kernel<float>(step.map, Direction::Interval), step, before, accumulate);
  }

  std::unique_ptr<GeneratedKernels> kernels_;

 private:
  // Without what stands behind the columns.
  static std::vector<float> apply(const native::MapKernel<float>& kernel, const Step& step, float before,
                                  bool accumulate) {
    const std::int64_t out = step.map.out_size(), ld = padded_columns(out);
    std::vector<float> padded(static_cast<std::size_t>(step.rows() * ld), before);
    kernel.apply_interval(step.in.data(), step.spans, step.n, padded.data(), ld, accumulate);
    std::vector<float> result;
    for (std::int64_t i = 0; i < step.rows(); ++i) {
      result.insert(result.end(), padded.begin() + i * ld, padded.begin() + i * ld + out);
    }
    return result;
  }
};

TEST_F(IntervalProducts, AreThoseOfNativeKernels) {
  for (std::uint64_t seed = 0; seed < 300 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Step step = random_step(random);
    const bool accumulate = random.coin();
    const std::vector<float> computed = generated(step, 1.5F, accumulate), expected = native(step, 1.5F, accumulate);
    for (std::size_t i = 0; i < computed.size(); ++i) {
      // Sums in the same order.
      ASSERT_FLOAT_EQ(computed[i], expected[i])
          << step.map.print() << ", entry " << i << " of " << step.rows() << " rows";
    }
  }
}

TEST_F(IntervalProducts, OfASubproblemDoNotDependOnTheOthers) {
  Random random(2);
  const std::int64_t columns = 37, most = 7;
  Step all{matrix(35, columns, random_numbers(random, 35 * columns)), 2, most, {}};
  for (std::int64_t i = 0; i < all.rows() * columns; ++i) all.in.push_back(static_cast<float>(random.uniform(-2, 2)));
  const std::vector<float> together = generated(all);
  for (std::int64_t first = 0; first < most; ++first) {
    for (std::int64_t n = 1; first + n <= most; ++n) {
      Step some{all.map, 2, n, {}};
      for (std::int64_t kind = 0; kind < 3; ++kind) {
        const auto begin = all.in.begin() + (kind * most + first) * columns;
        some.in.insert(some.in.end(), begin, begin + n * columns);
      }
      const std::vector<float> apart = generated(some);
      for (std::int64_t kind = 0; kind < 3; ++kind) {
        EXPECT_TRUE(std::equal(apart.begin() + kind * n * 35, apart.begin() + (kind + 1) * n * 35,
                               together.begin() + (kind * most + first) * 35))
            << n << " from " << first;
      }
    }
  }
}

// What is not a number, or infinite in the matrix, reaches every sum that it is in, and no other.
TEST_F(IntervalProducts, PropagateNaNAndInfinities) {
  const std::int64_t k = 19, out = 20;
  for (const std::int64_t spans : {1, 2}) {
    for (const std::int64_t n : {1, 2, 3}) {
      for (std::int64_t bad = 0; bad < (1 + spans) * n; ++bad) {
        // Column 4 is zero, the others are negative.
        std::vector<double> weights(static_cast<std::size_t>(out * k), -0.5);
        for (std::int64_t i = 0; i < out; ++i) weights[static_cast<std::size_t>(i * k + 4)] = 0;
        Step step{matrix(out, k, weights), spans, n, {}};
        const auto sums_with = [&](std::int64_t column, float value) {
          step.in.assign(static_cast<std::size_t>(step.rows() * k), 1.0F);
          step.in[static_cast<std::size_t>(bad * k + column)] = value;
          return generated(step);
        };
        const auto expect_bad = [&](const std::vector<float>& y, const auto& is_expected) {
          for (std::int64_t i = 0; i < step.rows(); ++i) {
            for (std::int64_t j = 0; j < out; ++j) {
              const float value = y[static_cast<std::size_t>(i * out + j)];
              if (i == bad) {
                EXPECT_TRUE(is_expected(value)) << value << " in row " << i;
              } else {
                EXPECT_EQ(value, i < n ? -9 : 9) << "row " << i;
              }
            }
          }
        };
        const auto is_nan = [](float value) { return std::isnan(value); };
        expect_bad(sums_with(0, kNaN), is_nan);
        expect_bad(sums_with(k - 1, kNaN), is_nan);
        expect_bad(sums_with(4, kNaN), is_nan);       // 0 * NaN
        expect_bad(sums_with(4, kInfinity), is_nan);  // 0 * infinity
        expect_bad(sums_with(7, kInfinity), [&](float value) { return value == (bad < n ? -kInfinity : kInfinity); });
      }
      std::vector<double> weights(static_cast<std::size_t>(out * k), -0.5);
      weights[3 * k + 5] = -1e300;  // infinite as a float
      Step step{matrix(out, k, weights), spans, n, {}};
      step.in.assign(static_cast<std::size_t>(step.rows() * k), 1.0F);
      const std::vector<float> y = generated(step);
      for (std::int64_t i = 0; i < step.rows() * out; ++i) {
        const float finite = i < n * out ? -9.5F : 9.5F;
        EXPECT_EQ(y[static_cast<std::size_t>(i)], i % out == 3 ? finite * kInfinity : finite) << "entry " << i;
      }
    }
  }
}

// Rows of NaN, infinities, huge and denormal numbers, and matrices of such: as from native kernels.
TEST_F(IntervalProducts, OfAnyNumbersAreThoseOfNativeKernels) {
  for (std::uint64_t seed = 0; seed < 200 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(1000 + seed);
    Step step = random_step(random);
    if (random.coin()) {
      std::vector<double> weights(static_cast<std::size_t>(step.map.out_size() * step.map.in_size()));
      for (double& weight : weights) {
        const float tempting = tempting_number(random);
        weight = std::isfinite(tempting) ? static_cast<double>(tempting) : -1e300;  // infinite as a float
      }
      step.map = matrix(step.map.out_size(), step.map.in_size(), weights);
    }
    for (float& x : step.in) x = random.coin() ? tempting_number(random) : x;
    const std::vector<float> computed = generated(step), expected = native(step);
    for (std::size_t i = 0; i < computed.size(); ++i) {
      if (std::isnan(expected[i])) {
        ASSERT_TRUE(std::isnan(computed[i])) << "entry " << i;
      } else {
        ASSERT_FLOAT_EQ(computed[i], expected[i]) << "entry " << i;
      }
    }
  }
}

// The true sums lie within the error that the executors state: 2 n u times the sum of the terms' magnitudes, and what
// underflows. Terms that cancel, of very different sizes, and denormal ones.
TEST_F(IntervalProducts, LieWithinTheErrorModel) {
  Random random(4);
  const std::int64_t k = 64, out = 24;
  std::vector<double> weights;
  for (std::int64_t i = 0; i < out * k; ++i) {
    const int exponent = static_cast<int>(random.integer(-40, 40));
    weights.push_back(static_cast<double>(static_cast<float>(std::ldexp(random.uniform(-1, 1), exponent))));
    // Neighbours that cancel, to the last bits.
    if (i % 2 == 1 && random.coin()) weights.back() = -weights[weights.size() - 2] * (1 + 0x1p-20);
  }
  for (double& weight : weights) weight = static_cast<double>(static_cast<float>(weight));
  for (const std::int64_t n : {1, 2, 5}) {
    for (const int scale : {0, 60, -100, -140}) {
      Step step{matrix(out, k, weights), 2, n, {}};
      for (std::int64_t i = 0; i < step.rows() * k; ++i) {
        const bool again = i % 2 == 1 && random.coin();
        step.in.push_back(again ? step.in.back() : static_cast<float>(std::ldexp(random.uniform(-1, 1), scale)));
      }
      const std::vector<float> y = generated(step);
      for (std::int64_t i = 0; i < step.rows(); ++i) {
        for (std::int64_t j = 0; j < out; ++j) {
          long double exact = 0, magnitude = 0;
          for (std::int64_t p = 0; p < k; ++p) {
            const auto weight = static_cast<long double>(weights[static_cast<std::size_t>(j * k + p)]);
            const auto x = static_cast<long double>(step.in[static_cast<std::size_t>(i * k + p)]);
            exact += (i < n ? weight : std::fabs(weight)) * x;
            magnitude += std::fabs(weight * x);
          }
          const auto error = static_cast<double>(2 * k * 0x1p-24L * magnitude + 2 * k * 0x1p-149L);
          EXPECT_NEAR(static_cast<double>(y[static_cast<std::size_t>(i * out + j)]), static_cast<double>(exact), error)
              << "row " << i << " of " << step.rows();
        }
      }
    }
  }
}

TEST(IntervalKernels, AreOfMatrices) {
  Random random(5);
  ConvMap conv = random_convolution(random);
  conv.in_channels_last = conv.out_channels_last = true;
  EXPECT_EQ(kernel_directions(matrix(2, 1, {1, 2}), Direction::Interval), std::vector{Direction::Interval});
  EXPECT_EQ(kernel_directions(matrix(2, 1, {1, 2}), Direction::Transpose), std::vector{Direction::Transpose});
  const std::vector both{Direction::Forward, Direction::ForwardAbsolute};
  EXPECT_EQ(kernel_directions(LinearMap(conv), Direction::Interval), both);
  EXPECT_EQ(kernel_directions(LinearMap(DenseMap{2, 2, 1, 1, {1, 2}}), Direction::Interval), both);
  EXPECT_EQ(kernel_directions(LinearMap::identity(1), Direction::Interval), both);
}

}  // namespace
}  // namespace boundflow::generated
