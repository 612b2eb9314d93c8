#pragma once
// Reads the text form of a network back: the grammar is in network_printer.cpp. For every network that the verifier
// accepts, parse_network(print(network, kAllElements)) is that network again, bit for bit.

#include <string>
#include <string_view>

#include "ir/network.hpp"

namespace boundflow {

// InputError, with `file`:line:column and what was expected, for text of another form, and for constants that were
// printed as their checksum. A network that breaks a rule of the verifier is an InputError with the rule's label. The
// types are the text's word: ir/ knows no operator that could check them.
Network parse_network(std::string_view text, const std::string& file = "<text>");

}  // namespace boundflow
