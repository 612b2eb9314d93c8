#pragma once
// A digest of what a network is, apart from how it is written: names, ids and the order of its nodes do not count.

#include "base/digest.hpp"
#include "ir/network.hpp"

namespace boundflow {

// Of floating-point constants: their types alone, or every bit of them. Others always count with their content.
enum class HashedConstants { Shapes, Content };

// Operators, attributes, topology, types and constants of what the output depends on, and of the input.
Digest structural_hash(const Network& network, HashedConstants constants);

}  // namespace boundflow
