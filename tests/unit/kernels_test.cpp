// The native kernels against plain loops, for every instruction set this CPU has.

#include "exec/native/kernels.hpp"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/rounding.hpp"

namespace boundflow::native {
namespace {

template <class T>
constexpr T kInf = std::numeric_limits<T>::infinity();
template <class T>
constexpr T kNan = std::numeric_limits<T>::quiet_NaN();
// A number no kernel computes here: what lies around an output must still hold it afterwards.
template <class T>
constexpr T kGuard = static_cast<T>(-12345.678);

using Random = std::mt19937;

int uniform(Random& random, int low, int high) {
  return std::uniform_int_distribution<int>(low, high)(random);
}

template <class T>
std::vector<T> numbers(Random& random, std::int64_t count) {
  std::vector<T> result(static_cast<std::size_t>(count));
  std::normal_distribution<double> normal;
  for (T& x : result) x = uniform(random, 0, 9) == 0 ? T(0) : static_cast<T>(normal(random));
  return result;
}

std::vector<float> weights(Random& random, std::int64_t count) {
  std::vector<float> result = numbers<float>(random, count);
  for (float& x : result) x = std::abs(x);
  return result;
}

template <class T>
bool same_bits(T a, T b) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  return std::bit_cast<Bits>(a) == std::bit_cast<Bits>(b);
}

// |computed - exact| within gamma_n times the sum of absolute values, plus the rounding of the old value's addition.
// The reference sums carry double rounding of their own.
void expect_within(double computed, double exact, double absolute, double start, double gamma, const char* what) {
  const double tolerance = gamma * absolute + 1e-12 * (absolute + std::abs(start)) + 1e-30;
  EXPECT_LE(std::abs(computed - (start + exact)), tolerance) << what;
}

// Each test runs once per instruction set.
class Kernels : public testing::TestWithParam<std::int64_t> {
 protected:
  void SetUp() override { hwy::SetSupportedTargetsForTest(GetParam()); }
  void TearDown() override { hwy::SetSupportedTargetsForTest(0); }
};

INSTANTIATE_TEST_SUITE_P(, Kernels, testing::ValuesIn(hwy::SupportedAndGeneratedTargets()),
                         [](const auto& info) { return std::string(hwy::TargetName(info.param)); });

TEST_P(Kernels, DispatchesToTheInstructionSet) {
  const std::string name = hwy::TargetName(GetParam());
  EXPECT_EQ(instruction_set(), name == "SCALAR" ? "scalar" : name);
}

// --- multiply

template <class T>
void check_product(Random& random, std::int64_t m, std::int64_t k, std::int64_t n, bool transposed, bool absolute,
                   bool accumulate) {
  SCOPED_TRACE(testing::Message() << "m " << m << " k " << k << " n " << n << " transposed " << transposed);
  const std::int64_t lda = k + uniform(random, 0, 5), ldc = n + uniform(random, 0, 5);
  const std::vector<double> b = numbers<double>(random, k * n);
  const PackedMatrix<T> packed(b, k, n, transposed, absolute);
  ASSERT_EQ(packed.k(), k);
  ASSERT_EQ(packed.n(), n);
  std::vector<T> a = numbers<T>(random, m * lda);
  // What lies between the rows of A must not matter.
  for (std::int64_t i = 0; i < m; ++i) std::fill(a.begin() + i * lda + k, a.begin() + (i + 1) * lda, kNan<T>);
  std::vector<T> c(static_cast<std::size_t>(m * ldc), kGuard<T>);
  const std::vector<T> old = numbers<T>(random, m * n);
  for (std::int64_t i = 0; i < m; ++i) std::copy_n(old.begin() + i * n, n, c.begin() + i * ldc);
  multiply(a.data(), lda, m, packed, c.data(), ldc, accumulate);

  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < ldc; ++j) {
      if (j >= n) {
        EXPECT_EQ(c[i * ldc + j], kGuard<T>) << "overwritten at " << i << ", " << j;
        continue;
      }
      long double exact = 0, sum_of_absolutes = 0;
      for (std::int64_t p = 0; p < k; ++p) {
        const double w = transposed ? b[j * k + p] : b[p * n + j];
        const auto product = static_cast<long double>(a[i * lda + p]) * static_cast<T>(absolute ? std::abs(w) : w);
        exact += product;
        sum_of_absolutes += std::abs(product);
      }
      const double start = accumulate ? old[i * n + j] : 0.0;
      const double sum = static_cast<double>(exact) + start;
      // The old value is added once: it suffers one rounding, not k of them.
      const double tolerance = gamma_up(k, kUnitRoundoff<T>) * static_cast<double>(sum_of_absolutes) * 1.001 +
                               (accumulate ? 1.001 * kUnitRoundoff<T> * std::abs(sum) : 0.0) + 1e-300;
      EXPECT_LE(std::abs(static_cast<double>(c[i * ldc + j] - (exact + start))), tolerance) << i << ", " << j;
    }
  }
}

