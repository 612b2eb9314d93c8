// The row kernels: one pass over a row of Lambda next to each product, so they must cost little beside it. Several rows
// travel together where they share their operands, which saves loads and conversions and hides the latency of the
// accumulators; a row's own order of operations is the same in every grouping.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "exec/native/kernels.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "exec/native/row_kernels.cpp"
#include "hwy/foreach_target.h"  // must come before highway.h
// clang-format off
#include "exec/native/access-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace boundflow::native {
namespace HWY_NAMESPACE {

// Blocks of one vector of T, which is one or two vectors of double.
using Doubles = hn::ScalableTag<double>;
using DoubleVector = hn::Vec<Doubles>;
inline constexpr std::size_t kDoubleLanes = hn::MaxLanes(Doubles());
template <class T>
inline constexpr std::size_t kLanes = hn::MaxLanes(hn::ScalableTag<T>());
template <class T>
inline constexpr int kHalves = static_cast<int>(kLanes<T> / kDoubleLanes);

// Elements `skip`.. of the block at p, widened to T, one vector of doubles.
template <class Access, class T>
HWY_INLINE DoubleVector load_doubles(Access access, const T* p, std::size_t skip) {
  const Doubles d;
  if constexpr (std::is_same_v<T, double>) {
    return access.load(d, p, skip);
  } else {
    return hn::PromoteTo(d, access.load(hn::Rebind<T, Doubles>(), p, skip));
  }
}

// A block of error weights, which are floats, widened to T.
template <class T, class Access>
HWY_INLINE hn::Vec<hn::ScalableTag<T>> load_weights(Access access, const float* p) {
  const hn::ScalableTag<T> d;
  if constexpr (std::is_same_v<T, float>) {
    return access.load(d, p, 0);
  } else {
    return hn::PromoteTo(d, access.load(hn::Rebind<float, hn::ScalableTag<T>>(), p, 0));
  }
}

// target[r] += the sum of v[r]'s lanes. Four rows at once take a third of the shuffles; a single row goes through the
// same additions.
template <class D, int kRows>
HWY_INLINE void add_sums_of_lanes(D d, const hn::Vec<D> (&v)[kRows], double* target) {
  static_assert(kRows == 4 || kRows == 1);
#if HWY_TARGET != HWY_SCALAR
  constexpr std::size_t lanes = hn::MaxLanes(D());
  if constexpr (lanes > 4) {
    const hn::Half<D> half;
    hn::Vec<hn::Half<D>> folded[kRows];
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) folded[r] = hn::Add(hn::LowerHalf(half, v[r]), hn::UpperHalf(half, v[r]));
    add_sums_of_lanes(half, folded, target);
  } else if constexpr (lanes == 4) {
    constexpr int second = kRows == 4 ? 1 : 0, third = kRows == 4 ? 2 : 0, fourth = kRows == 4 ? 3 : 0;
    const auto low = hn::Add(hn::InterleaveLower(d, v[0], v[second]), hn::InterleaveUpper(d, v[0], v[second]));
    const auto high = hn::Add(hn::InterleaveLower(d, v[third], v[fourth]), hn::InterleaveUpper(d, v[third], v[fourth]));
    HWY_ALIGN hn::TFromD<D> sums[4];
    hn::Store(hn::Add(hn::ConcatLowerLower(d, high, low), hn::ConcatUpperUpper(d, high, low)), d, sums);
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) target[r] += static_cast<double>(sums[r]);
  } else
#endif
  {
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) target[r] += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, v[r])));
  }
}

// The running sums of the rows in hand.
template <class T, int kRows>
struct ConstantAndError {
  DoubleVector constant[kRows];
  hn::Vec<hn::ScalableTag<T>> error[kRows];

  HWY_INLINE void clear() {
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      constant[r] = hn::Zero(Doubles());
      error[r] = hn::Zero(hn::ScalableTag<T>());
    }
  }
};

// --- bias and error of an affine map

