#pragma once
// What GatherRows copies: e_i carried through an affine node, for each i of a dense map, for each channel of a
// convolution (whose rows differ in their place only).

#include <vector>

#include "ir/linear_map.hpp"

namespace boundflow {

// [rows, columns] of a dense map; [out_channels, window] of a convolution, the window of one result pixel, channels
// last. Zeros stand between the taps of a dilated kernel.
std::vector<double> gathered_rows(const LinearMap& map);

// How many rows that are.
std::int64_t gathered_row_count(const LinearMap& map);

// Which of them belongs to coordinate i.
std::int64_t gathered_row(const LinearMap& map, std::int64_t i);

}  // namespace boundflow
