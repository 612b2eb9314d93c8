#pragma once
// From a file to the networks that the rest of the façade works on.

#include <memory>
#include <string>
#include <string_view>

#include "base/deadline.hpp"
#include "passes/passes.hpp"

namespace boundflow {

// Both networks of a query: the one that the file describes, which witnesses are replayed on, and its normal form,
// which is compiled.
struct ImportedNetwork {
  std::shared_ptr<const Network> source;
  std::shared_ptr<const Network> normal;
};

// StoppedError when the deadline passes on the way.
ImportedNetwork import_network(const std::string& path, const Deadline& deadline, const OperatorTable& table,
                               const NetworkPassOptions& passes);
// The same of a file's content. `name`: what messages call it.
ImportedNetwork import_bytes(std::string_view bytes, const std::string& name, const Deadline& deadline,
                             const OperatorTable& table, const NetworkPassOptions& passes);

// Elements of its floating-point constants.
std::int64_t parameter_count(const Network& network);

}  // namespace boundflow