template <class T>
void check_products() {
  Random random(1);
  for (int trial = 0; trial < 150; ++trial) {
    check_product<T>(random, uniform(random, 1, 20), uniform(random, 0, 70), uniform(random, 1, 70), trial % 2 == 0,
                     trial % 3 == 0, trial % 5 < 2);
  }
  // Several blocks of k, several chunks of rows, many vectors for a single row.
  check_product<T>(random, 3, 1000, 37, false, false, false);
  check_product<T>(random, 7, 1153, 70, true, false, true);
  check_product<T>(random, 211, 50, 50, false, false, false);
  check_product<T>(random, 97, 800, 18, false, false, true);
  check_product<T>(random, 1, 900, 300, false, false, true);
  check_product<T>(random, 2, 900, 150, false, false, false);
}

TEST_P(Kernels, MultiplyAgreesWithPlainLoops) {
  check_products<float>();
  check_products<double>();
}

// A sum that is given in parts is the sum that is given whole, bit for bit while it takes a single pass.
template <class T>
void check_parts(std::int64_t m, std::int64_t k, std::int64_t n, bool accumulate) {
  SCOPED_TRACE(testing::Message() << "m " << m << " k " << k << " n " << n);
  Random random(static_cast<std::uint64_t>(m * k + n));
  const PackedMatrix<T> b(numbers<double>(random, k * n), k, n, false, false);
  const std::vector<T> a = numbers<T>(random, m * k);
  const std::vector<T> old = numbers<T>(random, m * n);
  std::vector<T> whole = old, in_parts = old;
  multiply(a.data(), k, m, b, whole.data(), n, accumulate);
  std::vector<ProductPart<T>> parts;
  for (std::int64_t first = 0; first < k;) {
    const bool last = parts.size() + 1 == kMostProductParts;
    const std::int64_t count = last ? k - first : std::min<std::int64_t>(uniform(random, 1, 60), k - first);
    parts.push_back({a.data() + first, b.view(first, count)});
    first += count;
  }
  multiply<T>(parts, k, m, in_parts.data(), n, accumulate);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    if (k <= 384) {
      ASSERT_TRUE(same_bits(whole[i], in_parts[i])) << i;
    } else {
      EXPECT_NEAR(static_cast<double>(whole[i]), static_cast<double>(in_parts[i]), 1e-3) << i;
    }
  }
}

TEST_P(Kernels, AProductMayBeGivenInParts) {
  for (const auto& [m, k, n] : {std::tuple{1, 40, 5}, {7, 100, 16}, {64, 300, 48}, {97, 384, 33}, {30, 1500, 20}}) {
    for (const bool accumulate : {false, true}) {
      check_parts<float>(m, k, n, accumulate);
      check_parts<double>(m, k, n, accumulate);
    }
  }
}

