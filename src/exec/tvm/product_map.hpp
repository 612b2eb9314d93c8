#pragma once
// The generated kernels of matrices: a native::MapKernel whose products TVM has compiled.

#include <memory>

#include "exec/native/map_kernel.hpp"
#include "exec/tvm/generated_kernels.hpp"

namespace boundflow::generated {

// The tiles that a CPU, as LLVM calls it, has registers for.
struct Tiling {
  std::int64_t rows = 0;         // of a tile of one panel
  std::int64_t most_panels = 0;  // of a tile of one row
};
Tiling tiling_of(const std::string& cpu);

// nullptr, with the reason noted in `kernels`, for maps that no template computes.
std::unique_ptr<const native::MapKernel<float>> make_generated_map(const LinearMap& map, native::Direction direction,
                                                                   GeneratedKernels& kernels);

}  // namespace boundflow::generated
