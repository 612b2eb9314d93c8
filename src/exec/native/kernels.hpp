#pragma once
// The native executor's kernels, one source for float and double (Highway picks the instruction set at run time). Plain
// sums of products in a fixed order per shape and instruction set, FMA allowed: the error analysis of docs/soundness.md
// covers any such order. NaN and infinities propagate.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "exec/bounds_row.hpp"
#include "exec/native/panel.hpp"
#include "exec/relaxation_lines.hpp"

namespace boundflow::native {

// Rows of a packed matrix as the micro kernel reads them.
template <class T>
struct PanelView {
  const T* panels = nullptr;
  std::int64_t panel_stride = 0;
  std::int64_t k = 0;
  std::int64_t n = 0;
};

// The right factor B [k, n] of C = A B, laid out in column panels for the micro kernel.
template <class T>
class PackedMatrix {
 public:
  PackedMatrix() = default;
  // B row-major [k, n]; each weight rounded to T; its absolute value if `absolute`; B^T of the row-major [n, k] data if
  // `transposed`.
  PackedMatrix(std::span<const double> weights, std::int64_t k, std::int64_t n, bool transposed, bool absolute);
  // A copy would lie at another distance from the boundary.
  PackedMatrix(const PackedMatrix&) = delete;
  PackedMatrix& operator=(const PackedMatrix&) = delete;
  PackedMatrix(PackedMatrix&&) noexcept = default;
  PackedMatrix& operator=(PackedMatrix&&) noexcept = default;

  std::int64_t k() const { return k_; }
  std::int64_t n() const { return n_; }
  std::int64_t bytes() const { return static_cast<std::int64_t>(data_.size() * sizeof(T)); }
  // All of it, or the rows [first, first + count) of B.
  PanelView<T> view() const { return view(0, k_); }
  PanelView<T> view(std::int64_t first, std::int64_t count) const {
    return {data_.data() + offset_ + first * kPanelWidth<T>, k_ * kPanelWidth<T>, count, n_};
  }

 private:
  std::int64_t k_ = 0;
  std::int64_t n_ = 0;
  std::int64_t offset_ = 0;  // to a 64-byte boundary
  std::vector<T> data_;
};

// One part of a product's sum: row i contributes a[i * lda, ... + b.k) b.
template <class T>
struct ProductPart {
  const T* a = nullptr;
  PanelView<T> b;
  // The columns of a that are not zero in all rows, ascending and counted from `live_base`, so that the others may be
  // skipped; nullptr: unknown.
  const std::int32_t* live = nullptr;
  std::int64_t live_count = 0;
  std::int64_t live_base = 0;
};
inline constexpr std::size_t kMostProductParts = 16;

// c[i, :] = sum over the parts of a[i, :] B for i < m, or += if `accumulate`. At most kMostProductParts parts, all with
// the same leading dimension lda and number of columns n; lda >= k and ldc >= n in elements. c does not overlap a.
// Serial; callers bring the threads.
template <class T>
void multiply(std::span<const ProductPart<T>> parts, std::int64_t lda, std::int64_t m, T* c, std::int64_t ldc,
              bool accumulate);
// Writes the columns of a [m, k] that are not zero in all rows, ascending; returns how many.
template <class T>
std::int64_t live_columns(const T* a, std::int64_t lda, std::int64_t m, std::int64_t k, std::int32_t* live);

template <class T>
void multiply(const T* a, std::int64_t lda, std::int64_t m, const PackedMatrix<T>& b, T* c, std::int64_t ldc,
              bool accumulate) {
  const ProductPart<T> whole{a, b.view()};
  multiply(std::span(&whole, 1), lda, m, c, ldc, accumulate);
}

// Where a product is to be computed: number k reads a and writes c so many elements further on.
struct Places {
  std::int64_t count = 1;
  std::int64_t a_step = 0;
  std::int64_t c_step = 0;
  // So many elements behind a row's last column may be overwritten: they are of the next place or row, or of a product
  // that is asked for later.
  std::int64_t spare = 0;
};

// Who computes the products of a map: multiply() above, or another executor.
template <class T>
class Multiplier {
 public:
  virtual ~Multiplier() = default;
  // As multiply() with these arguments, at all places one after another and in them row after row, where all parts are
  // views of one PackedMatrix. Parts that know live columns have one place. Safe from several threads.
  virtual void multiply(std::span<const ProductPart<T>> parts, std::int64_t lda, std::int64_t m, T* c, std::int64_t ldc,
                        bool accumulate, const Places& places) const = 0;
};
template <class T>
std::shared_ptr<const Multiplier<T>> native_multiplier();

// Per row i < m of lambda [m, n] (leading dimension ld): constant[i] += sum_j lambda_j bias_j in double;
// error[i] += sum_j |lambda_j| weight_j. The error sum may accumulate in T: it is a sum of non-negative terms, which
// the caller inflates. bias (or weight) may be nullptr for zero; weights of row i start at weight + weight_row[i] *
// weight_ld (weight_row nullptr: row 0 for all).
template <class T>
void bias_and_error(const T* lambda, std::int64_t ld, std::int64_t m, std::int64_t n, const double* bias,
                    const float* weight, std::int64_t weight_ld, const std::int32_t* weight_row, double* constant,
                    double* error);

template <class T>
using Lines = RelaxationLines<T>;

// Per row i < m with subproblem owner[i]: out_j = lambda_j * slope_j, constant[i] += sum_j lambda_j intercept_j in
// double, error[i] += sum_j |lambda_j| error_weight_j, where lambda_j >= 0 takes the lower line and lambda_j < 0 the
// upper (NaN takes either and stays NaN). out may be lambda itself.
template <class T>
void apply_relaxation(const T* lambda, T* out, std::int64_t ld, std::int64_t m, std::int64_t n, const Lines<T>& lines,
                      const std::int32_t* owner, double* constant, double* error);

// Per row i < m: minimum[i] += sum_j min(lambda_j l_j, lambda_j u_j), magnitude[i] += sum_j |lambda_j| max(|l_j|,
// |u_j|), both in double, over the box [l, u] = boxes[i].
template <class T>
void concretize(const T* lambda, std::int64_t ld, std::int64_t m, std::int64_t n, const BoundsRow* boxes,
                double* minimum, double* magnitude);

// point_j = l_j where lambda_j >= 0, else u_j, rounded to T: where lambda x is least over the box [l, u].
template <class T>
void minimizer(const T* lambda, const double* lower, const double* upper, std::int64_t n, T* point);

// y_j: the line that lambda_j selects, as apply_relaxation does, at x_j. y may be x itself.
template <class T>
void line_value(const T* lambda, const T* x, std::int64_t n, const Lines<T>& lines, T* y);

// The instruction set in use, e.g. "AVX2".
const char* instruction_set();

}  // namespace boundflow::native