template <class T, int kRows, bool kBias, bool kWeight, class Access>
HWY_INLINE void bias_block(Access access, const T* lambda, std::int64_t ld, const double* bias,
                           const float* const (&weight)[kRows], std::int64_t j, ConstantAndError<T, kRows>& sums) {
  if constexpr (kBias) {
#pragma GCC unroll 4
    for (int half = 0; half < kHalves<T>; ++half) {
      if (!access.reaches(half * kDoubleLanes)) break;
      const DoubleVector b = load_doubles(access, bias + j, half * kDoubleLanes);
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) {
        const DoubleVector l = load_doubles(access, lambda + r * ld + j, half * kDoubleLanes);
        sums.constant[r] = hn::MulAdd(l, b, sums.constant[r]);
      }
    }
  }
  if constexpr (kWeight) {
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const auto l = access.load(hn::ScalableTag<T>(), lambda + r * ld + j, 0);
      sums.error[r] = hn::MulAdd(hn::Abs(l), load_weights<T>(access, weight[r] + j), sums.error[r]);
    }
  }
}

template <class T, int kRows, bool kBias, bool kWeight>
HWY_INLINE void bias_rows(const T* lambda, std::int64_t ld, std::int64_t n, const double* bias,
                          const float* const (&weight)[kRows], double* constant, double* error) {
  constexpr auto lanes = static_cast<std::int64_t>(kLanes<T>);
  ConstantAndError<T, kRows> sums;
  sums.clear();
  std::int64_t j = 0;
  for (; j + lanes <= n; j += lanes) {
    bias_block<T, kRows, kBias, kWeight>(Whole(), lambda, ld, bias, weight, j, sums);
  }
  if (j < n) {
    bias_block<T, kRows, kBias, kWeight>(Partial{static_cast<std::size_t>(n - j)}, lambda, ld, bias, weight, j, sums);
  }
  if constexpr (kBias) add_sums_of_lanes(Doubles(), sums.constant, constant);
  if constexpr (kWeight) add_sums_of_lanes(hn::ScalableTag<T>(), sums.error, error);
}

template <class T, bool kBias, bool kWeight>
void bias_all(const T* lambda, std::int64_t ld, std::int64_t m, std::int64_t n, const double* bias, const float* weight,
              std::int64_t weight_ld, const std::int32_t* weight_row, double* constant, double* error) {
  const auto weights_of = [&](std::int64_t i) {
    return weight_row == nullptr || !kWeight ? weight : weight + weight_row[i] * weight_ld;
  };
  std::int64_t i = 0;
  for (; i + 4 <= m; i += 4) {
    const float* const rows[4] = {weights_of(i), weights_of(i + 1), weights_of(i + 2), weights_of(i + 3)};
    bias_rows<T, 4, kBias, kWeight>(lambda + i * ld, ld, n, bias, rows, constant + i, error + i);
  }
  for (; i < m; ++i) {
    const float* const rows[1] = {weights_of(i)};
    bias_rows<T, 1, kBias, kWeight>(lambda + i * ld, ld, n, bias, rows, constant + i, error + i);
  }
}

template <class T>
void bias_target(const T* lambda, std::int64_t ld, std::int64_t m, std::int64_t n, const double* bias,
                 const float* weight, std::int64_t weight_ld, const std::int32_t* weight_row, double* constant,
                 double* error) {
  if (bias != nullptr && weight != nullptr) {
    bias_all<T, true, true>(lambda, ld, m, n, bias, weight, weight_ld, weight_row, constant, error);
  } else if (bias != nullptr) {
    bias_all<T, true, false>(lambda, ld, m, n, bias, weight, weight_ld, weight_row, constant, error);
  } else if (weight != nullptr) {
    bias_all<T, false, true>(lambda, ld, m, n, bias, weight, weight_ld, weight_row, constant, error);
  }
}

// --- the lines of a relaxation

