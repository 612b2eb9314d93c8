// Generated products against LinearMap's plain loops, on ordinary numbers and on those that tempt a compiler.
#include "exec/tvm/generated_map.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <set>

#include "domains/crown/windows.hpp"
#include "exec/tvm/open_plugin.hpp"
#include "support/random_linear_map.hpp"
#include "support/tempting_number.hpp"
#include "support/with_tvm.hpp"

namespace boundflow::generated {
namespace {

using native::Direction;

constexpr float kGuard = -12345.5F;
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

LinearMap random_matrix(Random& random, std::int64_t rows, std::int64_t columns, std::int64_t outer = 1) {
  return LinearMap(DenseMap{outer, rows, columns, 1, random_numbers(random, rows * columns)});
}

class Products : public testing::Test {
 protected:
  void SetUp() override {
    BOUNDFLOW_SKIP_WITHOUT_TVM();
    // For the level that all CPUs with kernels have.
    kernels_ = std::make_unique<GeneratedKernels>(open_plugin(), "x86-64-v3", nullptr);
  }
  std::unique_ptr<const native::MapKernel<float>> generate(const LinearMap& map, Direction direction) {
    KernelUse use;
    return make_generated_map(map, direction, *kernels_, tile_, use);
  }
  // Rows without gaps.
  std::vector<float> apply(const LinearMap& map, Direction direction, const std::vector<float>& in, std::int64_t n) {
    const std::int64_t out = direction == Direction::Transpose ? map.in_size() : map.out_size();
    std::vector<float> result(static_cast<std::size_t>(n * out), kGuard);
    generate(map, direction)->apply(in.data(), std::ssize(in) / n, n, result.data(), out, false);
    return result;
  }

  std::unique_ptr<GeneratedKernels> kernels_;
  Tile tile_;
};

// A map in one direction on random rows, between guards: what the generated kernels leave against what native ones do.
TEST_F(Products, AreThoseOfNativeKernels) {
  for (std::uint64_t seed = 0; seed < 600 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    tile_ = known_tiles()[seed % known_tiles().size()];
    // Small maps of every kind, and matrices of several panels.
    const LinearMap map =
        seed % 3 == 0 ? random_matrix(random, random.integer(1, 150), random.integer(1, 40), random.integer(1, 3))
                      : random_linear_map(random, seed % 3 == 1 ? 4 : static_cast<std::int64_t>(seed / 3) % 4);
    const auto direction = static_cast<Direction>(random.integer(0, 2));
    const bool transposed = direction == Direction::Transpose, accumulate = random.coin();
    const std::int64_t in = transposed ? map.out_size() : map.in_size();
    const std::int64_t out = transposed ? map.in_size() : map.out_size();
    const std::int64_t n = random.coin() ? random.integer(1, 20) : random.integer(90, 210);
    // Rows of any length at any address.
    const std::int64_t ld_in = in + random.integer(0, 3), ld_out = out + random.integer(0, 3);
    std::vector<float> x(static_cast<std::size_t>(1 + n * ld_in), kNaN);
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = 0; j < in; ++j) {
        x[static_cast<std::size_t>(1 + i * ld_in + j)] = static_cast<float>(random.uniform(-2, 2));
      }
    }
    std::vector<float> computed(static_cast<std::size_t>(1 + n * ld_out), kGuard);
    std::vector<float> expected = computed;
    generate(map, direction)->apply(x.data() + 1, ld_in, n, computed.data() + 1, ld_out, accumulate);
    native::make_map_kernel<float>(map, direction)
        ->apply(x.data() + 1, ld_in, n, expected.data() + 1, ld_out, accumulate);
    for (std::size_t i = 0; i < computed.size(); ++i) {
      // Sums in the same order.
      ASSERT_FLOAT_EQ(computed[i], expected[i]) << map.print() << ", entry " << i << " of " << n << " rows";
    }
  }
}

