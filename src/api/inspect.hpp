#pragma once
// The text of `boundflow inspect` for one network.

#include <string>

#include "base/deadline.hpp"
#include "ir/network.hpp"

namespace boundflow {

// Of the network as it was read. StoppedError when the deadline passes.
std::string inspection(const std::string& name, const Network& network, const Deadline& deadline);

}  // namespace boundflow