// Row r's lines start at at[r]; with kShared all rows have those of at[0].
template <class T, int kRows, bool kShared, bool kLower, class Access>
HWY_INLINE void relax_block(Access access, const T* lambda, T* out, std::int64_t ld, std::int64_t j,
                            const Lines<T>& lines, const std::int64_t (&at)[kRows], ConstantAndError<T, kRows>& sums) {
  const hn::ScalableTag<T> d;
  const Doubles dd;
  const DoubleVector zero = hn::Zero(dd);
  // The constants first: out may be lambda.
#pragma GCC unroll 4
  for (int half = 0; half < kHalves<T>; ++half) {
    const std::size_t skip = half * kDoubleLanes;
    if (!access.reaches(skip)) break;
    DoubleVector lower = zero, upper = zero;
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      if (r == 0 || !kShared) {
        upper = load_doubles(access, lines.upper_intercept + at[r] + j, skip);
        if constexpr (kLower) lower = load_doubles(access, lines.lower_intercept + at[r] + j, skip);
      }
      const DoubleVector l = load_doubles(access, lambda + r * ld + j, skip);
      const auto takes_lower = hn::Ge(l, zero);
      const DoubleVector intercept =
          kLower ? hn::IfThenElse(takes_lower, lower, upper) : hn::IfThenZeroElse(takes_lower, upper);
      sums.constant[r] = hn::MulAdd(l, intercept, sums.constant[r]);
    }
  }
  hn::Vec<decltype(d)> weight = hn::Zero(d), lower_slope = hn::Zero(d), upper_slope = hn::Zero(d);
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
    if (r == 0 || !kShared) {
      weight = load_weights<T>(access, lines.error_weight + at[r] + j);
      lower_slope = access.load(d, lines.lower_slope + at[r] + j, 0);
      upper_slope = access.load(d, lines.upper_slope + at[r] + j, 0);
    }
    const auto l = access.load(d, lambda + r * ld + j, 0);
    const auto slope = hn::IfThenElse(hn::Ge(l, hn::BitCast(d, zero)), lower_slope, upper_slope);
    sums.error[r] = hn::MulAdd(hn::Abs(l), weight, sums.error[r]);
    access.store(hn::Mul(l, slope), d, out + r * ld + j);
  }
}

template <class T, int kRows, bool kShared, bool kLower>
void relax_rows(const T* lambda, T* out, std::int64_t ld, std::int64_t n, const Lines<T>& lines,
                const std::int32_t* owner, double* constant, double* error) {
  constexpr auto lanes = static_cast<std::int64_t>(kLanes<T>);
  std::int64_t at[kRows];
  for (int r = 0; r < kRows; ++r) at[r] = owner[r] * lines.ld;
  ConstantAndError<T, kRows> sums;
  sums.clear();
  std::int64_t j = 0;
  for (; j + lanes <= n; j += lanes) {
    relax_block<T, kRows, kShared, kLower>(Whole(), lambda, out, ld, j, lines, at, sums);
  }
  if (j < n) {
    relax_block<T, kRows, kShared, kLower>(Partial{static_cast<std::size_t>(n - j)}, lambda, out, ld, j, lines, at,
                                           sums);
  }
  add_sums_of_lanes(Doubles(), sums.constant, constant);
  add_sums_of_lanes(hn::ScalableTag<T>(), sums.error, error);
}

HWY_INLINE bool same_owner(const std::int32_t* owner) {
  return owner[0] == owner[1] && owner[0] == owner[2] && owner[0] == owner[3];
}

template <class T, bool kLower>
void relax_all(const T* lambda, T* out, std::int64_t ld, std::int64_t m, std::int64_t n, const Lines<T>& lines,
               const std::int32_t* owner, double* constant, double* error) {
  std::int64_t i = 0;
  for (; i + 4 <= m; i += 4) {
    const auto rows = same_owner(owner + i) ? &relax_rows<T, 4, true, kLower> : &relax_rows<T, 4, false, kLower>;
    rows(lambda + i * ld, out + i * ld, ld, n, lines, owner + i, constant + i, error + i);
  }
  for (; i < m; ++i) {
    relax_rows<T, 1, true, kLower>(lambda + i * ld, out + i * ld, ld, n, lines, owner + i, constant + i, error + i);
  }
}

