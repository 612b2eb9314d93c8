#pragma once
// Tensors whose elements lie in a file beside the model's, as torch's exporter writes them and models of more than 2 GB
// need them. https://github.com/onnx/onnx/blob/main/docs/ExternalData.md

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "onnx_schema.pb.h"

namespace boundflow {

bool is_external(const onnx::TensorProto& proto);

class ExternalData {
 public:
  // Of a model that lies in no folder: nothing can be read.
  ExternalData() = default;
  // Of a model in that folder, with the files that its initialisers name.
  ExternalData(std::filesystem::path folder, const onnx::GraphProto& graph);

  // The sizes of those files that are there, each counted once: what they hold may be asked for (SizeBudget).
  std::size_t file_bytes() const { return file_bytes_; }

  // The `expected` bytes of a tensor, as they lie in the file; a checksum is not compared. InputError that says what is
  // wrong and names the file: missing, too short, of another length, or outside the model's folder.
  std::string read(const onnx::TensorProto& proto, std::size_t expected) const;

 private:
  std::optional<std::filesystem::path> folder_;
  std::size_t file_bytes_ = 0;
};

}  // namespace boundflow
