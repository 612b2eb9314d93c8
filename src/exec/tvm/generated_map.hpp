#pragma once
// Maps of the tvm executor: native ones whose products are generated, and the statistics of maps.

#include <memory>
#include <string>

#include "exec/native/map_kernel.hpp"
#include "exec/tvm/generated_kernels.hpp"
#include "exec/tvm/generated_multiplier.hpp"

namespace boundflow::generated {

// Of a map that multiplies (native::why_no_multiplier says nothing against it), with kernels noted in `use`.
std::unique_ptr<const native::MapKernel<float>> make_generated_map(const LinearMap& map, native::Direction direction,
                                                                   GeneratedKernels& kernels, const Tile& tile,
                                                                   KernelUse& use);

// The same map, whose calls are counted.
std::unique_ptr<const native::MapKernel<float>> count_calls(std::unique_ptr<const native::MapKernel<float>> map,
                                                            std::shared_ptr<MapUse> use);

}  // namespace boundflow::generated
