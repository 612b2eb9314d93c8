#pragma once
// What SplitEngine needs while it bounds subproblems: kept from query to query.

#include "engine/share_steps.hpp"
#include "engine/split_engine.hpp"

namespace boundflow {

struct SplitEngine::Workspace {
  Arena batch;
  Arena rows;
  std::int64_t reach = 0;  // free neurons beyond these are none that the program's rows meet
  // Bounds of a subproblem's own; those of subproblems that have none are empty.
  std::vector<ValueBounds> own;
  std::vector<const double*> own_lower, own_upper;  // [B, values], as in SplitFrame
  std::vector<char> whole;                          // [B, values], as in SplitFrame
  std::vector<char> empty;                          // whether nothing is left of it
  std::vector<bool> narrows;
  std::vector<bool> clipped;  // whether its box got smaller by that
  std::vector<SplitTerm> splits;
  std::vector<std::int64_t> first_split;
  std::vector<float> shares;  // [sides, B, free]
  // Of the row that is looked at: by place among the free neurons, whether its subproblem has split it.
  std::vector<char> is_split;
  std::vector<float> kept_rows, kept_points;          // [rows, free]
  std::vector<float> split_points, split_magnitudes;  // by split
  std::vector<float> gradients, scores;               // [free], of the row that is looked at
  std::vector<double> minimizers;                     // [B, inputs]
  std::vector<double> forms, form_constants;          // [B, inputs], [B]: of a step's rows, at the input
  std::vector<double> outputs;                        // [B, outputs]
  MomentArrays share_moments;                         // [sides, B, free]
  std::vector<Moments> multiplier_moments;
  // Of each subproblem's best step.
  std::vector<std::uint8_t> best_slopes;  // [sides, B, free], as in SplitSubproblem
  std::vector<float> best_multipliers;
  std::vector<double> best;
  // Of a step: rows still running, one per subproblem.
  std::vector<std::int32_t> owners, indices;
  std::vector<double> signs, constants, errors;
  BatchFrame frame;
  SplitFrame split;
};

}  // namespace boundflow
