#pragma once
// A module's schedule: loops are split, reordered, unrolled and vectorised, and what they compute stays the same.

#include <tvm/ffi/tvm_ffi.h>

#include <string>
#include <vector>

namespace boundflow::generated {

class Schedule {
 public:
  using Handle = tvm::ffi::Any;  // of a block or a loop
  explicit Schedule(const tvm::ffi::Any& module);

  Handle block(const std::string& tensor) const;
  std::vector<Handle> loops(const Handle& block) const;  // outermost first
  // Into an outer loop and one of `factor` steps.
  std::pair<Handle, Handle> split(const Handle& loop, std::int64_t factor) const;
  void reorder(const std::vector<Handle>& loops) const;
  // The block writes a local buffer, which the block returned here copies to its tensor inside `loop`.
  Handle write_through_registers(const Handle& block, const Handle& loop) const;
  void vectorize(const Handle& loop) const;
  void unroll(const Handle& loop) const;
  // The sum's start as a block of its own, before `loop`.
  Handle start_sum_before(const Handle& block, const Handle& loop) const;
  tvm::ffi::Any module() const;

 private:
  tvm::ffi::Any schedule_;
};

}  // namespace boundflow::generated
