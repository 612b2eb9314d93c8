#pragma once
// The folder of benchmark instances that tests may use but the project does not contain.

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <system_error>

namespace boundflow {

// BOUNDFLOW_SHARED from the environment, else the folder `shared` beside the source tree; empty where there is none.
inline std::optional<std::filesystem::path> shared_data() {
  const char* from_environment = std::getenv("BOUNDFLOW_SHARED");
  std::filesystem::path path = from_environment != nullptr
                                   ? std::filesystem::path(from_environment)
                                   : std::filesystem::path(BOUNDFLOW_SOURCE_DIR) / ".." / "shared";
  std::error_code ignored;
  if (!std::filesystem::is_directory(path, ignored)) return std::nullopt;
  return path;
}

}  // namespace boundflow
