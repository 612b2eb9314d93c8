#include "codegen/product.hpp"

#include "codegen/expressions.hpp"
#include "codegen/schedule.hpp"

namespace boundflow::generated {

namespace {

// The innermost loops of a block that works in registers: `unrolled` of them around one of vectors.
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
  const Expression kinds = constant(1 + kernel.spans), rows = constant(kernel.rows), panels = constant(kernel.panels),
                   width = constant(kernel.width), lanes = constant(kernel.lanes);
  const TensorExpression a("a", {places, tiles, kinds, rows, k});
  const TensorExpression b("b", {groups, panels, k, width});
  const TensorExpression i("i", {steps}, "int64"), j("j", {steps}, "int64");
  const Axis q = parallel("q", places), t = parallel("t", tiles), h = parallel("h", kinds), r = parallel("r", rows),
             g = parallel("g", groups), p = parallel("p", panels), w = parallel("w", lanes);
  const Axis s("s", kernel.listed ? steps : k, Axis::Kind::Reduction);
  const Expression column = kernel.listed ? i.at({s.index()}) : s.index();
  const Expression row = kernel.listed ? j.at({s.index()}) : s.index();
  const Expression entry = b.at({g.index(), p.index(), row, w.index()});
  // Decided when the loop of kinds is unrolled.
  const Expression weight = kernel.spans == 0 ? entry : select(equal(h.index(), constant(0)), entry, magnitude(entry));
  const TensorExpression c("c", {q, t, h, r, g, p, w},
                           sum(a.at({q.index(), t.index(), h.index(), r.index(), column}) * weight, s));

  const Schedule schedule(to_module(kernel.listed ? std::vector{a, b, i, j, c} : std::vector{a, b, c}));
  const auto block = schedule.block("c");
  const auto loops = schedule.loops(block);
  const auto &place = loops.at(0), &tile = loops.at(1), &kind = loops.at(2), &row_loop = loops.at(3),
             &group = loops.at(4), &panel = loops.at(5), &vector = loops.at(6), &step = loops.at(7);
  // A group of panels stays in the cache while all tiles pass by, and a tile of sums in registers for all steps.
  schedule.reorder({group, place, tile, step, kind, row_loop, panel, vector});
  constexpr std::size_t kUnrolled = 3;  // around vectors: kinds, rows and panels
  unroll_around_vectors(schedule, schedule.write_through_registers(block, tile), kUnrolled);
  unroll_around_vectors(schedule, block, kUnrolled);
  unroll_around_vectors(schedule, schedule.start_sum_before(block, step), kUnrolled);
  tvm::ffi::Any module = schedule.module();
  const auto strides = [](const char* name) {
    std::vector<Expression> variables;
    for (const char* of : {"place", "tile", "kind", "row"})
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
