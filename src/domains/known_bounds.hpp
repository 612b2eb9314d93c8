#pragma once
// What a program under construction already knows per value: the buffers that hold bounds, error weights and
// relaxations. The interval domain fills it, linear domains read it.

#include <vector>

#include "program/bound_program.hpp"

namespace boundflow {

inline constexpr BufferId kNoBuffer = -1;

struct KnownBounds {
  explicit KnownBounds(std::size_t values)
      : bounds(values, kNoBuffer), error_weights(values, kNoBuffer), relaxations(values, kNoBuffer) {}

  std::vector<BufferId> bounds;         // per value: Bounds
  std::vector<BufferId> error_weights;  // per value that an affine node produces: ErrorWeights of that node
  std::vector<BufferId> relaxations;    // per value: Lines (elementwise node) or Planes (joint) around it
};

}  // namespace boundflow
