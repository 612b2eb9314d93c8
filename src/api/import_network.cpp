#include "api/import_network.hpp"

#include "frontends/onnx/onnx.hpp"

namespace boundflow {

ImportedNetwork import_network(const std::string& path, const Deadline& deadline, const OperatorTable& table,
                               const PassOptions& passes) {
  auto source = std::make_shared<const Network>(read_onnx(path, deadline, table));
  auto normal = std::make_shared<const Network>(run_passes(*source, table, pass_table(), passes, deadline));
  return {std::move(source), std::move(normal)};
}

}  // namespace boundflow
