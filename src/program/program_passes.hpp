#pragma once
// BoundProgram -> BoundProgram passes: the table, and the one funnel that runs them. Every pass keeps the bounds that a
// query gets and what they may be off; a pass is one file and one line of the table.

#include <span>
#include <string_view>

#include "base/pass_funnel.hpp"
#include "program/bound_program.hpp"

namespace boundflow {

struct ProgramPass {
  std::string_view name;
  // Asks the budget before each rewrite. The funnel orders and numbers the ops again behind it.
  void (*run)(BoundProgram& program, RewriteBudget& budget);
};

// In the order in which they run.
std::span<const ProgramPass> program_pass_table();

using ProgramPassOptions = PassOptions<BoundProgram>;

// Runs the passes in their order, again and again until none of them finds anything to rewrite; verifies the program
// after each. StoppedError when the deadline passes on the way.
BoundProgram run_program_passes(BoundProgram program, const ProgramPassOptions& options = {},
                                const Deadline& deadline = Deadline());

}  // namespace boundflow
