#pragma once
/// @file
/// The exceptions of BoundFlow's public functions. An exception never stands for a verdict.

#include <stdexcept>
#include <string>

#include "boundflow/export.hpp"

namespace boundflow {

/// What kind of error ended a query; the numbers are the exit codes of the command.
enum class ExitCode : int {
  Ok = 0,        ///< An answer was reached; never the code of an exception.
  Usage = 2,     ///< The call or the command line is wrong: a value out of range, options that exclude each other.
  BadInput = 3,  ///< A file is missing or malformed, or an array does not fit the network; the message names the place.
  Unsupported = 4,  ///< The network or the property needs what BoundFlow does not have; the message names it.
  /// A broken invariant of BoundFlow itself: please report it. A StoppedError at a time limit has this code, too.
  Internal = 70,
  Interrupted = 130,  ///< Ctrl-C or SIGTERM ended the command; the code of a StoppedError alone.
};

/// The base of all exceptions that BoundFlow throws. `what()` is one message: what is wrong, where (file:line:column,
/// or the node and its operator), and what was expected. Others that may pass through are std::bad_alloc and those of
/// one's own callbacks.
class BOUNDFLOW_API Error : public std::runtime_error {
 public:
  /// @param code     the kind of error
  /// @param message  what `what()` returns
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  /// @return the kind of error
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

/// Out of time or interrupted before there was anything to answer with. Verdicts and bounds say such things as values.
class BOUNDFLOW_API StoppedError : public Error {
 public:
  /// @param interrupted  false: a time limit was reached
  explicit StoppedError(bool interrupted)
      : Error(interrupted ? ExitCode::Interrupted : ExitCode::Internal,
              interrupted ? "interrupted" : "time limit reached") {}
};

}  // namespace boundflow