// Columns of zeros change no bit of a product, whether they are skipped or not.
template <class T>
void check_live(std::int64_t m, std::int64_t k, std::int64_t n, bool accumulate) {
  SCOPED_TRACE(testing::Message() << "m " << m << " k " << k << " n " << n);
  Random random(static_cast<std::uint64_t>(m * k + n));
  const std::int64_t lda = k + uniform(random, 0, 5);
  const PackedMatrix<T> b(numbers<double>(random, k * n), k, n, false, false);
  std::vector<T> a = numbers<T>(random, m * lda);
  std::vector<std::int32_t> expected;
  for (std::int64_t p = 0; p < k; ++p) {
    const bool dead = uniform(random, 0, 2) > 0;
    for (std::int64_t i = 0; i < m; ++i) {
      // A column with a single entry is live, and so is one of NaN; a negative zero is zero.
      if (dead || (p % 3 == 0 && i + 1 < m)) a[i * lda + p] = uniform(random, 0, 1) == 0 ? T(0) : -T(0);
    }
    bool live = false;
    for (std::int64_t i = 0; i < m; ++i) live = live || a[i * lda + p] != 0;
    if (live) expected.push_back(static_cast<std::int32_t>(p));
  }
  if (!expected.empty()) a[(m - 1) * lda + expected.back()] = kNan<T>;
  std::vector<std::int32_t> live(static_cast<std::size_t>(k), -1);
  live.resize(static_cast<std::size_t>(live_columns(a.data(), lda, m, k, live.data())));
  EXPECT_EQ(live, expected);
  if (!expected.empty()) a[(m - 1) * lda + expected.back()] = T(1);
  const std::vector<T> old = numbers<T>(random, m * n);
  std::vector<T> all = old, skipped = old;
  multiply(a.data(), lda, m, b, all.data(), n, accumulate);
  const ProductPart<T> part{a.data(), b.view(), live.data(), static_cast<std::int64_t>(live.size())};
  multiply<T>({&part, 1}, lda, m, skipped.data(), n, accumulate);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (k <= 384) {
      ASSERT_TRUE(same_bits(all[i], skipped[i])) << i;
    } else {
      EXPECT_NEAR(static_cast<double>(all[i]), static_cast<double>(skipped[i]), 1e-3) << i;
    }
  }
}

TEST_P(Kernels, DeadColumnsMayBeSkipped) {
  for (const auto& [m, k, n] :
       {std::tuple{1, 40, 5}, {7, 100, 64}, {64, 300, 200}, {97, 384, 133}, {30, 1500, 80}, {12, 50, 256}}) {
    for (const bool accumulate : {false, true}) {
      check_live<float>(m, k, n, accumulate);
      check_live<double>(m, k, n, accumulate);
    }
  }
}

template <class T>
void check_row_independence(std::int64_t k, std::int64_t n) {
  Random random(2);
  const PackedMatrix<T> b(numbers<double>(random, k * n), k, n, false, false);
  const std::int64_t rows = 130;
  const std::vector<T> a = numbers<T>(random, rows * k);
  std::vector<T> all(static_cast<std::size_t>(rows * n));
  multiply(a.data(), k, rows, b, all.data(), n, false);
  for (const int m : {1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 17, 25, 97}) {
    const std::int64_t first = uniform(random, 0, static_cast<int>(rows) - m);
    std::vector<T> some(static_cast<std::size_t>(m * n));
    multiply(a.data() + first * k, k, m, b, some.data(), n, false);
    for (std::int64_t i = 0; i < m * n; ++i) ASSERT_TRUE(same_bits(some[i], all[first * n + i])) << m << ", " << i;
  }
}

TEST_P(Kernels, ARowOfTheProductDependsOnItselfAlone) {
  for (const auto& [k, n] : {std::pair{50, 50}, {61, 133}, {900, 70}}) {
    check_row_independence<float>(k, n);
    check_row_independence<double>(k, n);
  }
}

