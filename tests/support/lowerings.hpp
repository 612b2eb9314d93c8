#pragma once
// Every way to lower a bound query, for tests that hold all of them to the same truth.

#include <string>
#include <vector>

#include "engine/lower.hpp"

namespace boundflow {

struct NamedLowering {
  std::string name;
  BoundLowering lowering;
};

inline std::vector<NamedLowering> all_lowerings(bool input_terms) {
  const auto intervals = IntermediateBounds::Interval;
  const auto unstable = IntermediateBounds::CrownWhereIntervalUnstable;
  return {
      {"ibp", {.intermediate = intervals, .specification = SpecificationBounds::Interval, .input_terms = input_terms}},
      {"crown-ibp", {.intermediate = intervals, .input_terms = input_terms}},
      {"crown", {.input_terms = input_terms}},
      {"crown of unstable rows", {.rows = NeuronRows::Unstable, .input_terms = input_terms}},
      {"crown of all rows", {.rows = NeuronRows::All, .input_terms = input_terms, .gather = false}},
      {"crown without windows", {.input_terms = input_terms, .windows = false}},
      {"crown where interval unstable", {.intermediate = unstable, .input_terms = input_terms}}};
}

}  // namespace boundflow
