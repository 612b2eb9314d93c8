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

// The input with the largest slope x width (a smear rule, Kearfott 1996; "smart branching" of input-splitting
// verifiers), where `slopes` are the largest |gradient| met at points sampled in the box. Sampled gradients tell more
// than the slope of the bound's linear form, which is small where lines of opposite slope cancel, though the relaxation
// is as loose there. Falls back to the widest input. Empty if no input can be cut: every width is zero or one step of
// double.
std::optional<Split> choose_split(std::span<const double> slopes, std::span<const double> lower,
                                  std::span<const double> upper);

}  // namespace boundflow
