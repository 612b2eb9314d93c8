#pragma once
// The façade's queries for networks with operators of one's own (docs/extending.md): the public functions are these
// with the built-in table.

#include <string>

#include "boundflow/boundflow.hpp"
#include "ops/operator.hpp"

namespace boundflow {

VerifyResult verify(const std::string& network_path, const std::string& property_path, const Options& options,
                    const VerifyHooks& hooks, const OperatorTable& table);

BoundsResult bounds(const std::string& network_path, const BoundsRequest& request, const Options& options,
                    const VerifyHooks& hooks, const OperatorTable& table);

}  // namespace boundflow
