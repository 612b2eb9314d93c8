#include "program/program_passes.hpp"

#include <array>

#include "program/fuse_relaxation_bias.hpp"
#include "program/remove_dead_ops.hpp"

namespace boundflow {

std::span<const ProgramPass> program_pass_table() {
  static constexpr std::array table = {
      ProgramPass{"remove-dead-ops", remove_dead_ops},
      ProgramPass{"fuse-relaxation-bias", fuse_relaxation_bias},
  };
  return table;
}

BoundProgram run_program_passes(BoundProgram program, const ProgramPassOptions& options, const Deadline& deadline) {
  run_in_rounds(program, program_pass_table(), options, deadline, [&](const ProgramPass& pass, RewriteBudget& budget) {
    const std::int64_t before = budget.taken();
    pass.run(program, budget);
    if (budget.taken() != before) finish_program(program);
  });
  return program;
}

}  // namespace boundflow