template <class T>
void check_product_of_special_values(T special) {
  Random random(3);
  for (int trial = 0; trial < 20; ++trial) {
    const int m = uniform(random, 1, 14), k = uniform(random, 1, 40), n = uniform(random, 1, 40);
    const int row = uniform(random, 0, m - 1), at = uniform(random, 0, k - 1), column = uniform(random, 0, n - 1);
    // Zero weights: neither infinity nor NaN may vanish against them.
    std::vector<double> b(static_cast<std::size_t>(k * n), 0.0);
    std::vector<T> a(static_cast<std::size_t>(m * k), T(1)), c(static_cast<std::size_t>(m * n));
    a[row * k + at] = special;
    multiply(a.data(), k, m, PackedMatrix<T>(b, k, n, false, false), c.data(), n, false);
    for (int i = 0; i < m * n; ++i) ASSERT_EQ(std::isnan(c[i]), i / n == row) << i;
    // The other way round.
    std::fill(a.begin(), a.end(), T(0));
    b[at * n + column] = static_cast<double>(special);
    multiply(a.data(), k, m, PackedMatrix<T>(b, k, n, false, false), c.data(), n, false);
    for (int i = 0; i < m * n; ++i) ASSERT_EQ(std::isnan(c[i]), i % n == column) << i;
  }
}

TEST_P(Kernels, MultiplyPropagatesNanAndInfinity) {
  for (const float special : {kNan<float>, kInf<float>, -kInf<float>}) {
    check_product_of_special_values<float>(special);
    check_product_of_special_values<double>(special);
  }
}

// --- the row kernels. `Batch` holds random operands; rows have owners, in runs as well as mixed.

template <class T>
struct Batch {
  std::int64_t m, n, ld, subproblems, box_ld;
  std::vector<T> lambda;
  std::vector<std::int32_t> owner;
  std::vector<double> first, second;  // the outputs' old values

  Batch(Random& random, int rows, int columns)
      : m(rows),
        n(columns),
        ld(n + uniform(random, 0, 5)),
        subproblems(uniform(random, 1, 3)),
        box_ld(n + uniform(random, 0, 3)) {
    lambda = numbers<T>(random, m * ld);
    for (std::int64_t i = 0; i < m; ++i) std::fill(lambda.begin() + i * ld + n, lambda.begin() + (i + 1) * ld, kNan<T>);
    for (std::int64_t i = 0; i < m; ++i) {
      const bool continues = i > 0 && uniform(random, 0, 2) > 0;
      owner.push_back(continues ? owner.back() : uniform(random, 0, static_cast<int>(subproblems) - 1));
    }
    first = numbers<double>(random, m);
    second = numbers<double>(random, m);
  }
};

template <class T>
double error_gamma(std::int64_t n) {
  return gamma_up(n + 2, kUnitRoundoff<T>);
}

template <class T>
void check_bias_and_error(Random& random, int m, int n, int variant) {
  SCOPED_TRACE(testing::Message() << "m " << m << " n " << n << " variant " << variant);
  const Batch<T> batch(random, m, n);
  const auto bias = numbers<double>(random, n);
  const auto weight = weights(random, batch.subproblems * batch.box_ld);
  const bool with_bias = variant % 3 != 0, with_weight = variant % 3 != 1, one_row = variant % 2 == 0;
  auto constant = batch.first, error = batch.second;
  bias_and_error(batch.lambda.data(), batch.ld, batch.m, batch.n, with_bias ? bias.data() : nullptr,
                 with_weight ? weight.data() : nullptr, batch.box_ld, one_row ? nullptr : batch.owner.data(),
                 constant.data(), error.data());
  for (std::int64_t i = 0; i < batch.m; ++i) {
    double c = 0, c_absolute = 0, e = 0;
    const std::int64_t from = one_row ? 0 : batch.owner[i] * batch.box_ld;
    for (std::int64_t j = 0; j < n; ++j) {
      const double x = batch.lambda[i * batch.ld + j];
      if (with_bias) c += x * bias[j];
      if (with_bias) c_absolute += std::abs(x * bias[j]);
      if (with_weight) e += std::abs(x) * weight[from + j];
    }
    expect_within(constant[i], c, c_absolute, batch.first[i], 0, "constant");
    expect_within(error[i], e, e, batch.second[i], error_gamma<T>(n), "error");
  }
}

