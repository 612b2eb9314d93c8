#pragma once
// Which domains have rules for what: the support table that users see, asked of the registries themselves.

#include <string>
#include <vector>

#include "domains/lowered_network.hpp"

namespace boundflow {

struct DomainSupport {
  std::string domain;
  bool (*supports)(const LoweredNode& node);
};

// All domains, in the order in which they are shown.
const std::vector<DomainSupport>& domain_support();

}  // namespace boundflow
