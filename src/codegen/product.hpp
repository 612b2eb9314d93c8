#pragma once
// The template of a product (see ProductKernel).

#include <tvm/ffi/tvm_ffi.h>

#include "exec/tvm/plugin.hpp"

namespace boundflow::generated {

// A scheduled module.
tvm::ffi::Any product_module(const ProductKernel& kernel);

}  // namespace boundflow::generated
