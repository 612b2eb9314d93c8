#pragma once
// One of several ways to write the same operation. Exporters differ in them; the pass normal-spelling leaves one.

#include <string>
#include <variant>
#include <vector>

#include "ir/network.hpp"

namespace boundflow {

struct WindowGeometry;

struct Spelling {
  std::string op;
  std::vector<std::variant<ValueId, Tensor>> inputs;  // values of the node's network, and new constants
  Attributes attributes;
};

// The node as it is.
Spelling as_written(const NodeView& node);

// An int64 vector.
Tensor index_vector(const std::vector<std::int64_t>& values);

// Puts the attributes of a window in place of those that say the same: pads instead of auto_pad, and nothing that is
// the default.
void spell_window(const WindowGeometry& window, bool ceil_mode, Attributes& attributes);

// Of an operator of two operands that are broadcast: a constant has no leading dimensions of 1 that the variable makes
// up for.
std::vector<Spelling> spell_operands(const NodeView& node);
// The same where operands may change places: a constant comes second.
std::vector<Spelling> spell_commutative(const NodeView& node);

}  // namespace boundflow