TEST_F(Products, MoveWindowsAsNativeKernels) {
  for (std::uint64_t seed = 0; seed < 300 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    ConvMap conv = random_convolution(random);
    conv.adjoint = false;
    conv.in_channels_last = conv.out_channels_last = true;
    Window from = crown::start_window(conv.out_channels, conv.image_out);
    from.size = {random.integer(1, 6), random.integer(1, 6)};
    const std::optional<Window> to = crown::through(conv, from);
    ASSERT_TRUE(to.has_value());
    const std::int64_t n = random.integer(1, 30);
    std::vector<float> rows;
    for (std::int64_t i = 0; i < n * from.columns(); ++i) rows.push_back(static_cast<float>(random.uniform(-2, 2)));
    std::vector<float> computed(static_cast<std::size_t>(n * to->columns()), kGuard), expected = computed;
    const LinearMap map(conv);
    generate(map, Direction::Transpose)
        ->apply_windows(rows.data(), from.columns(), n, from, computed.data(), to->columns(), *to, false);
    native::make_map_kernel<float>(map, Direction::Transpose)
        ->apply_windows(rows.data(), from.columns(), n, from, expected.data(), to->columns(), *to, false);
    for (std::size_t i = 0; i < computed.size(); ++i) ASSERT_FLOAT_EQ(computed[i], expected[i]) << map.print();
  }
}

// Blocks of rows may be cut anywhere without changing a bound.
TEST_F(Products, OfARowDoNotDependOnTheRowsAround) {
  Random random(2);
  const LinearMap map = random_matrix(random, 37, 50);
  std::vector<float> rows;
  for (int i = 0; i < 23 * 50; ++i) rows.push_back(static_cast<float>(random.uniform(-2, 2)));
  const std::vector<float> together = apply(map, Direction::Forward, rows, 23);
  for (std::int64_t n = 1; n < 23; ++n) {
    const std::vector<float> first = apply(map, Direction::Forward, {rows.begin(), rows.begin() + n * 50}, n);
    for (std::size_t i = 0; i < first.size(); ++i) {
      ASSERT_EQ(std::bit_cast<std::uint32_t>(first[i]), std::bit_cast<std::uint32_t>(together[i])) << n << " rows";
    }
  }
}

// Rows that are zero in the same columns, as behind a relaxation with dead neurons.
TEST_F(Products, SkipDeadColumns) {
  Random random(6);
  const std::int64_t k = 40, n = 14, out = 35;
  const LinearMap map = random_matrix(random, k, out);
  for (const std::int64_t period : {1, 2, 3, 40}) {
    std::vector<float> rows(static_cast<std::size_t>(n * k), 0.0F);
    for (std::int64_t i = 0; i < n * k; ++i) {
      if (i % k % period == 0) rows[static_cast<std::size_t>(i)] = static_cast<float>(random.uniform(-2, 2));
    }
    const std::vector<float> together = apply(map, Direction::Transpose, rows, n);
    for (std::int64_t i = 0; i < n; ++i) {
      const std::vector<float> row(rows.begin() + i * k, rows.begin() + (i + 1) * k);
      // One row has a kernel of its own, which meets every column.
      const std::vector<float> alone = apply(map, Direction::Transpose, row, 1);
      EXPECT_TRUE(std::equal(alone.begin(), alone.end(), together.begin() + i * out)) << "row " << i;
    }
  }
  const std::vector<float> zeros(static_cast<std::size_t>(n * k), 0.0F);
  for (const float y : apply(map, Direction::Transpose, zeros, n)) EXPECT_EQ(y, 0);
  // A column that is not a number in one row is live.
  std::vector<float> rows(static_cast<std::size_t>(n * k), 0.0F);
  rows[7] = kNaN;
  const std::vector<float> y = apply(map, Direction::Transpose, rows, n);
  for (std::int64_t j = 0; j < out; ++j) EXPECT_TRUE(std::isnan(y[static_cast<std::size_t>(j)]));
  EXPECT_EQ(y[static_cast<std::size_t>(out)], 0);
}

