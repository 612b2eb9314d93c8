#pragma once
// A digest of what a network is, apart from how it is written: names, ids and the order of its nodes do not count.

#include "base/digest.hpp"
#include "ops/operator.hpp"

namespace boundflow {

// Content: every bit of it. Shapes: of floating-point constants their shapes alone, and of nodes that a pass has merged
// others into what they compute, not how much their executions round; so that an affine node looks the same whether a
// scale behind it was merged by a pass, or by whoever wrote the file. Other constants always count with their content.
enum class HashedConstants { Shapes, Content };

// Operators, attributes, topology, types and constants of what the output depends on, and of the input.
Digest structural_hash(const Network& network, const OperatorTable& table, HashedConstants constants);

}  // namespace boundflow
