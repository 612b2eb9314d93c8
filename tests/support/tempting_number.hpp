#pragma once
// Numbers that tempt a compiler which takes floats for reals.

#include <cmath>
#include <cstdint>
#include <limits>

#include "base/random.hpp"

namespace boundflow {

inline float tempting_number(Random& random) {
  switch (random.integer(0, 9)) {
    case 0:
      return std::numeric_limits<float>::quiet_NaN();
    case 1:
      return std::copysign(std::numeric_limits<float>::infinity(), random.coin() ? 1.0F : -1.0F);
    case 2:
      return random.coin() ? 0.0F : -0.0F;
    case 3:
      return static_cast<float>(std::ldexp(random.uniform(-1, 1), 127));
    case 4:
      return static_cast<float>(std::ldexp(random.uniform(-1, 1), -140));
    default:
      return static_cast<float>(random.uniform(-1, 1));
  }
}

}  // namespace boundflow
