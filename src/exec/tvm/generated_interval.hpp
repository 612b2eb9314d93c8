#pragma once
// GeneratedInterval: the products of an interval step in one generated kernel, which reads the matrix once for M c and
// |M| r, where native ones read M and |M|. What limits products of few rows is reading.

#include <array>
#include <cstdint>
#include <memory>

#include "exec/native/map_kernel.hpp"
#include "exec/tvm/generated_kernels.hpp"

namespace boundflow::generated {

// Whether a map's interval step has a kernel of its own: matrices. Convolutions read few weights again and again, so
// that there is nothing to save (docs/benchmarks.md).
bool has_interval_kernel(const LinearMap& map);

class GeneratedInterval final : public native::MapKernel<float> {
 public:
  // Of a map that has_interval_kernel. Notes in `use` where the kernels were; throws what GeneratedKernels::get throws.
  GeneratedInterval(const LinearMap& map, GeneratedKernels& kernels, KernelUse& use);

  // A subproblem's result depends neither on their number nor on its place among them.
  void apply_interval(const float* in, std::int64_t spans, std::int64_t n, float* out, std::int64_t ld_out,
                      bool accumulate) const override;
  void count(HeldBytes& held) const override;

 private:
  static constexpr std::int64_t kMostSpans = 2;
  static constexpr std::int64_t kMostSubproblems = 2;  // of a tile
  void multiply(const float* in, std::int64_t spans, std::int64_t n, float* out, std::int64_t ld_out) const;

  native::PackedMatrix<float> packed_;
  // By spans - 1, and by the subproblems of a tile - 1.
  std::array<std::array<std::shared_ptr<const LoadedKernel>, kMostSubproblems>, kMostSpans> kernels_;
};

}  // namespace boundflow::generated