// In one row and in rows of a tile: what is not a number reaches every component, and only those of its row.
TEST_F(Products, PropagateNaNAndInfinities) {
  Random random(3);
  const std::int64_t k = 33, out = 20;
  std::vector<double> weights(static_cast<std::size_t>(out * k), 0.5);
  for (std::int64_t i = 0; i < out; ++i) weights[static_cast<std::size_t>(i * k + 4)] = 0;  // column 4
  const LinearMap map(DenseMap{1, out, k, 1, weights});
  for (const Direction direction : {Direction::Forward, Direction::ForwardAbsolute}) {
    for (const std::int64_t n : {1, 2, 6, 8, 20}) {
      for (std::int64_t bad = 0; bad < n; ++bad) {
        const auto with = [&](std::int64_t column, float value, float other = 1) {
          std::vector<float> rows(static_cast<std::size_t>(n * k), 1.0F);
          for (std::int64_t j = 0; j < k; ++j) rows[static_cast<std::size_t>(bad * k + j)] = other;
          rows[static_cast<std::size_t>(bad * k + column)] = value;
          return apply(map, direction, rows, n);
        };
        const auto expect_row = [&](const std::vector<float>& y, const auto& is_expected) {
          for (std::int64_t i = 0; i < n; ++i) {
            for (std::int64_t j = 0; j < out; ++j) {
              const float value = y[static_cast<std::size_t>(i * out + j)];
              if (i == bad) {
                EXPECT_TRUE(is_expected(value)) << value << " in row " << i << " of " << n;
              } else {
                EXPECT_EQ(value, 16) << "row " << i << " of " << n;
              }
            }
          }
        };
        const auto is_nan = [](float value) { return std::isnan(value); };
        expect_row(with(7, kNaN), is_nan);
        expect_row(with(k - 1, kNaN), is_nan);
        expect_row(with(4, kNaN), is_nan);       // 0 * NaN
        expect_row(with(4, kInfinity), is_nan);  // 0 * infinity
        expect_row(with(7, kInfinity), [](float value) { return value == kInfinity; });
        expect_row(with(7, -kInfinity, kInfinity), is_nan);
      }
    }
  }
}

// The true sum lies within the error that the executors state: 2 n u times the sum of the terms' magnitudes, and what
// underflows. Terms that cancel, of very different sizes, and denormal ones.
TEST_F(Products, LieWithinTheErrorModel) {
  Random random(4);
  const std::int64_t k = 64, out = 24, n = 13;
  std::vector<double> weights;
  for (std::int64_t i = 0; i < out * k; ++i) {
    weights.push_back(static_cast<double>(
        static_cast<float>(std::ldexp(random.uniform(-1, 1), static_cast<int>(random.integer(-40, 40))))));
  }
  const LinearMap map(DenseMap{1, out, k, 1, weights});
  for (const int scale : {0, 60, -100, -140}) {
    std::vector<float> rows;
    for (std::int64_t i = 0; i < n * k; ++i) {
      const bool cancels = i % 2 == 1 && scale == 0;
      rows.push_back(cancels ? -rows.back() : static_cast<float>(std::ldexp(random.uniform(-1, 1), scale)));
    }
    const std::vector<float> y = apply(map, Direction::Forward, rows, n);
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = 0; j < out; ++j) {
        long double exact = 0, magnitude = 0;
        for (std::int64_t p = 0; p < k; ++p) {
          const auto term = static_cast<long double>(weights[static_cast<std::size_t>(j * k + p)]) *
                            static_cast<long double>(rows[static_cast<std::size_t>(i * k + p)]);
          exact += term;
          magnitude += std::fabs(term);
        }
        const auto error = static_cast<double>(2 * k * 0x1p-24L * magnitude + 2 * k * 0x1p-149L);
        EXPECT_NEAR(static_cast<double>(y[static_cast<std::size_t>(i * out + j)]), static_cast<double>(exact), error);
      }
    }
  }
}

