#include "tools/output.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <new>
#include <optional>
#include <utility>

namespace boundflow {

namespace {

std::string cannot_write(const std::string& path, int why) {
  return "cannot write '" + path + "': " + std::strerror(why);
}

// 0, or why not all of it was written.
int write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(descriptor, text.data(), text.size());
    if (count < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

// An open file; closing one that was written to may report what the writes did not.
class Descriptor {
 public:
  Descriptor(const std::string& path, int flags)
      : descriptor_(::open(path.c_str(), flags | O_WRONLY | O_CLOEXEC | O_NOCTTY, 0666)),
        error_(descriptor_ < 0 ? errno : 0) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int get() const { return descriptor_; }
  int error() const { return error_; }
  int write_and_close(std::string_view text) {
    const int failed = write_all(descriptor_, text);
    const int unclosed = ::close(std::exchange(descriptor_, -1)) != 0 ? errno : 0;
    return failed != 0 ? failed : unclosed;
  }

 private:
  int descriptor_;
  int error_;
};

std::optional<struct stat> status(const std::string& path) {
  struct stat result {};
  return ::stat(path.c_str(), &result) == 0 ? std::optional(result) : std::nullopt;
}

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// Standard output or error, if that is where the file goes.
std::optional<int> standard_stream(const struct stat& file) {
  for (const int stream : {STDOUT_FILENO, STDERR_FILENO}) {
    struct stat open {};
    if (::fstat(stream, &open) == 0 && same_file(file, open)) return stream;
  }
  return std::nullopt;
}

// A name that nobody uses, in the folder of `path`: a rename works within one file system only.
std::filesystem::path temporary_name(const std::filesystem::path& path, int attempt) {
  return path.parent_path() / (".boundflow-" + std::to_string(::getpid()) + "-" + std::to_string(attempt) + ".tmp");
}

// Creates a file beside `path`; its name goes to `name`. The error otherwise.
std::unique_ptr<Descriptor> create_beside(const std::filesystem::path& path, std::string& name) {
  for (int attempt = 0;; ++attempt) {
    name = temporary_name(path, attempt).string();
    auto file = std::make_unique<Descriptor>(name, O_CREAT | O_EXCL);
    if (file->error() != EEXIST || attempt == 100) return file;
  }
}

// Where a link leads, so that the link stays one.
std::filesystem::path resolved(const std::string& path) {
  std::error_code fault;
  const std::filesystem::path target = std::filesystem::canonical(path, fault);
  return fault ? std::filesystem::path(path) : target;
}

void write_in_place(const std::string& path, std::string_view text, int flags) {
  Descriptor file(path, flags);
  const int failed = file.error() != 0 ? file.error() : file.write_and_close(text);
  if (failed != 0) throw OutputError(cannot_write(path, failed));
}

void check_output(const OutputFile& output) {
  const std::string where = output.flag + ": ";
  const std::optional<struct stat> before = status(output.path);
  if (before && S_ISDIR(before->st_mode)) throw UsageError(where + cannot_write(output.path, EISDIR));
  if (before) {
    if (::access(output.path.c_str(), W_OK) != 0) throw UsageError(where + cannot_write(output.path, errno));
    return;
  }
  std::string name;
  const std::unique_ptr<Descriptor> probe = create_beside(output.path, name);
  if (probe->error() != 0) throw UsageError(where + cannot_write(output.path, probe->error()));
  ::unlink(name.c_str());
}

bool is_same_place(const std::string& a, const std::string& b) {
  const std::optional<struct stat> first = status(a);
  const std::optional<struct stat> second = status(b);
  if (first && second) return S_ISREG(first->st_mode) && same_file(*first, *second);
  std::error_code fault;
  return !first && !second &&
         std::filesystem::weakly_canonical(a, fault) == std::filesystem::weakly_canonical(b, fault);
}

}  // namespace

void print(std::string_view text) {
  if (const int failed = write_all(STDOUT_FILENO, text); failed != 0) {
    throw OutputError(std::string("cannot write to standard output: ") + std::strerror(failed));
  }
}

void write_result(const std::string& path, std::string_view text) {
  const std::optional<struct stat> before = status(path);
  if (before) {
    if (const std::optional<int> stream = standard_stream(*before)) {
      const int failed = write_all(*stream, text);
      if (failed != 0) throw OutputError(cannot_write(path, failed));
      return;
    }
    if (!S_ISREG(before->st_mode)) return write_in_place(path, text, 0);
  }
  const std::filesystem::path target = resolved(path);
  std::string name;
  const std::unique_ptr<Descriptor> file = create_beside(target, name);
  if (file->error() != 0) {
    // A file that may be written in a folder that may not.
    if (before) return write_in_place(path, text, O_TRUNC);
    throw OutputError(cannot_write(path, file->error()));
  }
  int failed = before && ::fchmod(file->get(), before->st_mode & 07777) != 0 ? errno : 0;
  if (failed == 0) failed = file->write_and_close(text);
  if (failed == 0 && ::rename(name.c_str(), target.c_str()) != 0) failed = errno;
  if (failed == 0) return;
  ::unlink(name.c_str());
  throw OutputError(cannot_write(path, failed));
}

void check_outputs(const std::vector<OutputFile>& outputs, const std::vector<std::string>& inputs) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].path.empty()) continue;
    for (std::size_t j = 0; j < i; ++j) {
      if (!outputs[j].path.empty() && is_same_place(outputs[i].path, outputs[j].path)) {
        throw UsageError(outputs[j].flag + " and " + outputs[i].flag + " name the same file, '" + outputs[i].path +
                         "'");
      }
    }
    for (const std::string& input : inputs) {
      if (is_same_place(outputs[i].path, input) && status(input)) {
        throw UsageError(outputs[i].flag + ": '" + outputs[i].path + "' is read as well; it would be overwritten");
      }
    }
    check_output(outputs[i]);
  }
}

void Results::attempt(const std::function<void()>& write) {
  try {
    write();
  } catch (...) {
    const ExitCode code = report_exception();
    if (!failed_) failure_ = code;
    failed_ = true;
  }
}

ExitCode report_exception() {
  try {
    throw;
  } catch (const Error& error) {
    std::fprintf(stderr, "boundflow: %s\n", error.what());
    return error.code();
  } catch (const std::bad_alloc&) {
    std::fputs("boundflow: out of memory: give a larger --memory, or a smaller network or property\n", stderr);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "boundflow: internal error: %s\n", error.what());
  }
  return ExitCode::Internal;
}

}  // namespace boundflow