template <class T>
void check_apply_relaxation(Random& random, int m, int n, bool with_lower, bool in_place) {
  SCOPED_TRACE(testing::Message() << "m " << m << " n " << n << " lower " << with_lower << " in place " << in_place);
  Batch<T> batch(random, m, n);
  const std::int64_t size = batch.subproblems * batch.box_ld;
  const auto lower_slope = numbers<T>(random, size), lower_intercept = numbers<T>(random, size);
  const auto upper_slope = numbers<T>(random, size), upper_intercept = numbers<T>(random, size);
  const auto weight = weights(random, size);
  const Lines<T> lines{lower_slope.data(), with_lower ? lower_intercept.data() : nullptr,
                       upper_slope.data(), upper_intercept.data(),
                       weight.data(),      batch.box_ld};
  const std::vector<T> lambda = batch.lambda;
  std::vector<T> separate(lambda.size(), kGuard<T>);
  std::vector<T>& out = in_place ? batch.lambda : separate;
  auto constant = batch.first, error = batch.second;
  apply_relaxation(batch.lambda.data(), out.data(), batch.ld, batch.m, batch.n, lines, batch.owner.data(),
                   constant.data(), error.data());
  for (std::int64_t i = 0; i < batch.m; ++i) {
    double c = 0, c_absolute = 0, e = 0;
    for (std::int64_t j = 0; j < batch.ld; ++j) {
      const T x = lambda[i * batch.ld + j];
      if (j >= n) {
        EXPECT_TRUE(in_place ? std::isnan(out[i * batch.ld + j]) : out[i * batch.ld + j] == kGuard<T>);
        continue;
      }
      const std::int64_t at = batch.owner[i] * batch.box_ld + j;
      EXPECT_EQ(out[i * batch.ld + j], x * (x >= 0 ? lower_slope[at] : upper_slope[at])) << i << ", " << j;
      const double term =
          static_cast<double>(x) * (x >= 0 ? (with_lower ? lower_intercept[at] : T(0)) : upper_intercept[at]);
      c += term;
      c_absolute += std::abs(term);
      e += std::abs(static_cast<double>(x)) * weight[at];
    }
    expect_within(constant[i], c, c_absolute, batch.first[i], 0, "constant");
    expect_within(error[i], e, e, batch.second[i], error_gamma<T>(n), "error");
  }
}

std::vector<BoundsRow> boxes_of(const std::vector<std::int32_t>& owner, const std::vector<double>& lower,
                                const std::vector<double>& upper, std::int64_t ld) {
  std::vector<BoundsRow> boxes;
  for (const std::int32_t b : owner) boxes.push_back({lower.data() + b * ld, upper.data() + b * ld});
  return boxes;
}

template <class T>
void check_concretize(Random& random, int m, int n) {
  SCOPED_TRACE(testing::Message() << "m " << m << " n " << n);
  const Batch<T> batch(random, m, n);
  auto lower = numbers<double>(random, batch.subproblems * batch.box_ld), upper = lower;
  for (std::size_t i = 0; i < lower.size(); ++i) upper[i] += std::abs(numbers<double>(random, 1)[0]);
  auto minimum = batch.first, magnitude = batch.second;
  const auto boxes = boxes_of(batch.owner, lower, upper, batch.box_ld);
  concretize(batch.lambda.data(), batch.ld, batch.m, batch.n, boxes.data(), minimum.data(), magnitude.data());
  for (std::int64_t i = 0; i < batch.m; ++i) {
    double low = 0, size = 0;
    for (std::int64_t j = 0; j < n; ++j) {
      const double x = batch.lambda[i * batch.ld + j];
      const double l = lower[batch.owner[i] * batch.box_ld + j], u = upper[batch.owner[i] * batch.box_ld + j];
      low += std::min(x * l, x * u);
      size += std::abs(x) * std::max(std::abs(l), std::abs(u));
    }
    expect_within(minimum[i], low, size, batch.first[i], 0, "minimum");
    expect_within(magnitude[i], size, size, batch.second[i], 0, "magnitude");
  }
}

