#include "frontends/onnx/onnx.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <limits>
#include <optional>

#include "frontends/onnx/graph.hpp"
#include "frontends/onnx/opset_forms.hpp"
#include "io/gzip.hpp"
#include "onnx_schema.pb.h"

namespace boundflow {

namespace {

constexpr std::int64_t kMinIrVersion = 3;  // the first one that lists opsets
constexpr std::int64_t kMaxIrVersion = 13;

onnx::ModelProto parse(std::string_view bytes) {
  onnx::ModelProto model;
  if (bytes.empty()) throw InputError("the file is empty; an ONNX model is expected");
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()) ||
      !model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    throw InputError("not an ONNX model, or a truncated one: an ONNX ModelProto is expected");
  }
  if (!model.has_ir_version()) throw InputError("no ir_version: an ONNX ModelProto is expected");
  if (!model.has_graph()) throw InputError("the ONNX model has no graph");
  return model;
}

std::int64_t default_opset(const onnx::ModelProto& model) {
  if (model.ir_version() < kMinIrVersion || model.ir_version() > kMaxIrVersion) {
    throw UnsupportedError(
        model.graph().name(), "model",
        fmt::format("IR version {} is not supported ({} to {} are)", model.ir_version(), kMinIrVersion, kMaxIrVersion));
  }
  std::int64_t opset = 0;
  for (const auto& import : model.opset_import()) {
    if (!import.domain().empty() && import.domain() != "ai.onnx") continue;
    if (opset != 0 && opset != import.version()) throw InputError("the ONNX model imports two opsets of one domain");
    opset = import.version();
  }
  if (opset == 0) throw InputError("the ONNX model imports no opset of the default domain; is the file truncated?");
  if (opset < kMinOpset || opset > kMaxOpset) {
    throw UnsupportedError(model.graph().name(), "model",
                           fmt::format("opset {} is not supported ({} to {} are)", opset, kMinOpset, kMaxOpset));
  }
  return opset;
}

// `folder`: where the model's file lies, if it has one.
Network import_model(std::string_view bytes, const std::string& file_name,
                     const std::optional<std::filesystem::path>& folder, const Deadline& deadline,
                     const OperatorTable& table) {
  try {
    const onnx::ModelProto model = parse(bytes);
    const ExternalData external = folder ? ExternalData(*folder, model.graph()) : ExternalData();
    deadline.check();
    Network network = import_graph(model, default_opset(model), bytes.size(), external, deadline, table);
    verify_network(network);
    return network;
  } catch (const InputError& error) {
    throw InputError({file_name}, error.what());
  }
}

}  // namespace

Network import_onnx(std::string_view bytes, const std::string& file_name, const Deadline& deadline,
                    const OperatorTable& table) {
  return import_model(bytes, file_name, std::nullopt, deadline, table);
}

Network read_onnx(const std::string& path, const Deadline& deadline, const OperatorTable& table) {
  return import_model(read_file(path), path, std::filesystem::path(path).parent_path(), deadline, table);
}

}  // namespace boundflow
