#pragma once
// A LinearMap prepared for one direction in the native executor's precision: packed weights and the kernel for them.

#include <memory>

#include "exec/native/kernels.hpp"
#include "ir/linear_map.hpp"
#include "program/bound_program.hpp"
#include "program/held_bytes.hpp"

namespace boundflow::native {

// What a map does: M x, |M| x, or x M; both M and |M|, as an interval step asks for.
enum class Direction { Forward, ForwardAbsolute, Transpose, Interval };
const char* to_string(Direction direction);  // "forward", "forward_absolute", "transpose", "interval"

template <class T>
class MapKernel {
 public:
  virtual ~MapKernel() = default;
  // out[i] = M in[i], |M| in[i] or in[i] M for i < n, or += if `accumulate`. out does not overlap in. Not of Interval.
  virtual void apply(const T* in, std::int64_t ld_in, std::int64_t n, T* out, std::int64_t ld_out,
                     bool accumulate) const;
  // On windows, for convolutions only: out[i] is what in[i] alone makes of `to`, the window of rows that have come from
  // `from` through the transpose, or of the points that all points of `from` say everything of.
  virtual void apply_windows(const T* in, std::int64_t ld_in, std::int64_t n, const Window& from, T* out,
                             std::int64_t ld_out, const Window& to, bool accumulate) const;
  // Of Interval only, for n subproblems: of in [1 + spans, n, columns of M], in[0] are centres, and radii or magnitudes
  // behind them. out[0] (+)= M in[0], out[h] (+)= |M| in[h], where rows of out lie ld_out apart; what stands behind a
  // row's columns may be overwritten. ld_out is at least padded_columns(rows of M).
  virtual void apply_interval(const T* in, std::int64_t spans, std::int64_t n, T* out, std::int64_t ld_out,
                              bool accumulate) const;
  virtual void count(HeldBytes& held) const = 0;  // what is packed
};

// Matrices and convolutions multiply by `multiplier`.
template <class T>
std::unique_ptr<MapKernel<T>> make_map_kernel(const LinearMap& map, Direction direction,
                                              std::shared_ptr<const Multiplier<T>> multiplier = native_multiplier<T>());

// Of Interval, by kernels of Forward and of ForwardAbsolute.
template <class T>
std::unique_ptr<MapKernel<T>> make_interval_kernel(std::shared_ptr<const MapKernel<T>> forward,
                                                   std::shared_ptr<const MapKernel<T>> absolute, const LinearMap& map);

// Why a map's kernel asks no multiplier for anything: it multiplies nothing, or in loops of its own. nullptr if it
// does.
const char* why_no_multiplier(const LinearMap& map);

}  // namespace boundflow::native