template <class T>
void check_way_back(Random& random, int n, bool in_place) {
  SCOPED_TRACE(testing::Message() << "n " << n << " in place " << in_place);
  const auto lambda = numbers<T>(random, n), first = numbers<T>(random, n), second = numbers<T>(random, n);
  const auto third = numbers<T>(random, n), fourth = numbers<T>(random, n), x = numbers<T>(random, n);
  const auto lower = numbers<double>(random, n), upper = numbers<double>(random, n);
  std::vector<T> point(static_cast<std::size_t>(n) + 1, kGuard<T>);
  minimizer(lambda.data(), lower.data(), upper.data(), n, point.data());
  std::vector<T> y = x;
  y.push_back(kGuard<T>);
  const Lines<T> lines{first.data(), second.data(), third.data(), fourth.data(), nullptr, 0};
  const std::vector<T> operand = in_place ? std::vector<T>() : x;
  line_value(lambda.data(), in_place ? y.data() : operand.data(), n, lines, y.data());
  for (std::size_t j = 0; j < static_cast<std::size_t>(n); ++j) {
    const bool below = lambda[j] >= 0;
    EXPECT_EQ(point[j], static_cast<T>(below ? lower[j] : upper[j])) << j;
    const T slope = below ? first[j] : third[j], intercept = below ? second[j] : fourth[j];
    const double expected = static_cast<double>(slope) * static_cast<double>(x[j]) + static_cast<double>(intercept);
    EXPECT_NEAR(static_cast<double>(y[j]), expected,
                4 * kUnitRoundoff<T> * (std::fabs(expected) + std::fabs(static_cast<double>(intercept))))
        << j;
  }
  EXPECT_EQ(point.back(), kGuard<T>);
  EXPECT_EQ(y.back(), kGuard<T>);
}

TEST_P(Kernels, TheWayBackAgreesWithPlainLoops) {
  Random random(5);
  for (int n = 0; n < 70; ++n) {
    check_way_back<float>(random, n, n % 2 == 0);
    check_way_back<double>(random, n, n % 3 == 0);
  }
}

TEST_P(Kernels, RowKernelsAgreeWithPlainLoops) {
  Random random(4);
  for (int trial = 0; trial < 200; ++trial) {
    const int m = uniform(random, 1, 20), n = uniform(random, 1, 70);
    check_bias_and_error<float>(random, m, n, trial);
    check_bias_and_error<double>(random, m, n, trial);
    check_apply_relaxation<float>(random, m, n, trial % 2 == 0, trial % 3 == 0);
    check_apply_relaxation<double>(random, m, n, trial % 2 == 0, trial % 3 == 0);
    check_concretize<float>(random, m, n);
    check_concretize<double>(random, m, n);
  }
}

// Everything the row kernels compute for the rows [first, first + count) of one fixed batch.
template <class T>
std::vector<double> row_results(const Batch<T>& batch, const std::vector<float>& weight, std::int64_t first,
                                std::int64_t count) {
  const std::vector<double> bias(static_cast<std::size_t>(batch.n), 1.0 / 3);
  const std::vector<T> line(weight.begin(), weight.end());
  const std::vector<double> lower(weight.size(), -1.0 / 7), upper(weight.begin(), weight.end());
  const Lines<T> lines{line.data(), nullptr, line.data(), line.data(), weight.data(), batch.box_ld};
  const T* lambda = batch.lambda.data() + first * batch.ld;
  const std::int32_t* owner = batch.owner.data() + first;
  std::vector<T> out(static_cast<std::size_t>(count * batch.ld));
  std::vector<double> sums[6];
  for (auto& sum : sums) sum.assign(static_cast<std::size_t>(count), 0.0);
  bias_and_error(lambda, batch.ld, count, batch.n, bias.data(), weight.data(), batch.box_ld, owner, sums[0].data(),
                 sums[1].data());
  apply_relaxation(lambda, out.data(), batch.ld, count, batch.n, lines, owner, sums[2].data(), sums[3].data());
  const auto boxes = boxes_of(batch.owner, lower, upper, batch.box_ld);
  concretize(lambda, batch.ld, count, batch.n, boxes.data() + first, sums[4].data(), sums[5].data());
  std::vector<double> result;
  for (std::int64_t i = 0; i < count; ++i) {
    for (const auto& sum : sums) result.push_back(sum[i]);
    for (std::int64_t j = 0; j < batch.n; ++j) result.push_back(static_cast<double>(out[i * batch.ld + j]));
  }
  return result;
}

