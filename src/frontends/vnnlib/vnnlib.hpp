#pragma once
// VNN-LIB 1.0 -> Property. The conjunction of all assertions is the violation; nested and/or over inputs and outputs in
// any mixture is brought to regions exactly, in rationals. lexer -> parser (formula.hpp) -> regions.hpp -> clauses.hpp.
// The language: docs at https://www.vnnlib.org, a fragment of SMT-LIB 2.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/deadline.hpp"
#include "ir/property.hpp"

namespace boundflow {

// `inputs` and `outputs` are the element counts of the network. InputError with file:line:column on everything that is
// malformed, unsupported or does not fit the network. StoppedError when the deadline passes on the way.
Property parse_vnnlib(std::string_view text, const std::string& file_name, std::int64_t inputs, std::int64_t outputs,
                      const Deadline& deadline = Deadline());

// The same for a file, which may be gzipped.
Property read_vnnlib(const std::string& path, std::int64_t inputs, std::int64_t outputs,
                     const Deadline& deadline = Deadline());

}  // namespace boundflow
