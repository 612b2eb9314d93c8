#pragma once
// What specialisation needs to know of a network on some boxes.

#include <vector>

#include "engine/query_engine.hpp"
#include "passes/specialise.hpp"

namespace boundflow {

// The hull over all boxes of the query, of the input and of each value that activations read. NaN where nothing is
// known. StoppedError when the deadline passes before.
std::vector<ValueRange> value_ranges(const QueryEngine& engine, const Network& network, const BoundQuery& query,
                                     const Deadline& deadline = Deadline());

}  // namespace boundflow
