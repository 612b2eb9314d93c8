#include "exec/tvm/generated_interval.hpp"

#include <array>
#include <vector>

#include "base/trace.hpp"
#include "program/storage_plan.hpp"

namespace boundflow::generated {

namespace {

constexpr std::int64_t kWidth = native::kPanelWidth<float>;

}  // namespace

bool has_interval_kernel(const LinearMap& map) {
  const DenseMap* dense = map.dense();
  return dense != nullptr && dense->outer == 1 && dense->inner == 1 && native::why_no_multiplier(map) == nullptr;
}

GeneratedInterval::GeneratedInterval(const LinearMap& map, GeneratedKernels& kernels, KernelUse& use)
    : packed_(map.dense()->weights, map.dense()->columns, map.dense()->rows, true, false) {
  // AVX2 has registers for the sums of two subproblems and one panel beside two vectors of the matrix and an entry of
  // the rows; those of one subproblem and two panels would need four vectors of the matrix.
  for (std::int64_t spans = 1; spans <= kMostSpans; ++spans) {
    for (std::int64_t rows = 1; rows <= kMostSubproblems; ++rows) {
      kernels_[static_cast<std::size_t>(spans - 1)][static_cast<std::size_t>(rows - 1)] =
          kernels.get({.width = kWidth, .lanes = kWidth, .rows = rows, .panels = 1, .spans = spans}, use);
    }
  }
}

void GeneratedInterval::count(HeldBytes& held) const {
  if (held.first(this)) held.add(packed_.bytes());
}

void GeneratedInterval::apply_interval(const float* in, std::int64_t spans, std::int64_t n, float* out,
                                       std::int64_t ld_out, bool accumulate) const {
  if (!accumulate) return multiply(in, spans, n, out, ld_out);
  // Kernels write only.
  thread_local std::vector<float> sums;
  const std::int64_t rows = (1 + spans) * n, stride = padded_columns(packed_.n());
  sums.resize(static_cast<std::size_t>(rows * stride));
  multiply(in, spans, n, sums.data(), stride);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < packed_.n(); ++j)
      out[i * ld_out + j] += sums[static_cast<std::size_t>(i * stride + j)];
  }
}

void GeneratedInterval::multiply(const float* in, std::int64_t spans, std::int64_t n, float* out,
                                 std::int64_t ld_out) const {
  const std::int64_t k = packed_.k(), panels = (packed_.n() + kWidth - 1) / kWidth;
  count_products((1 + spans) * n * panels * kWidth * k);
  const std::int64_t b_shape[] = {panels, 1, k, kWidth};
  const TensorArgument b{const_cast<float*>(packed_.view().panels), false, b_shape};
  const auto run = [&](std::int64_t rows, std::int64_t first, std::int64_t tiles) {
    if (tiles == 0) return;
    const std::int64_t a_shape[] = {1, tiles, 1 + spans, rows, k};
    const std::int64_t a_strides[] = {0, rows * k, n * k, k, 1};
    const TensorArgument a{const_cast<float*>(in + first * k), false, a_shape, a_strides};
    const std::int64_t c_shape[] = {1, tiles, 1 + spans, rows, panels, 1, kWidth};
    const std::int64_t c_strides[] = {0, rows * ld_out, n * ld_out, ld_out, kWidth, kWidth, 1};
    const TensorArgument c{out + first * ld_out, false, c_shape, c_strides};
    kernels_[static_cast<std::size_t>(spans - 1)][static_cast<std::size_t>(rows - 1)]->run(std::array{a, b, c});
  };
  const std::int64_t tall = n / kMostSubproblems;
  run(kMostSubproblems, 0, tall);
  run(1, tall * kMostSubproblems, n - tall * kMostSubproblems);
}

}  // namespace boundflow::generated
