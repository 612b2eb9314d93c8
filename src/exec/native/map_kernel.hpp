#pragma once
// A LinearMap prepared for one direction in the native executor's precision: packed weights and the kernel for them.

#include <memory>

#include "exec/native/kernels.hpp"
#include "ir/linear_map.hpp"
#include "program/bound_program.hpp"

namespace boundflow::native {

enum class Direction { Forward, ForwardAbsolute, Transpose };
const char* to_string(Direction direction);  // "forward", "forward_absolute", "transpose"

template <class T>
class MapKernel {
 public:
  virtual ~MapKernel() = default;
  // out[i] = M in[i], |M| in[i] or in[i] M for i < n, or += if `accumulate`. out does not overlap in.
  virtual void apply(const T* in, std::int64_t ld_in, std::int64_t n, T* out, std::int64_t ld_out,
                     bool accumulate) const = 0;
  // The transpose on windows, for convolutions only.
  virtual void apply_windows(const T* in, std::int64_t ld_in, std::int64_t n, const Window& from, T* out,
                             std::int64_t ld_out, const Window& to) const;
  virtual std::int64_t bytes() const = 0;  // of what is packed
};

// Matrices and convolutions multiply by `multiplier`.
template <class T>
std::unique_ptr<MapKernel<T>> make_map_kernel(const LinearMap& map, Direction direction,
                                              std::shared_ptr<const Multiplier<T>> multiplier = native_multiplier<T>());

// Why a map's kernel asks no multiplier for anything: it multiplies nothing, or in loops of its own. nullptr if it
// does.
const char* why_no_multiplier(const LinearMap& map);

}  // namespace boundflow::native
