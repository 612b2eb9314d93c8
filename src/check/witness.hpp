#pragma once
// Replay of a counterexample: the point is moved into the decimal box, the network is enclosed over the hull of the
// decimal point and its nearest float32, and the clause's atoms are decided in exact rational arithmetic.

#include <memory>
#include <vector>

#include "check/enclosure.hpp"
#include "ir/query.hpp"

namespace boundflow {

// True if the clause is proved to hold for every (x, y) with x in the hull of `first` and `second` (per coordinate) and
// y in the enclosure.
bool proved(const Clause& clause, const std::vector<Rational>& first, const std::vector<Rational>& second,
            const Enclosure& outputs);

class WitnessReplayer final : public Replayer {
 public:
  WitnessReplayer(std::shared_ptr<const Network> network, const OperatorTable& table)
      : network_(std::move(network)), table_(table) {}

  ReplayResult replay(const Region& region, std::span<const double> point, Witness& witness,
                      const Deadline& deadline) const override;

 private:
  std::shared_ptr<const Network> network_;
  const OperatorTable& table_;
};

}  // namespace boundflow
