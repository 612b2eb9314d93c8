#include "codegen/schedule.hpp"

#include "codegen/expressions.hpp"
#include "codegen/registry.hpp"

namespace boundflow::generated {

using tvm::ffi::Any;
using tvm::ffi::Array;

namespace {

Array<Any> to_array(const std::vector<Any>& handles) {
  return Array<Any>(handles.begin(), handles.end());
}

std::vector<Any> to_vector(const Any& array) {
  const auto handles = array.cast<Array<Any>>();
  return {handles.begin(), handles.end()};
}

}  // namespace

Schedule::Schedule(const Any& module)
    // No seed, no debug checks, errors in full, checks on.
    : schedule_(call(Registered::Schedule, module, -1, 0, 0, true)) {}

Schedule::Handle Schedule::block(const std::string& tensor) const {
  return call(Registered::GetBlock, schedule_, tensor, nullptr);
}

std::vector<Schedule::Handle> Schedule::loops(const Handle& block) const {
  return to_vector(call(Registered::GetLoops, schedule_, block));
}

std::pair<Schedule::Handle, Schedule::Handle> Schedule::split(const Handle& loop, std::int64_t factor) const {
  const Array<Any> factors{Any(nullptr), constant(factor).node()};
  const auto parts = to_vector(call(Registered::Split, schedule_, loop, factors, true, false));
  return {parts.at(0), parts.at(1)};
}

void Schedule::reorder(const std::vector<Handle>& loops) const {
  call(Registered::Reorder, schedule_, to_array(loops));
}

Schedule::Handle Schedule::write_through_registers(const Handle& block, const Handle& loop) const {
  // TVM keeps small "global" buffers on the stack, from where they become registers, and takes others from a pool.
  Handle copy = call(Registered::CacheWrite, schedule_, block, 0, "global", Array<Any>());
  call(Registered::ReverseComputeAt, schedule_, copy, loop, true, -1);  // loops of one step stay
  return copy;
}

void Schedule::vectorize(const Handle& loop) const {
  call(Registered::Vectorize, schedule_, loop);
}

void Schedule::unroll(const Handle& loop) const {
  call(Registered::Unroll, schedule_, loop);
}

Schedule::Handle Schedule::start_sum_before(const Handle& block, const Handle& loop) const {
  return call(Registered::DecomposeReduction, schedule_, block, loop);
}

Any Schedule::module() const {
  return call(Registered::GetModule, schedule_);
}

}  // namespace boundflow::generated
