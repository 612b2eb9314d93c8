#include "codegen/product.hpp"

#include "codegen/expressions.hpp"
#include "codegen/schedule.hpp"

namespace boundflow::generated {

namespace {

// The last two loops of a block around registers: rows or panels of vectors.
void unroll_around_vectors(const Schedule& schedule, const Schedule::Handle& block, std::size_t unrolled) {
  const auto loops = schedule.loops(block);
  schedule.vectorize(loops.back());
  for (std::size_t i = 2; i <= unrolled + 1; ++i) schedule.unroll(loops[loops.size() - i]);
}

}  // namespace

tvm::ffi::Any product_module(const ProductKernel& kernel) {
  const auto parallel = [](const char* name, const Expression& extent) {
    return Axis(name, extent, Axis::Kind::Parallel);
  };
  const Expression tiles = variable("tiles");
  const TensorExpression a("a", {tiles, constant(kernel.rows), variable("lda")});
  const TensorExpression b("b", {constant(kernel.panels), constant(kernel.k), constant(kernel.width)});
  const Axis t = parallel("t", tiles), r = parallel("r", constant(kernel.rows)),
             p = parallel("p", constant(kernel.panels)), w = parallel("w", constant(kernel.width));
  const Expression count = variable("count");
  const Axis step("step", kernel.live ? count : constant(kernel.k), Axis::Kind::Reduction);
  const TensorExpression live("live", {count}, "int32");
  const Expression j = kernel.live ? live.at({step.index()}) : step.index();
  const TensorExpression c("c", {t, r, p, w},
                           sum(a.at({t.index(), r.index(), j}) * b.at({p.index(), j, w.index()}), step));

  const Schedule schedule(to_module(kernel.live ? std::vector{a, b, live, c} : std::vector{a, b, c}));
  const auto block = schedule.block("c");
  const auto loops = schedule.loops(block);
  const auto& tile = loops.at(0);
  const auto& row = loops.at(1);
  const auto& vector = loops.at(3);
  const auto& sum_step = loops.at(4);
  const auto [group, panel] = schedule.split(loops.at(2), kernel.panels_at_once);
  // A group of panels stays in the cache while all tiles pass by, and a tile of sums in registers for all of k.
  schedule.reorder({group, tile, sum_step, row, panel, vector});
  unroll_around_vectors(schedule, schedule.write_through_registers(block, tile), 2);
  schedule.vectorize(vector);
  schedule.unroll(panel);
  schedule.unroll(row);
  unroll_around_vectors(schedule, schedule.start_sum_before(block, sum_step), 2);
  return schedule.module();
}

}  // namespace boundflow::generated
