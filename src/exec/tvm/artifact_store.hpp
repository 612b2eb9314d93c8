#pragma once
// ArtifactStore: object code on disk, by its key. What it holds is executed, so its folder is the user's alone, and
// nothing leaves it that has changed since it was written. Several processes may use a folder at the same time.

#include <cstdint>
#include <optional>
#include <string>

#include "base/digest.hpp"

namespace boundflow::generated {

class ArtifactStore {
 public:
  static constexpr std::int64_t kMostBytes = std::int64_t{64} << 20;

  // Makes the folder, with mode 0700, where there is none. UsageError where it cannot be made, belongs to somebody
  // else, or may be written by others. Beyond `most_bytes` what was used longest ago is removed.
  explicit ArtifactStore(const std::string& folder, std::int64_t most_bytes = kMostBytes);
  ArtifactStore(const ArtifactStore&) = delete;
  ArtifactStore& operator=(const ArtifactStore&) = delete;
  ~ArtifactStore();

  // What was written under the key, if it is there and whole. What is damaged is reported as a warning and removed.
  std::optional<std::string> read(const Digest& key) const;
  // Appears under its key when it is complete. Where it cannot be kept (no space, no permission) that is a warning.
  void write(const Digest& key, const std::string& content) const;

 private:
  void evict() const;

  std::string folder_;  // for messages
  std::int64_t most_bytes_;
  int descriptor_;  // of the folder that was checked, whatever its name leads to later
};

}  // namespace boundflow::generated