template <class T>
void relax_target(const T* lambda, T* out, std::int64_t ld, std::int64_t m, std::int64_t n, const Lines<T>& lines,
                  const std::int32_t* owner, double* constant, double* error) {
  if (lines.lower_intercept != nullptr) {
    relax_all<T, true>(lambda, out, ld, m, n, lines, owner, constant, error);
  } else {
    relax_all<T, false>(lambda, out, ld, m, n, lines, owner, constant, error);
  }
}

// --- concretisation over a box

template <int kRows>
struct BoxSums {
  DoubleVector minimum[kRows];
  DoubleVector magnitude[kRows];
};

template <class T, int kRows, bool kShared, class Access>
HWY_INLINE void box_block(Access access, const T* lambda, std::int64_t ld, std::int64_t j, const BoundsRow* boxes,
                          BoxSums<kRows>& sums) {
  const Doubles dd;
  const hn::RebindToSigned<Doubles> di;
  DoubleVector l = hn::Zero(dd), u = l, largest = l;
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
    if (r == 0 || !kShared) {
      l = load_doubles(access, boxes[r].lower + j, 0);
      u = load_doubles(access, boxes[r].upper + j, 0);
      // Non-negative numbers order as their bit patterns do, NaN above infinity: this maximum keeps NaN, the
      // floating-point instruction would drop it.
      largest = hn::BitCast(dd, hn::Max(hn::BitCast(di, hn::Abs(l)), hn::BitCast(di, hn::Abs(u))));
    }
    const DoubleVector x = load_doubles(access, lambda + r * ld + j, 0);
    sums.minimum[r] = hn::MulAdd(x, hn::IfThenElse(hn::Ge(x, hn::Zero(dd)), l, u), sums.minimum[r]);
    sums.magnitude[r] = hn::MulAdd(hn::Abs(x), largest, sums.magnitude[r]);
  }
}

// Whether one of the products min(lambda_j l_j, lambda_j u_j) chooses from is NaN.
template <class T>
bool has_nan_product(const T* lambda, std::int64_t n, const double* lower, const double* upper) {
  for (std::int64_t j = 0; j < n; ++j) {
    const auto x = static_cast<double>(lambda[j]);
    if (std::isnan(x * lower[j]) || std::isnan(x * upper[j])) return true;
  }
  return false;
}

template <class T, int kRows, bool kShared>
void box_rows(const T* lambda, std::int64_t ld, std::int64_t n, const BoundsRow* boxes, double* minimum,
              double* magnitude) {
  const Doubles dd;
  constexpr auto lanes = static_cast<std::int64_t>(kDoubleLanes);
  BoxSums<kRows> sums;
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) sums.minimum[r] = sums.magnitude[r] = hn::Zero(dd);
  std::int64_t j = 0;
  for (; j + lanes <= n; j += lanes) box_block<T, kRows, kShared>(Whole(), lambda, ld, j, boxes, sums);
  if (j < n) box_block<T, kRows, kShared>(Partial{static_cast<std::size_t>(n - j)}, lambda, ld, j, boxes, sums);
  double row_minimum[kRows] = {}, row_magnitude[kRows] = {};
  add_sums_of_lanes(dd, sums.minimum, row_minimum);
  add_sums_of_lanes(dd, sums.magnitude, row_magnitude);
  for (int r = 0; r < kRows; ++r) {
    // The loop computes only the product that the sign of lambda selects. With finite operands that is the minimum; the
    // other product can be NaN only where the magnitude is infinite or NaN.
    if (!std::isfinite(row_magnitude[r]) && has_nan_product(lambda + r * ld, n, boxes[r].lower, boxes[r].upper)) {
      row_minimum[r] = std::numeric_limits<double>::quiet_NaN();
    }
    minimum[r] += row_minimum[r];
    magnitude[r] += row_magnitude[r];
  }
}

