#pragma once
// Prepares the observer from a user's point: its activations, enclosed rigorously and executed once, and the clauses of
// the property that it is proved to violate.

#include <memory>
#include <optional>

#include "engine/observer.hpp"
#include "ops/operator.hpp"
#include "search/search.hpp"

namespace boundflow {

struct Observation {
  std::shared_ptr<const Observer> observer;
  std::optional<ObservedViolation> violation;
};

// The point as float32. InputError if the array does not fit the network's input or is not finite.
Observation observe(std::shared_ptr<const Network> network, const OperatorTable& table, const Property& property,
                    const std::string& npy_path, const Deadline& deadline);

// The same for a point in memory; each coordinate is rounded to float32 first.
Observation observe_point(std::shared_ptr<const Network> network, const OperatorTable& table, const Property& property,
                          const std::vector<double>& point, const Deadline& deadline = Deadline());

}  // namespace boundflow
