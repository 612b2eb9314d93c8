#pragma once
// The loops over coordinates around interval steps and relaxations, for one subproblem: branch-free sources of
// base/rounding and exec/error_model, compiled to vector code for each instruction set and dispatched at run time. They
// serve all executors: what differs between those is their kernels.

#include <cstdint>

#include "exec/error_model.hpp"
#include "ir/scalar_function.hpp"

namespace boundflow {

// What is known of a subproblem's bounds as a whole.
struct IntervalExtent {
  double max_abs = 0;     // the largest magnitude; NaN if there is one
  std::int64_t live = 0;  // coordinates that can be non-zero; NaN counts
};

IntervalExtent interval_extent(const double* lower, const double* upper, std::int64_t n);

// centre = near (l + u) / 2 as a T, radius and magnitude Ts with [centre - radius, centre + radius] covering [l, u] and
// magnitude >= |x| throughout, |centre| included. NaN in l or u gives NaN.
template <class T>
IntervalExtent split_intervals(const double* lower, const double* upper, std::int64_t n, T* centre, T* radius,
                               T* magnitude);

// The sums of an affine node for n coordinates of one subproblem, as in AffineSums; the rest are constants of the node.
template <class T>
struct AffineSumRows {
  const T* centre = nullptr;
  const T* radius = nullptr;
  const T* magnitude = nullptr;
  const double* ball_radius = nullptr;     // added to the radius, or nullptr
  const double* bias = nullptr;            // [n]
  const double* bias_magnitude = nullptr;  // [n]
};

// bound_affine_coordinate for each; executions count unless `executions` is nullptr.
template <class T>
void bound_affine(const AffineErrorModel& model, const AffineSumRows<T>& sums, std::int64_t n,
                  const ExecutionModel* executions, double* lower, double* upper, float* weight);

// The same without error terms: lower and upper only, to nearest.
template <class T>
void bound_affine_nominal(const AffineSumRows<T>& sums, std::int64_t n, double* lower, double* upper);

// The lines as kernels hold them, intercepts rounded outward, and what a row pays per unit of |Lambda|: Lambda times a
// slope rounds (unit_roundoff of the kernels) unless the slope is 0 or 1, and the dot with the intercepts rounds in
// double (dot_gamma).
template <class T>
void store_lines(const double* lower, const double* upper, const LineRows& lines, std::int64_t n, double unit_roundoff,
                 double dot_gamma, T* lower_slope, T* lower_intercept, T* upper_slope, T* upper_intercept,
                 float* weight);

// out = a + b for n entries of a row; out may be a or b.
template <class T>
void add_entries(const T* a, const T* b, std::int64_t n, T* out);

// Near sum |x_j|.
template <class T>
T sum_of_magnitudes(const T* x, std::int64_t n);

// magnitude_j >= max(|l_j|, |u_j|), the nearest T that is; NaN where a bound is.
template <class T>
void upper_magnitudes(const double* lower, const double* upper, std::int64_t n, T* magnitude);

// add_entries, and near sum |out_j| magnitude_j over the entries where a and b are both non-zero, since a sum with an
// exact zero does not round: added in T, in an order of n and the instruction set, so that the caller covers the
// rounding of n + 1 operations and the underflow of n products.
template <class T>
T add_entries_counted(const T* a, const T* b, const T* magnitude, std::int64_t n, T* out);

}  // namespace boundflow