HWY_INLINE bool same_box(const BoundsRow* boxes) {
  return std::all_of(boxes + 1, boxes + 4,
                     [&](const BoundsRow& box) { return box.lower == boxes[0].lower && box.upper == boxes[0].upper; });
}

template <class T>
void box_target(const T* lambda, std::int64_t ld, std::int64_t m, std::int64_t n, const BoundsRow* boxes,
                double* minimum, double* magnitude) {
  std::int64_t i = 0;
  for (; i + 4 <= m; i += 4) {
    const auto rows = same_box(boxes + i) ? &box_rows<T, 4, true> : &box_rows<T, 4, false>;
    rows(lambda + i * ld, ld, n, boxes + i, minimum + i, magnitude + i);
  }
  for (; i < m; ++i) box_rows<T, 1, true>(lambda + i * ld, ld, n, boxes + i, minimum + i, magnitude + i);
}

// --- the way back from a minimiser through the lines in use

template <class T, class Access>
HWY_INLINE void minimizer_block(Access access, const T* lambda, const double* lower, const double* upper, T* point) {
  const Doubles d;
  const DoubleVector takes_lower = load_doubles(access, lambda, 0);
  const DoubleVector x =
      hn::IfThenElse(hn::Ge(takes_lower, hn::Zero(d)), access.load(d, lower, 0), access.load(d, upper, 0));
  if constexpr (std::is_same_v<T, double>) {
    access.store(x, d, point);
  } else {
    const hn::Rebind<T, Doubles> narrow;
    access.store(hn::DemoteTo(narrow, x), narrow, point);
  }
}

template <class T>
void minimizer_target(const T* lambda, const double* lower, const double* upper, std::int64_t n, T* point) {
  constexpr auto lanes = static_cast<std::int64_t>(kDoubleLanes);
  std::int64_t j = 0;
  for (; j + lanes <= n; j += lanes) minimizer_block(Whole(), lambda + j, lower + j, upper + j, point + j);
  if (j < n) {
    minimizer_block(Partial{static_cast<std::size_t>(n - j)}, lambda + j, lower + j, upper + j, point + j);
  }
}

template <class T, class Access>
HWY_INLINE void line_value_block(Access access, const T* lambda, const T* x, std::int64_t j, const Lines<T>& lines,
                                 T* y) {
  const hn::ScalableTag<T> d;
  const auto takes_lower = hn::Ge(access.load(d, lambda + j, 0), hn::Zero(d));
  const auto slope =
      hn::IfThenElse(takes_lower, access.load(d, lines.lower_slope + j, 0), access.load(d, lines.upper_slope + j, 0));
  const auto intercept = hn::IfThenElse(takes_lower, access.load(d, lines.lower_intercept + j, 0),
                                        access.load(d, lines.upper_intercept + j, 0));
  access.store(hn::MulAdd(slope, access.load(d, x + j, 0), intercept), d, y + j);
}

template <class T>
void line_value_target(const T* lambda, const T* x, std::int64_t n, const Lines<T>& lines, T* y) {
  constexpr auto lanes = static_cast<std::int64_t>(kLanes<T>);
  std::int64_t j = 0;
  for (; j + lanes <= n; j += lanes) line_value_block(Whole(), lambda, x, j, lines, y);
  if (j < n) line_value_block(Partial{static_cast<std::size_t>(n - j)}, lambda, x, j, lines, y);
}

// --- what the tables of dispatch need: plain functions

