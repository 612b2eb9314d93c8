#pragma once
// Maps of the tvm executor: native ones whose products are generated, and the statistics of maps.

#include <memory>
#include <vector>

#include "exec/native/map_kernel.hpp"
#include "exec/tvm/generated_kernels.hpp"
#include "exec/tvm/generated_multiplier.hpp"

namespace boundflow::generated {

// In which directions kernels are made for what a map is to do: in this one, or for an interval step that has no kernel
// of its own in those of M and |M|.
std::vector<native::Direction> kernel_directions(const LinearMap& map, native::Direction direction);

// Of a map that multiplies (native::why_no_multiplier says nothing against it), with kernels noted in `use`. `tile` is
// of no concern to interval steps.
std::unique_ptr<const native::MapKernel<float>> make_generated_map(const LinearMap& map, native::Direction direction,
                                                                   GeneratedKernels& kernels, const Tile& tile,
                                                                   KernelUse& use);

// The same map, whose calls are counted.
std::unique_ptr<const native::MapKernel<float>> count_calls(std::unique_ptr<const native::MapKernel<float>> map,
                                                            std::shared_ptr<KernelCounter> counter);

}  // namespace boundflow::generated
