#pragma once
// Errors that end a query. Expected outcomes (a verdict, a parse that may fail) are values, never exceptions; an
// exception never becomes a verdict. Each class has one exit code of the command line. The base class is public.

#include <string>
#include <utility>

#include "boundflow/error.hpp"

namespace boundflow {

// The command line or a call is wrong: unknown flag, missing argument, value out of range.
class UsageError : public Error {
 public:
  explicit UsageError(const std::string& message) : Error(ExitCode::Usage, message) {}
};

// A place in an input file. Line and column count from 1; 0 means that the format has no such place (binary files).
struct SourceLocation {
  std::string file;
  int line = 0;
  int column = 0;
};

// "file:line:column", leaving out what is unknown.
std::string to_string(const SourceLocation& where);

// An input file or a network in it is malformed. The message says what was expected.
class InputError : public Error {
 public:
  InputError(const SourceLocation& where, const std::string& message)
      : Error(ExitCode::BadInput, to_string(where) + ": " + message) {}
  // A fault that is tied to a node of the graph rather than to a place in a file.
  explicit InputError(const std::string& message) : Error(ExitCode::BadInput, message) {}
};

// A well-formed input that needs something BoundFlow does not have. Names the node and its operator.
class UnsupportedError : public Error {
 public:
  UnsupportedError(std::string node, std::string op, const std::string& why)
      : Error(ExitCode::Unsupported, "unsupported: node '" + node + "' (" + op + "): " + why),
        node_(std::move(node)),
        op_(std::move(op)) {}
  const std::string& node() const { return node_; }
  const std::string& op() const { return op_; }

 private:
  std::string node_;
  std::string op_;
};

// A broken invariant of BoundFlow itself: always a bug of ours.
class InternalError : public Error {
 public:
  explicit InternalError(const std::string& message) : Error(ExitCode::Internal, "internal error: " + message) {}
};

// Checks an invariant in every build type (assert vanishes in release).
inline void ensure(bool condition, const char* message) {
  if (!condition) throw InternalError(message);
}

}  // namespace boundflow