template <class T>
void check_row_kernels_independence() {
  Random random(5);
  const Batch<T> batch(random, 40, 53);
  const auto weight = weights(random, batch.subproblems * batch.box_ld);
  const auto all = row_results(batch, weight, 0, batch.m);
  const std::size_t per_row = all.size() / static_cast<std::size_t>(batch.m);
  for (std::int64_t count = 1; count < 10; ++count) {
    for (std::int64_t first = 0; first + count <= batch.m; ++first) {
      const auto some = row_results(batch, weight, first, count);
      for (std::size_t i = 0; i < some.size(); ++i) {
        ASSERT_TRUE(same_bits(some[i], all[static_cast<std::size_t>(first) * per_row + i])) << first << ", " << i;
      }
    }
  }
}

TEST_P(Kernels, ARowsSumsDependOnItselfAlone) {
  check_row_kernels_independence<float>();
  check_row_kernels_independence<double>();
}

// A special value in row 1 of 5 and column `at`; every sum it meets must become NaN, the other rows' must not.
template <class T>
void check_special_lambda(T special, int n, int at) {
  SCOPED_TRACE(testing::Message() << special << " at " << at << " of " << n);
  const std::int64_t m = 5;
  std::vector<T> lambda(static_cast<std::size_t>(m * n), T(1)), out(lambda.size());
  lambda[n + at] = special;
  const std::vector<double> zero(static_cast<std::size_t>(n), 0.0), one(static_cast<std::size_t>(n), 1.0);
  const std::vector<float> no_weight(static_cast<std::size_t>(n), 0.0f);
  const std::vector<T> flat(static_cast<std::size_t>(n), T(0));
  const std::vector<std::int32_t> owner(static_cast<std::size_t>(m), 0);
  const auto expect_row_one = [](const auto& values, std::size_t stride, std::size_t offset) {
    for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(std::isnan(values[i * stride + offset]), i == 1) << i;
  };
  std::vector<double> first(5, 0.0), second(5, 0.0);
  bias_and_error(lambda.data(), n, m, n, zero.data(), no_weight.data(), n, nullptr, first.data(), second.data());
  expect_row_one(first, 1, 0);
  expect_row_one(second, 1, 0);
  for (const T* lower : {static_cast<const T*>(nullptr), flat.data()}) {
    first.assign(5, 0.0), second.assign(5, 0.0);
    const Lines<T> lines{flat.data(), lower, flat.data(), flat.data(), no_weight.data(), n};
    apply_relaxation(lambda.data(), out.data(), n, m, n, lines, owner.data(), first.data(), second.data());
    expect_row_one(first, 1, 0);
    expect_row_one(second, 1, 0);
    expect_row_one(out, static_cast<std::size_t>(n), static_cast<std::size_t>(at));
  }
  // One end of the box at zero: lambda = inf makes one of the two products NaN, whichever end it is.
  for (const bool low_end : {true, false}) {
    first.assign(5, 0.0), second.assign(5, 0.0);
    std::vector<double> minus_one(one.size(), -1.0);
    const std::vector<BoundsRow> boxes(5,
                                       {low_end ? zero.data() : minus_one.data(), low_end ? one.data() : zero.data()});
    concretize(lambda.data(), n, m, n, boxes.data(), first.data(), second.data());
    expect_row_one(first, 1, 0);
    for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(std::isfinite(second[i]), i != 1);
  }
}

