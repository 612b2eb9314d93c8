#include "api/import_network.hpp"

#include "frontends/onnx/onnx.hpp"

namespace boundflow {

namespace {

ImportedNetwork with_normal_form(Network network, const Deadline& deadline, const OperatorTable& table,
                                 const NetworkPassOptions& passes) {
  auto source = std::make_shared<const Network>(std::move(network));
  auto normal = std::make_shared<const Network>(run_passes(*source, table, pass_table(), passes, deadline));
  return {std::move(source), std::move(normal)};
}

}  // namespace

ImportedNetwork import_network(const std::string& path, const Deadline& deadline, const OperatorTable& table,
                               const NetworkPassOptions& passes) {
  return with_normal_form(read_onnx(path, deadline, table), deadline, table, passes);
}

ImportedNetwork import_bytes(std::string_view bytes, const std::string& name, const Deadline& deadline,
                             const OperatorTable& table, const NetworkPassOptions& passes) {
  return with_normal_form(import_onnx(bytes, name, deadline, table), deadline, table, passes);
}

std::int64_t parameter_count(const Network& network) {
  std::int64_t count = 0;
  for (const Value& value : network.values()) {
    if (value.constant && is_floating(value.type.dtype)) count += value.constant->size();
  }
  return count;
}

}  // namespace boundflow
