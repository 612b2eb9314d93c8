#include "api/import_network.hpp"

#include "frontends/onnx/onnx.hpp"
#include "passes/passes.hpp"

namespace boundflow {

ImportedNetwork import_network(const std::string& path, const Deadline& deadline) {
  auto source = std::make_shared<const Network>(read_onnx(path, deadline));
  auto normal = std::make_shared<const Network>(run_passes(*source, operator_table()));
  return {std::move(source), std::move(normal)};
}

}  // namespace boundflow
