#pragma once
// Convex combinations of a clause's rows as rows of their own: where all rows are at most zero, so is a combination,
// and walked from the output it is tighter than the combination of the rows' bounds.

#include <cstdint>
#include <span>

#include "ir/query.hpp"

namespace boundflow {

// Appends sum_j lambda_j row_j, lambda_j >= 0; what rounding loses goes to its errors. Returns the number of the row.
std::int32_t append_combination(LinearSpec& spec, std::span<const std::int32_t> rows, std::span<const float> lambda);

}  // namespace boundflow
