#pragma once
// RuleRegistry: one rule per facet, plus overrides for operators that deserve better. A domain's folder ends in its
// table. A pair (domain, operator) without a rule is refused at compile time by node and op.

#include <map>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "domains/lowered_network.hpp"

namespace boundflow {

template <class State>
class RuleRegistry {
 public:
  using OpRule = void (*)(State& state, const LoweredNode& node);

  RuleRegistry(std::string_view domain, std::map<FacetKind, OpRule> by_facet,
               std::map<std::string, OpRule, std::less<>> by_operator = {})
      : domain_(domain), by_facet_(std::move(by_facet)), by_operator_(std::move(by_operator)) {}

  bool supports(const LoweredNode& node) const {
    return by_operator_.contains(node.node->op) || by_facet_.contains(node.facet);
  }

  void apply(State& state, const LoweredNode& node) const {
    if (const auto found = by_operator_.find(node.node->op); found != by_operator_.end()) {
      return found->second(state, node);
    }
    if (const auto found = by_facet_.find(node.facet); found != by_facet_.end()) return found->second(state, node);
    throw UnsupportedError(node.node->name, node.node->op,
                           "the " + std::string(domain_) + " domain has no rule for it");
  }

 private:
  std::string_view domain_;
  std::map<FacetKind, OpRule> by_facet_;
  std::map<std::string, OpRule, std::less<>> by_operator_;
};

}  // namespace boundflow
