#pragma once
// How results leave the command: completely, or with an error that names where they should have gone. Nothing is lost
// in silence, and no half-written file stands under the name that was asked for.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace boundflow {

// A result could not be written although its place looked fine before the work began: a full disk, a closed pipe.
class OutputError : public Error {
 public:
  explicit OutputError(const std::string& message) : Error(ExitCode::Internal, message) {}
};

// Writes all of `text` to standard output. OutputError if that is closed or full.
void print(std::string_view text);

// Writes `text` beside `path` and renames it when it is complete, so that `path` holds all of it or what it held
// before. What is no regular file (a pipe, /dev/null), or is one that standard output or error writes to, is appended
// to in place. OutputError if any of that fails.
void write_result(const std::string& path, std::string_view text);

// A file that a flag asks to write.
struct OutputFile {
  std::string flag;
  std::string path;  // empty: not asked for
};

// Before the work begins: UsageError if one of the files could not be written, would overwrite one of `inputs`, or is
// the same as another one.
void check_outputs(const std::vector<OutputFile>& outputs, const std::vector<std::string>& inputs);

// Writes several results: one that fails does not keep the others from being written.
class Results {
 public:
  // Runs `write`; what it throws goes to standard error.
  void attempt(const std::function<void()>& write);
  // The code of the first failure, or `otherwise`.
  int exit_code(ExitCode otherwise) const { return static_cast<int>(failed_ ? failure_ : otherwise); }

 private:
  bool failed_ = false;
  ExitCode failure_ = ExitCode::Internal;
};

// The message of the exception that is being handled to standard error, and its exit code.
ExitCode report_exception();

}  // namespace boundflow
