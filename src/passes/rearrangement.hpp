#pragma once
// Nodes that give the elements of one operand new places and do no more: reshapes, transposes, and chains of them.

#include <optional>
#include <string>
#include <vector>

#include "ops/layout.hpp"
#include "passes/rewriter.hpp"

namespace boundflow {

struct Rearrangement {
  ValueId operand = kNoValue;
  Sources sources;  // a permutation; empty: the order stays
};

// What the node does, if it is a rearrangement.
std::optional<Rearrangement> rearrangement(const Network& network, const OperatorTable& table, const Node& node);

// The places of the second rearrangement's result in the operand of the first.
Sources composed(const Sources& first, const Sources& second);

// One node of a chain: a Transpose by `argument`, or a Reshape to it.
struct LayoutStep {
  bool transpose = false;
  std::vector<std::int64_t> argument;
};

// The shortest chain that takes a tensor of shape `from` to one of shape `to` with these sources: at most a Reshape, a
// Transpose and a Reshape. Nothing if no Transpose of some shape has them.
std::optional<std::vector<LayoutStep>> layout_steps(const Shape& from, const Shape& to, const Sources& sources);

// The permutation of axes, if one Transpose does it.
std::optional<std::vector<std::int64_t>> axis_permutation(const Shape& from, const Shape& to, const Sources& sources);

// Appends the chain; the last node gets the names.
ValueId add_layout_steps(Rewriter& rewriter, ValueId operand, const std::vector<LayoutStep>& steps,
                         const std::string& name, const std::string& value_name);

}  // namespace boundflow
