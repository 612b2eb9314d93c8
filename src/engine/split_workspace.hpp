#pragma once
// What SplitEngine needs while it bounds subproblems: kept from query to query.

#include <cmath>

#include "engine/split_engine.hpp"

namespace boundflow {

// Of the running means of gradients and of their squares (Kingma and Ba 2015).
constexpr float kMean = 0.8F, kSquares = 0.95F;

// What makes up for means that began with zero.
struct MomentScale {
  explicit MomentScale(int step)
      : mean(1 / (1 - std::pow(kMean, static_cast<float>(step + 1)))),
        squares(1 / (1 - std::pow(kSquares, static_cast<float>(step + 1)))) {}
  float mean;
  float squares;
};

struct Moments {
  float mean = 0;
  float squares = 0;
  // The step's direction, between -1 and 1 but for the first few.
  float direction(float gradient, const MomentScale& scale) {
    mean = kMean * mean + (1 - kMean) * gradient;
    squares = kSquares * squares + (1 - kSquares) * gradient * gradient;
    return squares > 0 ? mean * scale.mean / (std::sqrt(squares * scale.squares) + 1e-12F) : 0.0F;
  }
};

struct SplitEngine::Workspace {
  Arena batch;
  Arena rows;
  std::vector<std::size_t> active;   // in free_: what the program's rows meet
  std::vector<double> lower, upper;  // boxes
  // Bounds of a subproblem's own; those of subproblems that have none are empty.
  std::vector<ValueBounds> own;
  std::vector<const double*> own_lower, own_upper;  // [B, values], as in SplitFrame
  std::vector<char> empty;                          // whether nothing is left of it
  std::vector<bool> narrows;
  std::vector<SplitTerm> splits;
  std::vector<std::int32_t> split_neurons;
  std::vector<std::int64_t> first_split;
  std::vector<float> shares;  // [sides, B, neurons]
  // By subproblem: the places among the free neurons, ascending, of those that its row has passed in some step.
  std::vector<std::vector<std::int32_t>> passed;
  std::vector<std::int32_t> passing;
  // Of the row that is looked at: by place among the free neurons, whether its subproblem has split it.
  std::vector<char> is_split;
  std::vector<float> kept_rows, kept_points;
  std::vector<float> layer_units;             // of the row that is looked at, by layer; negative: not known
  std::vector<double> minimizers;             // [B, inputs]
  std::vector<double> forms, form_constants;  // [B, inputs], [B]: of a step's rows, at the input
  std::vector<double> outputs;                // [B, outputs]
  std::vector<Moments> share_moments, multiplier_moments;  // share_moments: [sides, B, free]
  // Of each subproblem's best step.
  std::vector<float> best_shares;  // [sides, B, free]
  std::vector<float> best_multipliers;
  std::vector<double> best;
  // Of a step: rows still running, one per subproblem.
  std::vector<std::int32_t> owners, indices;
  std::vector<double> signs, constants, errors;
  BatchFrame frame;
  SplitFrame split;
};

}  // namespace boundflow
