#pragma once
// Rigorous evaluation: encloses every activation of the real-valued network over a small box, in double with outward
// rounding after every operation. Own code over the facets: nothing is shared with the executors that it checks.

#include <span>
#include <vector>

#include "base/deadline.hpp"
#include "ops/operator.hpp"

namespace boundflow {

struct Enclosure {
  std::vector<double> lower;
  std::vector<double> upper;
};

// An enclosure per value of the network; constants have none. StoppedError when the deadline passes.
std::vector<Enclosure> enclose(const Network& network, const OperatorTable& table, std::span<const double> lower,
                               std::span<const double> upper, const Deadline& deadline = Deadline());

}  // namespace boundflow
