#include "api/import_network.hpp"

#include "frontends/onnx/onnx.hpp"

namespace boundflow {

ImportedNetwork import_network(const std::string& path, const Deadline& deadline, const OperatorTable& table,
                               const NetworkPassOptions& passes) {
  auto source = std::make_shared<const Network>(read_onnx(path, deadline, table));
  auto normal = std::make_shared<const Network>(run_passes(*source, table, pass_table(), passes, deadline));
  return {std::move(source), std::move(normal)};
}

std::int64_t parameter_count(const Network& network) {
  std::int64_t count = 0;
  for (const Value& value : network.values()) {
    if (value.constant && is_floating(value.type.dtype)) count += value.constant->size();
  }
  return count;
}

}  // namespace boundflow