#define BOUNDFLOW_ROW_KERNELS(T)                                                                                  \
  void bias_##T(const T* lambda, std::int64_t ld, std::int64_t m, std::int64_t n, const double* bias,             \
                const float* weight, std::int64_t weight_ld, const std::int32_t* weight_row, double* constant,    \
                double* error) {                                                                                  \
    bias_target(lambda, ld, m, n, bias, weight, weight_ld, weight_row, constant, error);                          \
  }                                                                                                               \
  void relax_##T(const T* lambda, T* out, std::int64_t ld, std::int64_t m, std::int64_t n, const Lines<T>& lines, \
                 const std::int32_t* owner, double* constant, double* error) {                                    \
    relax_target(lambda, out, ld, m, n, lines, owner, constant, error);                                           \
  }                                                                                                               \
  void box_##T(const T* lambda, std::int64_t ld, std::int64_t m, std::int64_t n, const BoundsRow* boxes,          \
               double* minimum, double* magnitude) {                                                              \
    box_target(lambda, ld, m, n, boxes, minimum, magnitude);                                                      \
  }                                                                                                               \
  void minimizer_##T(const T* lambda, const double* lower, const double* upper, std::int64_t n, T* point) {       \
    minimizer_target(lambda, lower, upper, n, point);                                                             \
  }                                                                                                               \
  void line_value_##T(const T* lambda, const T* x, std::int64_t n, const Lines<T>& lines, T* y) {                 \
    line_value_target(lambda, x, n, lines, y);                                                                    \
  }
BOUNDFLOW_ROW_KERNELS(float)
BOUNDFLOW_ROW_KERNELS(double)
#undef BOUNDFLOW_ROW_KERNELS

}  // namespace HWY_NAMESPACE
}  // namespace boundflow::native
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace boundflow::native {

#define BOUNDFLOW_ROW_KERNELS(T)                                                                                \
  HWY_EXPORT(bias_##T);                                                                                         \
  HWY_EXPORT(relax_##T);                                                                                        \
  HWY_EXPORT(box_##T);                                                                                          \
  HWY_EXPORT(minimizer_##T);                                                                                    \
  HWY_EXPORT(line_value_##T);                                                                                   \
  template <>                                                                                                   \
  void bias_and_error<T>(const T* lambda, std::int64_t ld, std::int64_t m, std::int64_t n, const double* bias,  \
                         const float* weight, std::int64_t weight_ld, const std::int32_t* weight_row,           \
                         double* constant, double* error) {                                                     \
    HWY_DYNAMIC_DISPATCH(bias_##T)(lambda, ld, m, n, bias, weight, weight_ld, weight_row, constant, error);     \
  }                                                                                                             \
  template <>                                                                                                   \
  void apply_relaxation<T>(const T* lambda, T* out, std::int64_t ld, std::int64_t m, std::int64_t n,            \
                           const Lines<T>& lines, const std::int32_t* owner, double* constant, double* error) { \
    HWY_DYNAMIC_DISPATCH(relax_##T)(lambda, out, ld, m, n, lines, owner, constant, error);                      \
  }                                                                                                             \
  template <>                                                                                                   \
  void concretize<T>(const T* lambda, std::int64_t ld, std::int64_t m, std::int64_t n, const BoundsRow* boxes,  \
                     double* minimum, double* magnitude) {                                                      \
    HWY_DYNAMIC_DISPATCH(box_##T)(lambda, ld, m, n, boxes, minimum, magnitude);                                 \
  }                                                                                                             \
  template <>                                                                                                   \
  void minimizer<T>(const T* lambda, const double* lower, const double* upper, std::int64_t n, T* point) {      \
    HWY_DYNAMIC_DISPATCH(minimizer_##T)(lambda, lower, upper, n, point);                                        \
  }                                                                                                             \
  template <>                                                                                                   \
  void line_value<T>(const T* lambda, const T* x, std::int64_t n, const Lines<T>& lines, T* y) {                \
    HWY_DYNAMIC_DISPATCH(line_value_##T)(lambda, x, n, lines, y);                                               \
  }
BOUNDFLOW_ROW_KERNELS(float)
BOUNDFLOW_ROW_KERNELS(double)
#undef BOUNDFLOW_ROW_KERNELS

}  // namespace boundflow::native
#endif  // HWY_ONCE
