// The native kernels of every kind of linear map against LinearMap's plain loops, and those loops against the rows that
// define a map.
#include "exec/native/map_kernel.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "program/storage_plan.hpp"
#include "support/random_linear_map.hpp"

namespace boundflow::native {
namespace {

constexpr std::int64_t kKinds = 5;
// No kernel computes this number: what lies around an output must still hold it afterwards.
constexpr double kGuard = -12345.5;

TEST(LinearMapRows, DefineApplyAndItsTranspose) {
  for (std::uint64_t seed = 0; seed < 600 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const LinearMap map = random_linear_map(random, static_cast<std::int64_t>(seed) % kKinds);
    const std::vector<double> x = random_numbers(random, map.in_size()), v = random_numbers(random, map.out_size());
    for (const bool absolute : {false, true}) {
      std::vector<double> y(v.size(), 0.0), expected_y(v.size(), 0.0), z(x.size(), 0.0), expected_z(x.size(), 0.0);
      std::vector<std::int64_t> uses(x.size(), 0);
      std::int64_t terms = 0;
      std::vector<LinearMap::Entry> entries;
      for (std::size_t j = 0; j < v.size(); ++j) {
        map.row(static_cast<std::int64_t>(j), entries);
        std::int64_t in_row = 0;
        for (const auto& [column, signed_weight] : entries) {
          const auto i = static_cast<std::size_t>(column);
          const double weight = absolute ? std::fabs(signed_weight) : signed_weight;
          EXPECT_LE(std::fabs(weight), map.max_abs_weight());
          expected_y[j] += weight * x[i];
          expected_z[i] += weight * v[j];
          if (weight == 0) continue;
          ++in_row;
          ++uses[i];
        }
        terms = std::max(terms, in_row);
      }
      map.apply(x, y, absolute);
      map.apply_transpose(v, z, absolute);
      for (std::size_t j = 0; j < y.size(); ++j) EXPECT_NEAR(y[j], expected_y[j], 1e-12) << map.print();
      for (std::size_t i = 0; i < z.size(); ++i) EXPECT_NEAR(z[i], expected_z[i], 1e-12) << map.print();
      EXPECT_GE(map.terms(), terms) << map.print();
      EXPECT_GE(map.transpose_terms(), *std::max_element(uses.begin(), uses.end())) << map.print();
    }
  }
}

// [n, ld] entries with guards behind each row.
template <class T>
std::vector<T> guarded(const std::vector<double>& values, std::int64_t n, std::int64_t columns, std::int64_t ld) {
  std::vector<T> result(static_cast<std::size_t>(n * ld), static_cast<T>(kGuard));
  for (std::int64_t i = 0; i < n * columns; ++i) {
    result[static_cast<std::size_t>(i / columns * ld + i % columns)] =
        static_cast<T>(values[static_cast<std::size_t>(i)]);
  }
  return result;
}

template <class T>
class MapKernels : public testing::Test {};
using Precisions = testing::Types<float, double>;
TYPED_TEST_SUITE(MapKernels, Precisions);

TYPED_TEST(MapKernels, ComputeTheMap) {
  using T = TypeParam;
  const double tolerance = sizeof(T) == 4 ? 1e-4 : 1e-12;
  for (std::uint64_t seed = 0; seed < 4000 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(10000 + seed);
    // Every other map is a convolution.
    const LinearMap map = random_linear_map(random, seed % 2 == 0 ? 4 : static_cast<std::int64_t>(seed / 2) % kKinds);
    const auto direction = static_cast<Direction>(random.integer(0, 2));
    const bool transposed = direction == Direction::Transpose, accumulate = random.coin();
    const std::int64_t n = random.integer(1, 20);
    const std::int64_t in = transposed ? map.out_size() : map.in_size();
    const std::int64_t out = transposed ? map.in_size() : map.out_size();
    const std::int64_t ld_in = in + random.integer(0, 3), ld_out = out + random.integer(0, 3);
    const std::vector<double> x = random_numbers(random, n * in), before = random_numbers(random, n * out);
    const std::vector<T> from = guarded<T>(x, n, in, ld_in);
    std::vector<T> to = guarded<T>(before, n, out, ld_out);
    make_map_kernel<T>(map, direction)->apply(from.data(), ld_in, n, to.data(), ld_out, accumulate);
    std::vector<double> expected(static_cast<std::size_t>(out));
    for (std::int64_t i = 0; i < n; ++i) {
      const std::span<const double> row(x.data() + i * in, static_cast<std::size_t>(in));
      for (std::int64_t j = 0; j < out; ++j) {
        expected[static_cast<std::size_t>(j)] = accumulate ? before[static_cast<std::size_t>(i * out + j)] : 0.0;
      }
      if (transposed) {
        map.apply_transpose(row, expected);
      } else {
        map.apply(row, expected, direction == Direction::ForwardAbsolute);
      }
      for (std::int64_t j = 0; j < ld_out; ++j) {
        const auto computed = static_cast<double>(to[static_cast<std::size_t>(i * ld_out + j)]);
        const double wanted = j < out ? expected[static_cast<std::size_t>(j)] : kGuard;
        EXPECT_NEAR(computed, wanted, j < out ? tolerance : 0) << map.print() << " row " << i << " of " << n;
      }
    }
  }
}

TYPED_TEST(MapKernels, ComputeIntervalSteps) {
  using T = TypeParam;
  for (std::uint64_t seed = 0; seed < 300 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(20000 + seed);
    const LinearMap map = random_linear_map(random, static_cast<std::int64_t>(seed) % kKinds);
    const std::int64_t in = map.in_size(), out = map.out_size(), ld = padded_columns(out);
    const std::int64_t spans = random.integer(1, 2), n = random.integer(1, 5), rows = (1 + spans) * n;
    const bool accumulate = random.coin();
    const std::vector<double> x = random_numbers(random, rows * in);
    const std::vector<T> from(x.begin(), x.end());
    std::vector<T> to(static_cast<std::size_t>(rows * ld), T(1));
    make_map_kernel<T>(map, Direction::Interval)->apply_interval(from.data(), spans, n, to.data(), ld, accumulate);
    for (std::int64_t i = 0; i < rows; ++i) {
      std::vector<double> expected(static_cast<std::size_t>(out), accumulate ? 1.0 : 0.0);
      map.apply(std::span(x).subspan(static_cast<std::size_t>(i * in), static_cast<std::size_t>(in)), expected, i >= n);
      for (std::int64_t j = 0; j < out; ++j) {
        EXPECT_NEAR(static_cast<double>(to[static_cast<std::size_t>(i * ld + j)]),
                    expected[static_cast<std::size_t>(j)], sizeof(T) == 4 ? 1e-4 : 1e-12)
            << map.print() << " row " << i << " of " << rows;
      }
    }
  }
}

}  // namespace
}  // namespace boundflow::native