// A special value in the box; lambda is zero, positive or negative there.
template <class T>
void check_special_box(double l, double u, int n, int at) {
  SCOPED_TRACE(testing::Message() << '[' << l << ", " << u << "] at " << at << " of " << n);
  for (const T x : {T(0), T(2), T(-2)}) {
    const std::vector<T> lambda(static_cast<std::size_t>(n), x);
    std::vector<double> lower(static_cast<std::size_t>(n), -1.0), upper(static_cast<std::size_t>(n), 1.0);
    lower[at] = l;
    upper[at] = u;
    const BoundsRow box{lower.data(), upper.data()};
    double minimum = 0, magnitude = 0;
    concretize(lambda.data(), n, 1, n, &box, &minimum, &magnitude);
    const double p = static_cast<double>(x) * l, q = static_cast<double>(x) * u;
    if (std::isnan(p) || std::isnan(q)) {
      EXPECT_TRUE(std::isnan(minimum)) << x;
      EXPECT_TRUE(std::isnan(magnitude)) << x;
    } else {
      EXPECT_EQ(minimum, std::min(p, q) - 2.0 * (n - 1)) << x;
      EXPECT_EQ(magnitude, kInfinity) << x;
    }
  }
}

TEST_P(Kernels, RowKernelsPropagateNanAndInfinity) {
  for (const int n : {1, 3, 8, 16, 21, 50}) {
    for (const int at : {0, n / 2, n - 1}) {
      for (const float special : {kNan<float>, kInf<float>, -kInf<float>}) {
        check_special_lambda<float>(special, n, at);
        check_special_lambda<double>(special, n, at);
      }
      for (const double special : {kNan<double>, kInf<double>}) {
        check_special_box<float>(-1, special, n, at);
        check_special_box<float>(-special, 1, n, at);
        check_special_box<double>(0, special, n, at);
        check_special_box<double>(-special, special, n, at);
      }
    }
  }
}

// The line that is not taken may hold anything, as the upper line over an unbounded interval does.
TEST_P(Kernels, TheOtherLineDoesNotMatter) {
  const std::vector<float> lambda(21, 1.0f), slope(21, 0.5f), infinite(21, kInf<float>), weight(21, 1.0f);
  std::vector<float> out(21);
  const std::int32_t owner = 0;
  double constant = 0, error = 0;
  const Lines<float> lines{slope.data(), nullptr, infinite.data(), infinite.data(), weight.data(), 21};
  apply_relaxation(lambda.data(), out.data(), 21, 1, 21, lines, &owner, &constant, &error);
  EXPECT_EQ(constant, 0.0);
  EXPECT_EQ(error, 21.0);
  for (const float x : out) EXPECT_EQ(x, 0.5f);
}

TEST_P(Kernels, EmptyShapes) {
  const PackedMatrix<float> no_columns({}, 3, 0, false, false), no_rows({}, 0, 3, false, false);
  const std::vector<float> a(6, 1.0f);
  std::vector<float> c(6, kGuard<float>);
  multiply(a.data(), 3, 2, no_columns, c.data(), 3, false);
  multiply(a.data(), 3, 0, no_rows, c.data(), 3, false);
  EXPECT_EQ(c, std::vector<float>(6, kGuard<float>));
  multiply(a.data(), 3, 2, no_rows, c.data(), 3, false);
  EXPECT_EQ(c, std::vector<float>(6, 0.0f));
  double first = 1, second = 2;
  bias_and_error<float>(a.data(), 3, 1, 0, nullptr, nullptr, 0, nullptr, &first, &second);
  EXPECT_EQ(first, 1.0);
  EXPECT_EQ(second, 2.0);
}

}  // namespace
}  // namespace boundflow::native
