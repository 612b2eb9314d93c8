#include "exec/tvm/artifact_store.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace boundflow::generated {

namespace {

// A file is this line, the digest of its key and content, and the content.
constexpr std::string_view kHeader = "boundflow kernel 1\n";
constexpr std::string_view kSuffix = ".kernel";
constexpr std::string_view kUnfinished = "unfinished-";

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  operator int() const { return descriptor_; }

 private:
  int descriptor_;
};

std::string file_name(const Digest& key) {
  return to_hex(key).append(kSuffix);
}

std::string seal(const Digest& key, std::string_view content) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span(key)));
  hash.update(std::as_bytes(std::span(content)));
  const Digest digest = hash.finish();
  return std::string(kHeader).append(reinterpret_cast<const char*>(digest.data()), digest.size());
}

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

std::optional<std::string> read_all(int file) {
  std::string bytes;
  char piece[1 << 14];
  for (;;) {
    const ssize_t count = ::read(file, piece, sizeof piece);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::nullopt;
    if (count == 0) return bytes;
    bytes.append(piece, static_cast<std::size_t>(count));
  }
}

// The user's own, and written by nobody else.
bool is_private(const struct stat& status) {
  return status.st_uid == geteuid() && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

}  // namespace

ArtifactStore::ArtifactStore(const std::string& folder, std::int64_t most_bytes)
    : folder_(folder), most_bytes_(most_bytes), descriptor_(-1) {
  std::error_code ignored;  // opening it says what is wrong
  const std::filesystem::path parent = std::filesystem::path(folder).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, ignored);
  mkdir(folder.c_str(), S_IRWXU);
  descriptor_ = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor_ < 0) throw UsageError(fmt::format("--cache-dir: '{}': {}", folder, std::strerror(errno)));
  struct stat status {};
  if (fstat(descriptor_, &status) != 0 || !is_private(status)) {
    close(descriptor_);
    throw UsageError(
        fmt::format("--cache-dir: '{}' belongs to somebody else or can be written by others, and what it holds is "
                    "executed; expected a folder of your own with mode 0700",
                    folder));
  }
}

ArtifactStore::~ArtifactStore() {
  close(descriptor_);
}

std::optional<std::string> ArtifactStore::read(const Digest& key) const {
  const std::string name = file_name(key);
  const File file(openat(descriptor_, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file < 0) {
    if (errno == ENOENT) return std::nullopt;
  } else if (struct stat status{}; fstat(file, &status) == 0 && S_ISREG(status.st_mode) && is_private(status)) {
    if (std::optional<std::string> bytes = read_all(file)) {
      const std::size_t begin = kHeader.size() + key.size();
      if (bytes->size() > begin && seal(key, std::string_view(*bytes).substr(begin)) == bytes->substr(0, begin)) {
        futimens(file, nullptr);  // used now; a failure only makes it look older
        return bytes->substr(begin);
      }
    }
  }
  spdlog::warn("{}/{} is damaged: it is removed and made again", folder_, name);
  unlinkat(descriptor_, name.c_str(), 0);
  return std::nullopt;
}

void ArtifactStore::write(const Digest& key, const std::string& content) const {
  static std::atomic<int> number{0};
  const std::string unfinished = fmt::format("{}{}-{}", kUnfinished, getpid(), number++);
  {
    const File file(
        openat(descriptor_, unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (file >= 0 && write_all(file, seal(key, content)) && write_all(file, content) &&
        renameat(descriptor_, unfinished.c_str(), descriptor_, file_name(key).c_str()) == 0) {
      return evict();
    }
  }
  spdlog::warn("a kernel cannot be kept in {}: {}", folder_, std::strerror(errno));
  unlinkat(descriptor_, unfinished.c_str(), 0);
}

void ArtifactStore::evict() const {
  struct Entry {
    std::string name;
    std::int64_t bytes;
    timespec used;
  };
  std::vector<Entry> entries;
  std::int64_t bytes = 0;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(fdopendir(openat(descriptor_, ".", O_RDONLY | O_CLOEXEC)), closedir);
  if (!folder) return;
  while (const dirent* each = readdir(folder.get())) {
    const std::string_view name = each->d_name;
    struct stat status {};
    if (!name.ends_with(kSuffix) && !name.starts_with(kUnfinished)) continue;
    if (fstatat(descriptor_, each->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    entries.push_back({std::string(name), std::int64_t{status.st_size}, status.st_mtim});
    bytes += status.st_size;
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.used.tv_sec, a.used.tv_nsec) < std::pair(b.used.tv_sec, b.used.tv_nsec);
  });
  for (const Entry& entry : entries) {
    if (bytes <= most_bytes_) break;
    if (unlinkat(descriptor_, entry.name.c_str(), 0) == 0) bytes -= entry.bytes;
  }
}

}  // namespace boundflow::generated
