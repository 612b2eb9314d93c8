#pragma once
// Projected steps of the numbers that a subproblem's bound is improved by, along running means of gradients and of
// their squares (Kingma and Ba 2015).

#include <cmath>
#include <cstdint>
#include <vector>

namespace boundflow {

constexpr float kMean = 0.8F, kSquares = 0.95F;

// What makes up for means that began with zero.
struct MomentScale {
  explicit MomentScale(int step)
      : mean(1 / (1 - std::pow(kMean, static_cast<float>(step + 1)))),
        squares(1 / (1 - std::pow(kSquares, static_cast<float>(step + 1)))),
        begins(step == 0) {}
  float mean;
  float squares;
  bool begins;  // at the first step
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

// The same of many numbers. The first step begins them, whatever they are.
struct MomentArrays {
  std::vector<float> means, squares;
};

// The derivatives of a row's bound by the shares of n neurons that turn from a first slope to a last one, where Lambda
// takes the line below, at the values that the sweep found. NaN where the slopes are.
void turn_gradients(const float* lambda, const float* values, const float* first_slopes, const float* last_slopes,
                    std::int64_t n, float* gradients);

// What neurons that turn can take, over the box, and how far their chord lies from them where they turn.
struct TurnRanges {
  std::vector<float> lower, upper, peaks;
};

// How far a row's lines lie from the functions of n neurons that turn: below, at the values that the sweep found (as
// far as they lie within the ranges); above, where they turn, which is where the chord is furthest away. Each times
// |Lambda|. NaN where the slopes are and Lambda takes the line below.
void turn_scores(const float* lambda, const float* values, const float* shares, const float* first_slopes,
                 const float* last_slopes, const TurnRanges& ranges, std::int64_t n, float* scores);

// Moves each share by `length` times its direction, within [0, 1]. NaN among the gradients moves nothing but moments.
void step_shares(const float* gradients, std::int64_t n, const MomentScale& scale, float length, float* means,
                 float* squares, float* shares);

}  // namespace boundflow
