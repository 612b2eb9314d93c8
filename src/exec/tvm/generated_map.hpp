#pragma once
// Maps of the tvm executor: native ones whose products are generated, each with its statistics.

#include <memory>
#include <string>

#include "exec/native/map_kernel.hpp"
#include "exec/tvm/generated_kernels.hpp"

namespace boundflow::generated {

// The node's map in this direction, with generated kernels for its products, if there are any; `kernels` counts its
// calls either way, and says why a map is native.
std::unique_ptr<const native::MapKernel<float>> make_generated_map(const std::string& node, const LinearMap& map,
                                                                   native::Direction direction,
                                                                   GeneratedKernels& kernels);

}  // namespace boundflow::generated
