#pragma once
// A box and rows that have to stay above zero, as a Property.

#include <cstdint>

#include "boundflow/boundflow.hpp"
#include "ir/property.hpp"

namespace boundflow {

// The violation: x in the box and some row of C y + offset at most zero. Exact: the ends are sums of the doubles given.
// UsageError unless there is either a centre or a box, InputError for arrays that do not fit the network.
Property box_property(const VerifyRequest& request, std::int64_t inputs, std::int64_t outputs);

}  // namespace boundflow