// By every kernel, with all of a matrix and with lists: rows of NaN, infinities, huge and denormal numbers come out as
// they do from native kernels, and the rows beside them as if those were not there.
TEST_F(Products, OfAnyNumbersAreThoseOfNativeKernels) {
  for (std::uint64_t seed = 0; seed < 300 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(1000 + seed);
    tile_ = known_tiles()[seed % known_tiles().size()];
    ConvMap conv = random_convolution(random);
    conv.in_channels_last = conv.out_channels_last = true;
    const LinearMap map = seed % 2 == 0 ? LinearMap(conv) : random_matrix(random, random.integer(1, 90), 30);
    const auto direction = static_cast<Direction>(random.integer(0, 2));
    const bool transposed = direction == Direction::Transpose;
    const std::int64_t in = transposed ? map.out_size() : map.in_size();
    const std::int64_t out = transposed ? map.in_size() : map.out_size();
    const std::int64_t n = random.integer(1, 24), bad = random.integer(0, n - 1);
    std::vector<float> rows;
    for (std::int64_t i = 0; i < n * in; ++i) {
      const bool dead = i % in % 3 == 1;  // in all rows
      rows.push_back(dead ? 0.0F : i / in == bad ? tempting_number(random) : static_cast<float>(random.uniform(-1, 1)));
    }
    std::vector<float> computed(static_cast<std::size_t>(n * out), kGuard), expected = computed;
    generate(map, direction)->apply(rows.data(), in, n, computed.data(), out, false);
    native::make_map_kernel<float>(map, direction)->apply(rows.data(), in, n, expected.data(), out, false);
    for (std::size_t i = 0; i < computed.size(); ++i) {
      const bool is_bad = static_cast<std::int64_t>(i) / out == bad;
      if (!is_bad) ASSERT_TRUE(std::isfinite(computed[i])) << map.print();
      if (std::isnan(expected[i])) {
        ASSERT_TRUE(std::isnan(computed[i])) << map.print();
      } else {
        ASSERT_FLOAT_EQ(computed[i], expected[i]) << map.print() << " row " << i / static_cast<std::size_t>(out);
      }
    }
  }
}

// Convolutions by lists of steps: the true sum lies within the error that the executors state.
TEST_F(Products, OfConvolutionsLieWithinTheErrorModel) {
  for (std::uint64_t seed = 0; seed < 40 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    ConvMap conv = random_convolution(random);
    conv.in_channels_last = conv.out_channels_last = true;
    for (double& weight : conv.weights) {
      weight = static_cast<double>(static_cast<float>(std::ldexp(weight, static_cast<int>(random.integer(-40, 40)))));
    }
    const LinearMap map(conv);
    const std::int64_t n = 9;
    const int scale = static_cast<int>(random.integer(-140, 60));
    std::vector<float> rows;
    for (std::int64_t i = 0; i < n * map.in_size(); ++i) {
      const bool cancels = i % 2 == 1 && random.coin();
      rows.push_back(cancels ? -rows.back() : static_cast<float>(std::ldexp(random.uniform(-1, 1), scale)));
    }
    const std::vector<float> y = apply(map, Direction::Forward, rows, n);
    std::vector<LinearMap::Entry> entries;
    for (std::int64_t j = 0; j < map.out_size(); ++j) {
      map.row(j, entries);
      const auto terms = static_cast<long double>(entries.size());
      for (std::int64_t i = 0; i < n; ++i) {
        long double exact = 0, magnitude = 0;
        for (const LinearMap::Entry& entry : entries) {
          const auto x = static_cast<long double>(rows[static_cast<std::size_t>(i * map.in_size() + entry.column)]);
          exact += static_cast<long double>(entry.weight) * x;
          magnitude += std::fabs(static_cast<long double>(entry.weight) * x);
        }
        const auto error = static_cast<double>(2 * terms * (0x1p-24L * magnitude + 0x1p-149L));
        EXPECT_NEAR(static_cast<double>(y[static_cast<std::size_t>(i * map.out_size() + j)]),
                    static_cast<double>(exact), error);
      }
    }
  }
}

TEST(WhyNoMultiplier, SaysEachReason) {
  Random random(5);
  ConvMap depthwise = random_convolution(random);
  depthwise.groups = depthwise.out_channels = depthwise.in_channels = 2;
  depthwise.weights = random_numbers(random, 2 * depthwise.kernel[0] * depthwise.kernel[1]);
  depthwise.in_channels_last = depthwise.out_channels_last = true;
  ConvMap channels_first = depthwise;
  channels_first.in_channels_last = false;
  std::set<std::string> reasons;
  for (std::int64_t kind = 1; kind < 4; ++kind) {
    reasons.insert(native::why_no_multiplier(random_linear_map(random, kind)));
  }
  reasons.insert(native::why_no_multiplier(LinearMap(depthwise)));
  reasons.insert(native::why_no_multiplier(LinearMap(channels_first)));
  EXPECT_EQ(reasons.size(), 5U);
  EXPECT_EQ(native::why_no_multiplier(random_matrix(random, 3, 4)), nullptr);
}

}  // namespace
}  // namespace boundflow::generated
