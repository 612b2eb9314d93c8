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
  const Expression places = variable("places"), tiles = variable("tiles"), groups = variable("groups"),
                   k = variable("k"), steps = variable("steps");
  const Expression rows = constant(kernel.rows), panels = constant(kernel.panels), width = constant(kernel.width);
  const TensorExpression a("a", {places, tiles, rows, k});
  const TensorExpression b("b", {groups, panels, k, width});
  const TensorExpression i("i", {steps}, "int64"), j("j", {steps}, "int64");
  const Axis q = parallel("q", places), t = parallel("t", tiles), r = parallel("r", rows), g = parallel("g", groups),
             p = parallel("p", panels), w = parallel("w", width);
  const Axis s("s", kernel.listed ? steps : k, Axis::Kind::Reduction);
  const Expression column = kernel.listed ? i.at({s.index()}) : s.index();
  const Expression row = kernel.listed ? j.at({s.index()}) : s.index();
  const TensorExpression c(
      "c", {q, t, r, g, p, w},
      sum(a.at({q.index(), t.index(), r.index(), column}) * b.at({g.index(), p.index(), row, w.index()}), s));

  const Schedule schedule(to_module(kernel.listed ? std::vector{a, b, i, j, c} : std::vector{a, b, c}));
  const auto block = schedule.block("c");
  const auto loops = schedule.loops(block);
  const auto &place = loops.at(0), &tile = loops.at(1), &row_loop = loops.at(2), &group = loops.at(3),
             &panel = loops.at(4), &vector = loops.at(5), &step = loops.at(6);
  // A group of panels stays in the cache while all tiles pass by, and a tile of sums in registers for all steps.
  schedule.reorder({group, place, tile, step, row_loop, panel, vector});
  unroll_around_vectors(schedule, schedule.write_through_registers(block, tile), 2);
  schedule.vectorize(vector);
  schedule.unroll(panel);
  schedule.unroll(row_loop);
  unroll_around_vectors(schedule, schedule.start_sum_before(block, step), 2);
  tvm::ffi::Any module = schedule.module();
  const auto strides = [](const char* name) {
    std::vector<Expression> variables;
    for (const char* of : {"place", "tile", "row"})
      variables.push_back(variable(std::string(of) + "_stride_of_" + name));
    return variables;
  };
  set_strides(module, "a", strides("a"));
  std::vector<Expression> of_c = strides("c");
  of_c.push_back(panels * width);
  of_c.push_back(width);
  set_strides(module, "c", of_c);
  return module;
}

}  // namespace boundflow::generated
