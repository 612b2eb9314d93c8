#pragma once
// Input splitting: along which input a subproblem is cut.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace boundflow {

struct Split {
  std::size_t input = 0;
  double at = 0;  // both halves contain this point
};

// The input with the largest |slope| x width, where `slopes` adds up the open clauses' forms: the input that a linear
// model says moves the bound most. Slopes are taken relative to the widths of the region's whole box (`root_widths`) and
// not below a share of the steepest one. Falls back to the widest input. Empty if no input can be cut: every width is
// zero or one step of double.
std::optional<Split> choose_split(std::span<const double> slopes, std::span<const double> root_widths,
                                  std::span<const double> lower, std::span<const double> upper);

}  // namespace boundflow
